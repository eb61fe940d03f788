"""The stack of a build: from the base at the bottom up, what was reused, what ran, and where it broke.

Enters: a `BuildTrace`, predictions, or both. Leaves: a `Drawing`. Pure; may import the nouns of `course.builds` and
`course.cache`, and its neighbours.

Each status has a colour, a mark and a word: never the colour alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from course.builds.model import BuildTrace, Status, StepTrace
from course.cache.nouns import Prediction, Verdict
from course.widgets import svg
from course.widgets.drawing import Drawing, Part

ROW: Final = 30
_TOP: Final = 62
_FOOT: Final = 14
_BREAK: Final = 26
_PREDICTED_X: Final = 440
_WORD_X: Final = 525
_BAR_X: Final = 625
_BAR_WIDTH: Final = 96
_LOG_LINES: Final = 40

LOOK: Final = {
    Status.REUSED: ("✓", "reused", "good"),
    Status.RAN: ("▶", "ran", "work"),
    Status.FAILED: ("✗", "failed", "bad"),
    Status.NOT_NEEDED: ("·", "not needed", "quiet"),
    Status.METADATA: ("-", "metadata", "quiet"),
    Status.WAITING: ("·", "waiting", "quiet"),
    Status.RUNNING: ("▶", "running", "work"),
}
"""Per status its mark, its word and its class in the picture."""
VERDICT_LOOK: Final = {
    Verdict.HIT: ("✓", "reuse", "good"),
    Verdict.MISS: ("▶", "run", "work"),
    Verdict.DEPENDS: ("?", "depends", "ask"),
    Verdict.NOT_NEEDED: ("·", "not needed", "quiet"),
    Verdict.METADATA: ("-", "metadata", "quiet"),
}
"""The same for what is predicted."""
_CAME_TRUE: Final = {
    Verdict.HIT: (Status.REUSED,),
    Verdict.MISS: (Status.RAN, Status.FAILED, Status.RUNNING),
    Verdict.NOT_NEEDED: (Status.NOT_NEEDED,),
    Verdict.METADATA: (Status.METADATA,),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A step as the picture shows it: what was predicted of it, what became of it, or both."""

    stage: str
    index: int
    line: int
    text: str
    step: StepTrace | None = None
    prediction: Prediction | None = None
    size_bytes: int | None = None

    @property
    def key(self) -> str:
        """The name of the row in the picture."""
        return f"{self.stage}/{self.index}"

    @property
    def look(self) -> tuple[str, str, str]:
        """Mark, word and class: of what happened, or before that of what is predicted."""
        if self.step:
            return LOOK[self.step.status]
        return VERDICT_LOOK[self.prediction.verdict] if self.prediction else LOOK[Status.WAITING]

    @property
    def works(self) -> bool:
        """Whether it was run, or will be."""
        if self.step and self.step.status is not Status.WAITING:
            return self.step.status in (Status.RAN, Status.FAILED, Status.RUNNING)
        return self.prediction is not None and self.prediction.verdict is Verdict.MISS

    @property
    def is_reused(self) -> bool:
        """Whether it was reused, or will be."""
        if self.step and self.step.status is not Status.WAITING:
            return self.step.status is Status.REUSED
        return self.prediction is not None and self.prediction.verdict is Verdict.HIT

    @property
    def came_true(self) -> bool | None:
        """Whether the prediction and the result agree; None while one of them is missing or left it open."""
        if not self.step or not self.prediction or self.step.status is Status.WAITING:
            return None
        expected = _CAME_TRUE.get(self.prediction.verdict)
        return None if expected is None else self.step.status in expected


def draw_stack(
    trace: BuildTrace | None,
    *,
    predictions: Sequence[Prediction] = (),
    sizes_bytes: Mapping[str, int] | None = None,
    title: str = "The build",
) -> Drawing:
    """The whole picture; `sizes_bytes` are of layers, by the key `stage/index` of the step that made them."""
    rows = make_rows(trace, predictions, sizes_bytes or {})
    broken = the_break(rows)
    words = _words(rows, broken, trace, title)
    height = _TOP + ROW * len(rows) + (_BREAK if broken is not None else 0) + _FOOT
    longest = max((row.step.seconds for row in rows if row.step), default=0.0)
    several = len({row.stage for row in rows}) > 1
    both = bool(predictions) and trace is not None
    body = list(_headings(both=both, sizes=bool(sizes_bytes)))
    y = float(height - _FOOT)
    for position, row in enumerate(rows):
        if position == broken:
            y -= _BREAK
            body.extend(_break_line(row, y, fallen=max(n for n, one in enumerate(rows) if one.works) - position + 1))
        y -= ROW
        parts = _row(row, y, longest, several=several, both=both)
        body.append(svg.group(row.key, _spoken(row), parts))
    aside = f"{trace.seconds:.1f} s" if trace else "predicted"
    return Drawing(
        svg=svg.document(height, title, words, body, aside=aside),
        text=words,
        panels={row.key: _panel(row) for row in rows},
    )


def make_rows(
    trace: BuildTrace | None, predictions: Sequence[Prediction], sizes_bytes: Mapping[str, int]
) -> tuple[Row, ...]:
    """A row for each step, in the file's order."""
    by_key = {(one.step.stage, one.step.index): one for one in predictions}
    steps: Sequence[StepTrace] = trace.steps if trace else ()
    if not steps:
        refs = [one.step for one in predictions]
        return tuple(
            Row(stage=ref.stage, index=ref.index, line=ref.line, text=ref.text, prediction=one)
            for ref, one in zip(refs, predictions, strict=True)
        )
    return tuple(
        Row(
            stage=step.stage,
            index=step.index,
            line=step.line,
            text=step.text,
            step=step,
            prediction=by_key.get((step.stage, step.index)),
            size_bytes=sizes_bytes.get(f"{step.stage}/{step.index}"),
        )
        for step in steps
    )


