"""After a model is added to the Prisma schema, the client in the image knows it."""

from graders.evidence.order import MODEL, OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """The generated client names its models."""
    known = f"it knows {', '.join(evidence.models)}" if evidence.models else "there is no client"
    return Finding(holds=MODEL in evidence.models, actual=known)


CHECK = Check(
    id="schema_edit_arrives",
    claim="After a model is added to the Prisma schema the client knows it.",
    points=1,
    judge=judge,
    needs=("models",),
    expected="the client knows a model that is added to the schema",
    hint="The step that generates the client must stand on the schema.",
    wrong="""\
RUN npx prisma generate   # before the schema is there
COPY prisma/ prisma/
""",
    right="""\
COPY prisma.config.ts ./
COPY prisma/ prisma/
RUN npx prisma generate
""",
)
