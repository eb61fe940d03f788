"""What was written to the database is there again after its container was removed and made anew."""

from graders.evidence.volumes import VolumesEvidence
from graders.rubric import Check, Finding


def judge(evidence: VolumesEvidence) -> Finding:
    """Each database has to know its note again; by which name it runs then does not matter."""
    lost = [one.database for one in evidence.written if one.database not in evidence.kept]
    return Finding(holds=not lost, actual=f"{', '.join(lost)} has lost it" if lost else "it is still there")


CHECK = Check(
    id="data_survives",
    claim="The data is still there when the containers were removed and made anew.",
    points=2,
    judge=judge,
    needs=("written", "kept"),
    expected="a document is still in the database after all containers were removed and it was brought up again",
    hint="Where does the database keep its files? What is mounted there, and does the next container get the same?",
    wrong="""\
services:
  db:
    image: mongo:8
    volumes:
      - data:/data   # the files are in /data/db, which gets a volume of its own
volumes:
  data:
""",
    right="""\
services:
  db:
    image: mongo:8
    volumes:
      - data:/data/db
volumes:
  data:
""",
)
