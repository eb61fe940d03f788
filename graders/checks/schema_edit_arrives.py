"""After a model is added to the Prisma schema, the client in the image knows it."""

from graders.evidence import MODEL, OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """The generated client names its models."""
    expected = f"the client knows the model {MODEL}, which was added to the schema"
    hint = "The step that generates the client must stand on the schema."
    trace = evidence.schema_edited
    if evidence.problem or trace is None:
        return Finding(holds=False, expected=expected, actual=evidence.problem or "no build", hint=hint)
    if trace.error:
        return Finding(holds=False, expected=expected, actual=f"the build fails: {trace.error}", hint=hint)
    known = MODEL in evidence.models
    seen = f"it knows {', '.join(evidence.models)}" if evidence.models else "there is no client"
    return Finding(holds=known, expected=expected, actual=seen, hint=hint)


CHECK = Check(
    id="schema_edit_arrives",
    claim="After a model is added to the Prisma schema the client knows it.",
    points=1,
    judge=judge,
    needs=("cold",),
)
