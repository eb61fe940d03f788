"""After a package is added to package.json, it is in the image."""

from graders.evidence.order import PACKAGE, OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """A cached install that no longer fits is fast and wrong."""
    there = PACKAGE in evidence.packages
    return Finding(holds=there, actual="it is there" if there else "it is missing")


CHECK = Check(
    id="package_edit_arrives",
    claim="After a package is added to package.json it is in the image.",
    points=1,
    judge=judge,
    needs=("packages",),
    expected="a package that is added to package.json and its lock file can be loaded in the image",
    hint="The step that installs must stand on package.json and package-lock.json, and install what they say.",
    wrong="""\
RUN npm install express @prisma/client   # a list of its own
""",
    right="""\
COPY package.json package-lock.json ./
RUN npm ci
""",
)