def the_break(rows: Sequence[Row]) -> int | None:
    """The position of the first step that was not reused, when something below it was; None when nothing broke."""
    worked = [position for position, row in enumerate(rows) if row.works]
    return worked[0] if worked and any(row.is_reused for row in rows[: worked[0]]) else None


def _words(rows: Sequence[Row], broken: int | None, trace: BuildTrace | None, title: str) -> str:
    """The same in words, in the file's order."""
    lines = [f"{title}: {trace.seconds:.1f} s" if trace else f"{title}: predicted"]
    for position, row in enumerate(rows):
        if position == broken:
            lines.append(f"--- {_break_words(row)} ---")
        mark, word, _ = row.look
        seconds = f"{row.step.seconds:6.1f} s" if row.step and row.step.seconds else " " * 8
        surprise = f"  (predicted: {_predicted(row)[1]})" if row.came_true is False else ""
        lines.append(f"{row.line:4} {mark} {word:10} {seconds}  {_first_line(row)}{surprise}")
    if trace and trace.error:
        lines.append(f"The build failed: {trace.error}")
    return "\n".join(lines)


def _headings(*, both: bool, sizes: bool) -> Iterator[str]:
    y = _TOP - 6
    yield svg.text(50, y, "line", "small faint", text_anchor="end")
    if both:
        yield svg.text(_PREDICTED_X, y, "predicted", "small faint")
        yield svg.text(_WORD_X, y, "what happened", "small faint")
    if sizes:
        yield svg.text(svg.WIDTH - 26, y, "layer", "small faint", text_anchor="end")


def _row(row: Row, y: float, longest: float, *, several: bool, both: bool) -> Iterator[str]:
    mark, word, look = row.look
    middle = y + ROW / 2 + 4
    quiet = look == "quiet"
    name = f"{row.stage}: {_first_line(row)}" if several else _first_line(row)
    room = _PREDICTED_X if both else _WORD_X
    yield svg.rect(16, y + 1.5, svg.WIDTH - 32, ROW - 3, look)
    yield svg.text(50, middle, row.line, "faint code", text_anchor="end")
    last = row.step.log.rstrip().rpartition("\n")[2] if row.step and row.step.status is Status.RUNNING else ""
    limit = (room - 80) * 10 // 73
    yield svg.text(66, middle - (6 if last else 0), svg.shortened(name, limit), "code faint" if quiet else "code")
    if last:
        yield svg.text(66, middle + 7, svg.shortened(last, limit), "faint small")
    if both and row.prediction and row.prediction.verdict not in (Verdict.METADATA, Verdict.NOT_NEEDED):
        agreed = {True: "✓", False: "✗", None: ""}[row.came_true]
        predicted = VERDICT_LOOK[row.prediction.verdict][1]
        yield svg.text(_PREDICTED_X, middle, f"{predicted} {agreed}", "broke strong" if agreed == "✗" else "faint")
    yield svg.text(_WORD_X, middle, f"{mark} {word}", "faint" if quiet else "")
    if row.step and row.works:
        seconds = row.step.seconds
        width = max(2.0, _BAR_WIDTH * seconds / longest) if longest else 2.0
        yield svg.rect(_BAR_X, y + 9, width, ROW - 18, "badbar" if look == "bad" else "bar", rx=2)
        running = f"{seconds:.2f}" if row.step.status is Status.RUNNING else None
        yield svg.text(780, middle, f"{seconds:.1f} s", text_anchor="end", data_seconds=running)
    if row.size_bytes is not None:
        yield svg.text(svg.WIDTH - 26, middle, svg.megabytes(row.size_bytes), "faint small", text_anchor="end")


def _break_line(row: Row, y: float, *, fallen: int) -> Iterator[str]:
    """The break with its cause; at the left a line along the `fallen` rows, this one and all that it pulled down."""
    foot = y + _BREAK - 4
    yield svg.line(9, foot, svg.WIDTH - 16, foot, "breakline")
    yield svg.line(9, foot, 9, y - ROW * fallen + 1.5, "fallen")
    yield svg.text(18, y + 14, svg.shortened(_break_words(row), 115), "broke strong")


def _break_words(row: Row) -> str:
    words = f"the break: line {row.line} is the first that could not be reused"
    return f"{words}: {row.prediction.reason}" if row.prediction and row.prediction.reason else words


def _predicted(row: Row) -> tuple[str, str]:
    assert row.prediction
    mark, word, _ = VERDICT_LOOK[row.prediction.verdict]
    return mark, word


def _spoken(row: Row) -> str:
    seconds = f", {row.step.seconds:.1f} seconds" if row.step and row.step.seconds else ""
    return f"line {row.line}, {_first_line(row)}: {row.look[1]}{seconds}"


def _panel(row: Row) -> tuple[Part, ...]:
    parts = [Part(heading=f"Line {row.line}", text=row.text, code=True)]
    if row.prediction:
        why = f": {row.prediction.reason}" if row.prediction.reason else ""
        parts.append(Part(heading="Predicted", text=f"{_predicted(row)[1]}{why}"))
    if row.step:
        seconds = f", in {row.step.seconds:.1f} s" if row.step.seconds else ""
        parts.append(Part(heading="What happened", text=f"{row.look[1]}{seconds}"))
        if row.step.error:
            parts.append(Part(heading="Error", text=row.step.error, code=True))
        if row.step.log.strip():
            tail = "\n".join(row.step.log.rstrip().splitlines()[-_LOG_LINES:])
            parts.append(Part(heading="What it printed", text=tail, code=True))
    return tuple(parts)


def _first_line(row: Row) -> str:
    return (row.text.splitlines() or [""])[0]
