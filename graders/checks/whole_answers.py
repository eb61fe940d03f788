"""Everything comes up, and a task that is posted is listed."""

from graders.evidence.capstone import CapstoneEvidence
from graders.rubric import Check, Finding


def judge(evidence: CapstoneEvidence) -> Finding:
    """The API answers /health without a database, so only a task shows that the two work together."""
    if evidence.health is None:
        return Finding(holds=False, actual=evidence.said)
    seen = "it is listed" if evidence.kept_before else f"it is not: {evidence.said}"
    return Finding(holds=evidence.kept_before, actual=seen)


CHECK = Check(
    id="whole_answers",
    claim="The API answers on port 3000, and keeps a task in its database.",
    points=2,
    judge=judge,
    needs=("health", "kept_before"),
    expected="POST /tasks makes a task that GET /tasks lists",
    hint="The API finds its database by `DATABASE_URL`. By which name does one container reach another?",
    wrong="""\
environment:
  DATABASE_URL: postgres://postgres:secret@localhost:5432/postgres
""",
    right="""\
environment:
  DATABASE_URL: postgres://postgres:secret@db:5432/postgres
""",
)
