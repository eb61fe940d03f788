"""What lies about in the folder does not get into the image."""

from graders.evidence.order import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """What is not sent to the engine is out; what is sent may still be left out by what is copied."""
    found = sorted({name.partition("/")[0] for name in evidence.planted})
    seen = f"{' and '.join(found)} of the folder" if found else "neither"
    return Finding(holds=not found, actual=seen)


CHECK = Check(
    id="nothing_leaks_in",
    claim="node_modules and .env of the folder stay out of the build.",
    points=1,
    judge=judge,
    needs=("planted",),
    expected="neither node_modules nor .env of the folder in the image",
    hint="`.dockerignore` names what the engine is not to see.",
    wrong="""\
# .dockerignore is empty, and the Dockerfile says
COPY . .
""",
    right="""\
# .dockerignore
node_modules
.env
""",
)
