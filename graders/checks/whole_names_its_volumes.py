"""Nothing of value lies in a volume without a name."""

from graders.evidence.capstone import CapstoneEvidence
from graders.rubric import Check, Finding


def judge(evidence: CapstoneEvidence) -> Finding:
    """The image of Postgres declares a volume: without a mount in just that place it gets one without a name."""
    if len(evidence.running) < 2:
        return Finding(holds=False, actual=f"of the API and its database {len(evidence.running) or 'none'} runs")
    found = " and ".join(evidence.anonymous)
    return Finding(holds=not found, actual=f"{found} has one" if found else "none has one")


CHECK = Check(
    id="whole_names_its_volumes",
    claim="No container keeps data in a volume without a name.",
    points=1,
    judge=judge,
    needs=("running", "anonymous"),
    expected="named volumes or none",
    hint="`course volumes --all` shows which volumes have no name.",
    wrong="""\
docker run -d postgres:17
""",
    right="""\
docker volume create data
docker run -d -v data:/var/lib/postgresql/data postgres:17
""",
)
