"""No layer of the image holds something large that a later layer removes or replaces."""

from graders.checks.exchanges import of_a_working_image
from graders.evidence.layers import LayersEvidence
from graders.rubric import Check, Finding

LIMIT_BYTES = 100_000


def judge(evidence: LayersEvidence) -> Finding:
    """The base's files count as well: removing them makes nothing smaller."""
    total = sum(one.size_bytes for one in evidence.hidden)
    if total <= LIMIT_BYTES:
        return Finding(holds=True, actual="nothing that weighs is hidden")
    worst = max(evidence.hidden, key=lambda one: one.size_bytes)
    actual = f"{total / 1e6:.1f} MB that nobody sees, of them {worst.path} with {worst.size_bytes / 1e6:.1f} MB"
    return Finding(holds=False, actual=f"{actual}, stored by `{_first_line(worst.created_by)}`")


def _first_line(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else "?"
    return line if len(line) <= 80 else f"{line[:80]}..."


CHECK = Check(
    id="nothing_hidden_weighs",
    claim="No layer of your image holds something large that a later one removes or replaces.",
    points=2,
    judge=of_a_working_image(judge),
    needs=("edited", "hidden"),
    expected="at most 0.1 MB in files that a later layer removes or replaces",
    hint="A layer is kept as it was when its instruction ended. What must never weigh has to be gone by then.",
    wrong="""\
RUN collect visits.txt raw && tally raw > index.txt
RUN rm -r raw
""",
    right="""\
RUN collect visits.txt raw && tally raw > index.txt && rm -r raw
""",
)
