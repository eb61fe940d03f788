"""After an edit of a source file, the step that generates the Prisma client is reused."""

from graders.checks.reuse import reuse_finding
from graders.evidence.order import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """Which step generates is known by its effect: after it the client can be imported, before it not."""
    steps, edited = evidence.generates, "src/index.js"
    return reuse_finding(evidence.source_edited, steps, effect="generates the Prisma client", edited=edited)


CHECK = Check(
    id="source_edit_keeps_client",
    claim="After an edit of a source file the Prisma client is not generated again.",
    points=1,
    judge=judge,
    needs=("source_edited", "generates"),
    expected="the step that generates the Prisma client is reused after an edit of src/index.js",
    hint="Which files does `prisma generate` read? The source is not among them.",
    wrong="""\
COPY . .
RUN npx prisma generate
""",
    right="""\
COPY prisma.config.ts ./
COPY prisma/ prisma/
RUN npx prisma generate
COPY . .
""",
)
