"""A second container has the database's files before it."""

from graders.evidence.volumes import VolumesEvidence
from graders.rubric import Check, Finding


def judge(evidence: VolumesEvidence) -> Finding:
    """Mounted where, and as what, is its own affair; the file with the note must be in it while the database runs."""
    seen_by = [name for one in evidence.written for name in one.seen_by]
    seen = f"{', '.join(seen_by)} sees it" if seen_by else "no other running container sees the database's files"
    return Finding(holds=bool(seen_by), actual=seen)


CHECK = Check(
    id="data_is_shared",
    claim="A second container sees the database's files.",
    points=2,
    judge=judge,
    needs=("written",),
    expected="another running container that has the volume with the database's files mounted",
    hint="Are there two volumes where one was meant (`docker volume ls`)? Does the second container still run?",
    wrong="""\
services:
  db:
    image: mongo:8
    volumes:
      - data:/data/db
  backup:
    image: busybox:stable
    command: sleep 1d
    volumes:
      - backup:/backup   # a volume of its own, and empty
""",
    right="""\
services:
  db:
    image: mongo:8
    volumes:
      - data:/data/db
  backup:
    image: busybox:stable
    command: sleep 1d
    volumes:
      - data:/backup:ro
""",
)
