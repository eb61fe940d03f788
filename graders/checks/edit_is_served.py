"""An edit of the source is served by the container that runs, with no build."""

from graders.evidence.volumes import EDIT_TIMEOUT_S, VolumesEvidence
from graders.rubric import Check, Finding


def judge(evidence: VolumesEvidence) -> Finding:
    """The graders only write the file, and look who answers."""
    if evidence.edited != evidence.edit:
        old = evidence.edited == evidence.answer
        seen = "still the old answer" if old else "no answer" if evidence.edited is None else "another answer"
        return Finding(holds=False, actual=f"{seen} after {EDIT_TIMEOUT_S} seconds")
    if not evidence.same_container:
        return Finding(holds=False, actual="the new greeting, by another container")
    return Finding(holds=True, actual=f"the new greeting, within {EDIT_TIMEOUT_S} seconds")


CHECK = Check(
    id="edit_is_served",
    claim="An edit of src/greeting.js is served without a build.",
    points=2,
    judge=judge,
    needs=("answer", "edited"),
    expected="the new greeting from the same container, within 10 seconds of the edit",
    hint="Does the container see the edited file (`docker exec CONTAINER cat FILE`)? And who starts the program again?",
    wrong="""\
services:
  web:
    build: .   # the source is a copy, made when it was built
    ports:
      - "3000:3000"
""",
    right="""\
services:
  web:
    build: .
    command: node --watch server.js
    ports:
      - "3000:3000"
    volumes:
      - ./src:/app/src
""",
)
