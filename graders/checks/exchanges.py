"""What several checks ask: do the student's containers print what those of the given image print?"""

from collections.abc import Callable, Sequence

from graders.evidence.layers import Exchange, LayersEvidence
from graders.rubric import Finding

_SHOWN = 200
"""Characters of an answer that are shown."""


def exchange_finding(exchanges: Sequence[Exchange]) -> Finding:
    """Every answer must be the given image's, its exit status included."""
    for one in exchanges:
        if one.status is None:
            return Finding(holds=False, actual=f"{one.asked}: {one.printed}")
        if one.printed != one.wanted:
            actual = f"{one.asked} printed {_short(one.printed)}, the given image {_short(one.wanted)}"
            return Finding(holds=False, actual=actual)
        if one.status != one.wanted_status:
            actual = f"{one.asked} ended with status {one.status}, in the given image with {one.wanted_status}"
            return Finding(holds=False, actual=actual)
    return Finding(holds=True, actual="the same answers")


def of_a_working_image(judge: Callable[[LayersEvidence], Finding]) -> Callable[[LayersEvidence], Finding]:
    """A judge of the image's weight; an image that does not do its work is light for nothing."""

    def judge_working(evidence: LayersEvidence) -> Finding:
        if exchange_finding(evidence.edited).holds:
            return judge(evidence)
        hint = "First bring it to answer as the given image does, then make it light."
        return Finding(holds=False, actual="the image does not do its work, so its weight shows nothing", hint=hint)

    return judge_working


def _short(text: str) -> str:
    line = text.replace("\n", " / ")
    return repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}...") if line else "nothing"
