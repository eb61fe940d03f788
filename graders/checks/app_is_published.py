"""The app answers on port 3000 of the machine."""

from graders.evidence.volumes import VolumesEvidence
from graders.rubric import Check, Finding


def judge(evidence: VolumesEvidence) -> Finding:
    """The greeting is another one in each replay."""
    holds = evidence.answer == evidence.greeting
    return Finding(holds=holds, actual="its greeting" if holds else "another answer than its greeting")


CHECK = Check(
    id="app_is_published",
    claim="The app answers on port 3000.",
    points=1,
    judge=judge,
    needs=("answer",),
    expected="port 3000 of the machine answers with the greeting of src/greeting.js",
    hint="Which port does the app listen on, and under which is it published? `docker ps` shows both.",
    wrong="""\
docker run --detach web
""",
    right="""\
docker run --detach --publish 3000:3000 web
""",
)
