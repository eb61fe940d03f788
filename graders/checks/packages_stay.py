"""The packages of the app are not hidden by what is mounted."""

from graders.evidence.volumes import PACKAGE, VolumesEvidence
from graders.rubric import Check, Finding


def judge(evidence: VolumesEvidence) -> Finding:
    """How the app is started does not matter: node --watch needs no package, and the next edit may."""
    return Finding(holds=evidence.loads, actual=f"{PACKAGE} {'loads' if evidence.loads else 'cannot be loaded'}")


CHECK = Check(
    id="packages_stay",
    claim="The app can load the packages of its package.json.",
    points=1,
    judge=judge,
    needs=("answer", "loads"),
    expected="nodemon, which package.json names, can be loaded in the app's folder of the running container",
    hint="Where is node_modules (`docker exec CONTAINER ls FOLDER`)? A mount hides what the image has at its place.",
    wrong="""\
services:
  web:
    build: .
    volumes:
      - .:/app   # the project has no node_modules, and now /app has none
""",
    right="""\
services:
  web:
    build: .
    volumes:
      - ./src:/app/src
""",
)
