"""What lies about in the folder does not get into the image."""

from graders.checks.leaks import leak_finding
from graders.evidence.order import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """What is not sent to the engine is out; what is sent may still be left out by what is copied."""
    return leak_finding(evidence.planted)


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
