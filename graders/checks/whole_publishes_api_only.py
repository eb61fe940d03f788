"""Only the API can be reached from the host."""

from graders.evidence.capstone import CapstoneEvidence
from graders.rubric import Check, Finding


def judge(evidence: CapstoneEvidence) -> Finding:
    """A published port is open to the host, and often to the world; the host's network publishes everything."""
    if evidence.health is None:
        return Finding(holds=False, actual="the API is not published on port 3000")
    if evidence.others_published:
        return Finding(holds=False, actual=f"{' and '.join(evidence.others_published)} is published as well")
    bare = " and ".join(evidence.bare_networks)
    return Finding(holds=not bare, actual=f"{bare} is on no network of its own" if bare else "only the API")


CHECK = Check(
    id="whole_publishes_api_only",
    claim="Only the API is published; the database is for the API alone.",
    points=1,
    judge=judge,
    needs=("health", "others_published", "bare_networks"),
    expected="one published port, the API's, and a network of one's own",
    hint="Who has to reach the database? `ports` is not needed between containers.",
    wrong="""\
db:
  image: postgres:17
  ports: ["5432:5432"]
""",
    right="""\
db:
  image: postgres:17
""",
)
