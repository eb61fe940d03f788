"""What several checks ask: is the number that was answered the one that the given image shows?"""

import math

from graders.evidence.layers import ANSWERS, LayersEvidence
from graders.rubric import Finding


def answer_finding(evidence: LayersEvidence, name: str, right: float, *, tolerance: float = 0) -> Finding:
    """`tolerance` is the part by which the number may be off. A number in quotes is one; what is right is not told."""
    if evidence.answers.get(name) is None:
        return Finding(holds=False, actual=f"{ANSWERS} has no {name} yet")
    number = _number(evidence.answers[name])
    if number is None:
        return Finding(holds=False, actual=f"{name} in {ANSWERS} is not a number")
    return Finding(holds=abs(number - right) <= tolerance * right, actual=f"{name} is {number:g}")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
