"""Web has no way to the database."""

from course.lab.reach import Answer
from graders.checks.by_name import listed
from graders.evidence.networks import NetworksEvidence
from graders.rubric import Check, Finding


def judge(evidence: NetworksEvidence) -> Finding:
    """Every name and every address of the database's container was tried from within web's network."""
    ways = [reach for reach in evidence.web_to_db if reach.address != "localhost"]
    reached = [reach.address for reach in ways if reach.answer is Answer.ANSWERED]
    tried = listed([reach.address for reach in ways])
    return Finding(
        holds=not reached,
        actual=f"web reaches Redis as {listed(reached)}" if reached else f"none of these leads there: {tried}",
    )


CHECK = Check(
    id="web_misses_db",
    claim="Web does not reach Redis, by no name and no address.",
    points=2,
    judge=judge,
    needs=("web_to_db",),
    expected="from within web's network, nothing leads to the container that answers PING",
    hint="Who is on one network reaches all who are on it. How many does it take to keep two apart?",
    wrong="""\
services:            # all of them on the project's one network
  web: {build: web, ports: ["8080:3000"]}
  api: {build: api}
  db: {image: "redis:7"}
""",
    right="""\
networks: {front: {}, back: {}}
services:
  web: {build: web, ports: ["8080:3000"], networks: [front]}
  api: {build: api, networks: [front, back]}
  db: {image: "redis:7", networks: [back]}
""",
)
