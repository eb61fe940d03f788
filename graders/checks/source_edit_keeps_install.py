"""After an edit of a source file, the step that installs the dependencies is reused."""

from graders.checks.reuse import reuse_finding
from graders.evidence import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """Which step installs is known by its effect: after it the dependencies load, before it they do not."""
    return reuse_finding(
        evidence,
        evidence.source_edited,
        evidence.installs,
        edit="src/index.js",
        effect="installs the dependencies",
        hint="Which files does npm read? Copy only these before the step that installs.",
    )


CHECK = Check(
    id="source_edit_keeps_install",
    claim="After an edit of a source file the dependencies are not installed again.",
    points=2,
    judge=judge,
    needs=("cold",),
)
