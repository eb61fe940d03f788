"""After an edit of the Prisma schema, the step that installs the dependencies is reused."""

from graders.checks.reuse import reuse_finding
from graders.evidence.order import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """npm does not read the schema."""
    steps, edited = evidence.installs, "prisma/schema.prisma"
    return reuse_finding(evidence.schema_edited, steps, effect="installs the dependencies", edited=edited)


CHECK = Check(
    id="schema_edit_keeps_install",
    claim="After an edit of the Prisma schema the dependencies are not installed again.",
    points=1,
    judge=judge,
    needs=("schema_edited", "installs"),
    expected="the step that installs the dependencies is reused after an edit of prisma/schema.prisma",
    hint="The schema changes more often than the packages: copy it after they are installed.",
    wrong="""\
COPY package.json package-lock.json ./
COPY prisma/ prisma/
RUN npm ci
""",
    right="""\
COPY package.json package-lock.json ./
RUN npm ci
COPY prisma/ prisma/
""",
)
