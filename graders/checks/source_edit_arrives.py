"""After an edit of a source file, the API answers with the new code."""

from graders.evidence import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """The edit puts a value into the answer of `GET /health` that no earlier build can have held."""
    expected = "the answer of the edited source"
    hint = "The source must be copied from the build's folder, in a step that sees every change."
    if evidence.problem or evidence.answer is None:
        return Finding(holds=False, expected=expected, actual=evidence.problem or "no answer", hint=hint)
    new = bool(evidence.edit) and evidence.edit in evidence.answer
    return Finding(holds=new, expected=expected, actual="the new code" if new else "the old code", hint=hint)


CHECK = Check(
    id="source_edit_arrives",
    claim="After an edit of a source file the API runs the new code.",
    points=1,
    judge=judge,
    needs=("cold",),
)
