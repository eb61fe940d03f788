"""After an edit of a source file, the step that installs the dependencies is reused."""

from graders.checks.reuse import reuse_finding
from graders.evidence.order import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """Which step installs is known by its effect: after it the dependencies load, before it they do not."""
    if evidence.rewritten:
        lines = " and ".join(f"line {line}" for line in evidence.rewritten)
        return Finding(holds=False, actual=f"{lines} wrote as much as an installation, after an edit of src/index.js")
    steps, edited = evidence.installs, "src/index.js"
    return reuse_finding(evidence.source_edited, steps, effect="installs the dependencies", edited=edited)


CHECK = Check(
    id="source_edit_keeps_install",
    claim="After an edit of a source file the dependencies are not installed again.",
    points=2,
    judge=judge,
    needs=("source_edited", "installs", "rewritten"),
    expected="the step that installs the dependencies is reused after an edit of src/index.js",
    hint="Which files does npm read? Copy only these before the step that installs.",
    wrong="""\
COPY . .
RUN npm ci
""",
    right="""\
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
""",
)
