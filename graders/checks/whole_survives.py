"""After all containers were removed and made again, the task is still there."""

from graders.evidence.capstone import CapstoneEvidence
from graders.rubric import Check, Finding


def judge(evidence: CapstoneEvidence) -> Finding:
    """The volumes stay, as after `docker compose down`."""
    if not evidence.kept_before:
        return Finding(holds=False, actual="there was no task to keep")
    return Finding(holds=evidence.kept_after, actual="it is there" if evidence.kept_after else "it is gone")


CHECK = Check(
    id="whole_survives",
    claim="Tasks survive when all containers are removed and made again.",
    points=2,
    judge=judge,
    needs=("kept_before", "kept_after"),
    expected="the task is still listed",
    hint="Where does Postgres keep its files, and what of that place outlives the container?",
    wrong="""\
volumes:
  - data:/data
""",
    right="""\
volumes:
  - data:/var/lib/postgresql/data
""",
)
