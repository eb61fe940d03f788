"""After an edit of a source file, the step that generates the Prisma client is reused."""

from graders.checks.reuse import reuse_finding
from graders.evidence import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """Which step generates is known by its effect: after it the client can be imported, before it not."""
    return reuse_finding(
        evidence,
        evidence.source_edited,
        evidence.generates,
        edit="src/index.js",
        effect="generates the Prisma client",
        hint="Which files does `prisma generate` read? The source is not among them.",
    )


CHECK = Check(
    id="source_edit_keeps_client",
    claim="After an edit of a source file the Prisma client is not generated again.",
    points=1,
    judge=judge,
    needs=("cold",),
)
