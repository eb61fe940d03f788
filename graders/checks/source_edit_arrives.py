"""After an edit of a source file, the API answers with the new code."""

from graders.evidence.order import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """The edit puts a value into the answer of `GET /health` that no earlier build can have held."""
    if evidence.answer is None:
        return Finding(holds=False, actual=f"no answer: {evidence.log}")
    new = evidence.edit in evidence.answer
    return Finding(holds=new, actual="the new code" if new else "the old code")


CHECK = Check(
    id="source_edit_arrives",
    claim="After an edit of a source file the API runs the new code.",
    points=1,
    judge=judge,
    needs=("answer", "edit", "log"),
    expected="the answer of the edited source",
    hint="The source must be copied from the build's folder, in a step that sees every change.",
    wrong="""\
RUN git clone https://example.org/api .   # the same code for ever
""",
    right="""\
COPY . .
""",
)
