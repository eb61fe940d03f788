"""After an edit of the source, what comes up runs the new code."""

from graders.evidence.capstone import CapstoneEvidence
from graders.rubric import Check, Finding


def judge(evidence: CapstoneEvidence) -> Finding:
    """The edit puts a value into the answer of `GET /health` that no earlier image holds."""
    return Finding(holds=evidence.new_code, actual="the new code" if evidence.new_code else "the old code, or none")


CHECK = Check(
    id="whole_new_code",
    claim="After an edit of a source file, what comes up again runs the new code.",
    points=1,
    judge=judge,
    needs=("new_code",),
    expected="the answer of the edited source",
    hint="What comes up must be built from this folder, each time.",
    wrong="""\
docker run -d -p 3000:3000 an-image-of-last-week
""",
    right="""\
docker build -t api . && docker run -d -p 3000:3000 api
""",
)
