"""The API finds its database by a name."""

from graders.checks.by_name import by_name_finding
from graders.evidence.networks import NetworksEvidence
from graders.rubric import Check, Finding


def judge(evidence: NetworksEvidence) -> Finding:
    """Tried from within the API's networks, by every name that the database's container has."""
    return by_name_finding(evidence.api_to_db)


CHECK = Check(
    id="api_reaches_db",
    claim="The API reaches Redis by a name.",
    points=1,
    judge=judge,
    needs=("api_to_db",),
    expected="from within the API's networks, a name of the container that answers PING leads to its port",
    hint="A container can be on more than one network. Which ones is the API on, and who else is?",
    wrong="""\
networks: {front: {}, back: {}}
services:
  api: {build: api, networks: [front]}
  db: {image: "redis:7", networks: [back]}
""",
    right="""\
networks: {front: {}, back: {}}
services:
  api: {build: api, networks: [front, back]}
  db: {image: "redis:7", networks: [back]}
""",
)
