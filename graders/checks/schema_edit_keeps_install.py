"""After an edit of the Prisma schema, the step that installs the dependencies is reused."""

from graders.checks.reuse import reuse_finding
from graders.evidence import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """npm does not read the schema."""
    return reuse_finding(
        evidence,
        evidence.schema_edited,
        evidence.installs,
        edit="prisma/schema.prisma",
        effect="installs the dependencies",
        hint="The schema changes more often than the packages: copy it after they are installed.",
    )


CHECK = Check(
    id="schema_edit_keeps_install",
    claim="After an edit of the Prisma schema the dependencies are not installed again.",
    points=1,
    judge=judge,
    needs=("cold",),
)
