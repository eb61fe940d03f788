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
_SLIM_ROW: Final = 42
_TOP: Final = 62
_FOOT: Final = 14
_BREAK: Final = 8
_BREAK_LINE: Final = 18
_BOLD: Final = 7.2
"""So wide is a letter of the break's sentence."""
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
    longest = max((row.step.seconds for row in rows if row.step), default=0.0)
    several = len({row.stage for row in rows}) > 1
    both = bool(predictions) and trace is not None

    def page(width: int) -> str:
        is_slim = width < svg.WIDTH
        draw_row = _row if not is_slim else _slim_row if trace else _slim_prediction
        row_height = _SLIM_ROW if is_slim and trace else ROW
        said = [] if broken is None else svg.wrapped(_break_words(rows[broken]), int((width - 34) / _BOLD))
        gap = _BREAK + _BREAK_LINE * len(said) if said else 0
        height = _TOP + row_height * len(rows) + gap + _FOOT
        body = list(_headings(width, both=both, sizes=bool(sizes_bytes)))
        y = float(height - _FOOT)
        for position, row in enumerate(rows):
            if position == broken:
                y -= gap
                fallen = max(n for n, one in enumerate(rows) if one.works) - position + 1
                body.extend(_break_line(said, y, width, y - row_height * fallen))
            y -= row_height
            parts = draw_row(row, y, longest, several=several, both=both)
            body.append(svg.group(row.key, _spoken(row), parts))
        aside = f"{trace.seconds:.1f} s" if trace else "predicted"
        return svg.document(width, height, title, words, body, aside=aside)

    panels = {row.key: _panel(row) for row in rows}
    return Drawing(svg=page(svg.WIDTH), slim=page(svg.SLIM), text=words, panels=panels)


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


def _headings(width: int, *, both: bool, sizes: bool) -> Iterator[str]:
    y = _TOP - 6
    is_slim = width < svg.WIDTH
    yield svg.text(44 if is_slim else 50, y, "line", "small faint", text_anchor="end")
    if both and not is_slim:
        yield svg.text(_PREDICTED_X, y, "predicted", "small faint")
        yield svg.text(_WORD_X, y, "what happened", "small faint")
    if sizes:
        yield svg.text(width - 26, y, "time, layer" if is_slim else "layer", "small faint", text_anchor="end")


def _row(row: Row, y: float, longest: float, *, several: bool, both: bool) -> Iterator[str]:
    mark, word, look = row.look
    middle = y + ROW / 2 + 4
    quiet = look == "quiet"
    room = _PREDICTED_X if both else _WORD_X
    yield svg.rect(16, y + 1.5, svg.WIDTH - 32, ROW - 3, look)
    yield svg.text(50, middle, row.line, "faint code", text_anchor="end")
    last, name = _last_words(row), _name(row, several=several)
    limit = (room - 80) * 10 // 73
    yield svg.text(66, middle - (6 if last else 0), name, "code faint" if quiet else "code", limit=limit)
    if last:
        yield svg.text(66, middle + 7, last, "faint small", limit=limit)
    if both:
        yield _agreement(row, _PREDICTED_X, middle)
    yield svg.text(_WORD_X, middle, f"{mark} {word}", "faint" if quiet else "")
    yield from _time(row, (_BAR_X, y + 9, _BAR_WIDTH, ROW - 18), longest, 780, middle)
    if row.size_bytes is not None:
        yield svg.text(svg.WIDTH - 26, middle, svg.megabytes(row.size_bytes), "faint small", text_anchor="end")


def _slim_row(row: Row, y: float, longest: float, *, several: bool, both: bool) -> Iterator[str]:
    """The line and its seconds; below them what happened, what was predicted, the bar and the size."""
    mark, word, look = row.look
    upper, lower, right = y + 17, y + 34, svg.SLIM - 26
    quiet = look == "quiet"
    yield svg.rect(16, y + 1.5, svg.SLIM - 32, _SLIM_ROW - 3, look)
    yield svg.text(44, upper, row.line, "faint code", text_anchor="end")
    yield svg.text(54, upper, _name(row, several=several), "code faint" if quiet else "code", limit=52)
    yield svg.text(54, lower, f"{mark} {word}", "faint" if quiet else "")
    last = _last_words(row)
    if last:
        yield svg.text(144, lower, last, "faint small", limit=(right - 144) // 6)
    elif both:
        yield _agreement(row, 144, lower, "predicted: ")
    bar = (300, y + 25, 0 if last else 120, 10)
    yield from _time(row, bar, longest, right, upper)
    if row.size_bytes is not None:
        yield svg.text(right, lower, svg.megabytes(row.size_bytes), "faint small", text_anchor="end")


def _slim_prediction(row: Row, y: float, longest: float, *, several: bool, both: bool) -> Iterator[str]:
    """Before a build there is only the line and what would happen."""
    mark, word, look = row.look
    middle = y + ROW / 2 + 4
    quiet = look == "quiet"
    yield svg.rect(16, y + 1.5, svg.SLIM - 32, ROW - 3, look)
    yield svg.text(44, middle, row.line, "faint code", text_anchor="end")
    yield svg.text(54, middle, _name(row, several=several), "code faint" if quiet else "code", limit=46)
    yield svg.text(404, middle, f"{mark} {word}", "faint" if quiet else "")


def _agreement(row: Row, x: float, y: float, said: str = "") -> str:
    """What was predicted, and whether it came true."""
    if row.prediction is None or row.prediction.verdict in (Verdict.METADATA, Verdict.NOT_NEEDED):
        return ""
    agreed = {True: "✓", False: "✗", None: ""}[row.came_true]
    predicted = VERDICT_LOOK[row.prediction.verdict][1]
    return svg.text(x, y, f"{said}{predicted} {agreed}", "broke strong" if agreed == "✗" else "faint")


def _time(row: Row, bar: tuple[float, float, float, float], longest: float, x: float, y: float) -> Iterator[str]:
    """A bar as long as the step took, in a place of which the `longest` fills all, and the seconds."""
    if not row.step or not row.works or row.step.status is Status.WAITING:
        return
    left, top, room, height = bar
    seconds = row.step.seconds
    if room:
        width = max(2.0, room * seconds / longest) if longest else 2.0
        yield svg.rect(left, top, width, height, "badbar" if row.look[2] == "bad" else "bar", rx=2)
    running = f"{seconds:.2f}" if row.step.status is Status.RUNNING else None
    yield svg.text(x, y, f"{seconds:.1f} s", text_anchor="end", data_seconds=running)


def _break_line(said: Sequence[str], y: float, width: float, top: float) -> Iterator[str]:
    """The break with its cause; at the left a line up to the `top` of all that it pulled down."""
    foot = y + _BREAK + _BREAK_LINE * len(said) - 4
    yield svg.line(9, foot, width - 16, foot, "breakline")
    yield svg.line(9, foot, 9, top + 1.5, "fallen")
    for number, one in enumerate(said):
        yield svg.text(18, y + 14 + _BREAK_LINE * number, one, "broke strong")


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


def _last_words(row: Row) -> str:
    """The last line that a running step has printed."""
    return row.step.log.rstrip().rpartition("\n")[2] if row.step and row.step.status is Status.RUNNING else ""


def _name(row: Row, *, several: bool) -> str:
    return f"{row.stage}: {_first_line(row)}" if several else _first_line(row)


def _first_line(row: Row) -> str:
    return (row.text.splitlines() or [""])[0]
