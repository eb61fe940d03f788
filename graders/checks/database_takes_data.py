"""A database runs that can be written to."""

from graders.evidence.volumes import VolumesEvidence
from graders.rubric import Check, Finding


def judge(evidence: VolumesEvidence) -> Finding:
    """Several databases are allowed; each must take the note that it is given."""
    full = [one.database for one in evidence.written if not one.took]
    if full:
        return Finding(holds=False, actual=f"{', '.join(full)} answers and takes no data")
    return Finding(
        holds=bool(evidence.written), actual=f"{', '.join(one.database for one in evidence.written)} takes data"
    )


CHECK = Check(
    id="database_takes_data",
    claim="A database runs and takes data.",
    points=1,
    judge=judge,
    needs=("written",),
    expected="a container that answers as MongoDB on port 27017, and keeps a document that it is given",
    hint="`docker ps --all` shows whether the database's container runs, `docker logs` what it says.",
    wrong="""\
services:
  db:
    image: busybox:stable
""",
    right="""\
services:
  db:
    image: mongo:8
""",
)
