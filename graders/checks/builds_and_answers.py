"""The image builds from nothing, its container starts, and the API answers `GET /health`."""

from graders.evidence import OrderEvidence
from graders.rubric import Check, Finding


def judge(evidence: OrderEvidence) -> Finding:
    """It answered after an edit of the source, so it also did before."""
    expected = "a container that answers GET /health on port 3000"
    hint = "Try `docker build .` in your folder, then `docker run` what it made, and read what it prints."
    if evidence.problem:
        return Finding(holds=False, expected=expected, actual=evidence.problem, hint=hint)
    if evidence.answer is None:
        return Finding(holds=False, expected=expected, actual=f"no answer; {evidence.log}", hint=hint)
    return Finding(holds='"ok"' in evidence.answer, expected=expected, actual=evidence.answer, hint=hint)


CHECK = Check(
    id="builds_and_answers",
    claim="The image builds from nothing, its container starts, and the API answers.",
    points=2,
    judge=judge,
    needs=("cold",),
)
