"""After an edit of README.md, neither the dependencies are installed nor the client is generated again."""

from graders.checks.reuse import reuse_finding
from graders.evidence.order import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """No program reads that file; a copy of it at the end does no harm."""
    installs = reuse_finding(evidence.readme_edited, evidence.installs, effect="installs", edited="README.md")
    generates = reuse_finding(evidence.readme_edited, evidence.generates, effect="generates", edited="README.md")
    return generates if installs.holds else installs


CHECK = Check(
    id="readme_edit_runs_nothing",
    claim="After an edit of README.md nothing expensive runs again.",
    points=1,
    judge=judge,
    needs=("readme_edited", "installs", "generates"),
    expected="the steps that install and generate are reused after an edit of README.md",
    hint="Which of the copied files does no step read? A pattern like `*.*` copies more than you think.",
    wrong="""\
COPY *.* ./
RUN npm ci
""",
    right="""\
COPY package.json package-lock.json ./
RUN npm ci
""",
)
