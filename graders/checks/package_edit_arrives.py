"""After a package is added to package.json, it is in the image."""

from graders.evidence.order import LOCKED, OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """A cached install that no longer fits is fast and wrong; so is one that takes what happens to be the newest."""
    if evidence.added is None:
        return Finding(holds=False, actual="it is missing")
    if evidence.by_npm and evidence.added != LOCKED:
        hint = "package-lock.json says which versions work together. Where does the step that installs get it from?"
        return Finding(holds=False, actual=f"version {evidence.added}, the lock file says {LOCKED}", hint=hint)
    return Finding(holds=True, actual=f"version {evidence.added} is there")


CHECK = Check(
    id="package_edit_arrives",
    claim="After a package is added to package.json it is in the image, as the lock file has it.",
    points=1,
    judge=judge,
    needs=("added", "by_npm"),
    expected="a package that is added to package.json is in the image, in the version that package-lock.json names",
    hint="The step that installs must stand on package.json and package-lock.json, and install what they say.",
    wrong="""\
RUN npm install express @prisma/client   # a list of its own
""",
    right="""\
COPY package.json package-lock.json ./
RUN npm ci
""",
)
