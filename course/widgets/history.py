"""Builds over time: a column for each build, a row for each step, and what it cost to build in another order.

Enters: `Built`s, of one Dockerfile or of several over the same edits. Leaves: a `Drawing`. Pure; may import the nouns
of `course.builds` and its neighbours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from course.builds.model import BuildTrace, Status, StepTrace
from course.widgets import svg
from course.widgets.drawing import Drawing, Part
from course.widgets.stack import LOOK

_ROW: Final = 24
_TOP: Final = 46
_HEAD: Final = 40
_SUM: Final = 40
_CELLS_X: Final = 330
_LEAST_X: Final = 190
"""Where the cells begin at the very left, in a narrow picture with many."""
_WIDEST: Final = 110
_SLIM_CELL: Final = 88
_NARROW: Final = 46
"""A cell that is less wide than this has no seconds."""
_WORKED: Final = (Status.RAN, Status.FAILED)


@dataclass(frozen=True, kw_only=True)
class Built:
    """One build: with which Dockerfile, after which edit (None for the first), and what it did."""

    dockerfile: str
    edit: str | None
    trace: BuildTrace


def lost_seconds(builds: Sequence[Built]) -> float:
    """How much longer the rebuilds with the slowest Dockerfile took than those with the fastest, summed over the edits.
    0 when there is one Dockerfile, or they were not edited alike.
    """
    series = _by_dockerfile(builds)
    edits = {tuple(build.edit for build in one if build.edit) for one in series.values()}
    sums = [sum(build.trace.seconds for build in one if build.edit) for one in series.values()]
    return max(sums) - min(sums) if len(edits) == 1 and len(sums) > 1 else 0.0


def draw_history(builds: Sequence[Built], *, title: str = "The builds") -> Drawing:
    """The whole picture, a block for each Dockerfile."""
    series = _by_dockerfile(builds)
    columns = max((len(one) for one in series.values()), default=1)
    longest = max((build.trace.seconds for build in builds), default=0.0)
    lost = lost_seconds(builds)
    words = "\n".join(_words(series, lost, title))
    panels: dict[str, tuple[Part, ...]] = {}

    def page(width: int) -> str:
        left = min(_CELLS_X, max(_LEAST_X, width - 16 - _SLIM_CELL * columns)) if width < svg.WIDTH else _CELLS_X
        cell = min(_WIDEST, (width - 16 - left) / columns)
        body: list[str] = []
        y = float(_TOP)
        for name, one in series.items():
            body.extend(_block(name, one, y, left, cell, panels))
            body.extend(_sums(one, y + _HEAD + _ROW * len(_steps(one)), left, cell, longest))
            y += _HEAD + _ROW * len(_steps(one)) + _SUM
        aside = f"{lost:.1f} s lost to the slower Dockerfile" if lost else ""
        return svg.document(width, y + 4, title, words, body, aside=aside)

    return Drawing(svg=page(svg.WIDTH), slim=page(svg.SLIM), text=words, panels=panels)


def _block(
    name: str, builds: Sequence[Built], top: float, left: float, width: float, panels: dict[str, tuple[Part, ...]]
) -> Iterator[str]:
    yield svg.text(16, top + 24, name, "strong")
    steps = _steps(builds)
    for column, build in enumerate(builds):
        x = left + column * width
        label = "first" if build.edit is None else build.edit.rpartition("/")[2]
        yield svg.text(x + 4, top + 30, label, "small faint", limit=int((width - 10) / 6.4))
        y = top + _HEAD
        for step in steps:
            found = _matching(build.trace, step)
            key = f"{name}/{column}/{step.stage}/{step.index}"
            yield svg.group(key, _spoken(name, label, step, found), _cell(found, x, y, width))
            panels[key] = _panel(build, found, step)
            y += _ROW
    y = top + _HEAD
    for step in steps:
        yield svg.text(40, y + 16, step.line, "faint code", text_anchor="end")
        yield svg.text(50, y + 16, step.text.splitlines()[0], "code", limit=int((left - 56) / 7.3))
        y += _ROW


def _sums(builds: Sequence[Built], top: float, left: float, width: float, longest: float) -> Iterator[str]:
    """Below each column how long the build took, as a bar on one scale for the whole picture, and in seconds."""
    for column, build in enumerate(builds):
        x, seconds = left + column * width, build.trace.seconds
        yield svg.rect(x + 1, top + 6, max(1.0, (width - 2) * seconds / longest) if longest else 1.0, 6, "bar", rx=2)
        if width >= _NARROW:
            yield svg.text(x + 1, top + 28, f"{seconds:.1f} s", "strong")


def _cell(step: StepTrace | None, x: float, y: float, width: float) -> Iterator[str]:
    if step is None:
        yield svg.rect(x + 1, y + 1, width - 2, _ROW - 2, "quiet")
        return
    mark, _, look = LOOK[step.status]
    yield svg.rect(x + 1, y + 1, width - 2, _ROW - 2, look)
    yield svg.text(x + 8, y + 16, mark)
    if step.status in _WORKED and width >= _NARROW:
        yield svg.text(x + width - 8, y + 16, f"{step.seconds:.1f}", "small", text_anchor="end")


def _panel(build: Built, found: StepTrace | None, step: StepTrace) -> tuple[Part, ...]:
    after = f"after an edit of {build.edit}" if build.edit else "the first build, without cache"
    if found is None:
        return (Part(heading=after, text="This build had no such step."),)
    seconds = f" in {found.seconds:.1f} s" if found.status in _WORKED else ""
    return (
        Part(heading=f"{build.dockerfile}, {after}: {LOOK[found.status][1]}{seconds}", text=step.text, code=True),
        *((Part(heading="Error", text=found.error, code=True),) if found.error else ()),
    )


def _words(series: dict[str, list[Built]], lost: float, title: str) -> Iterator[str]:
    yield title
    for name, builds in series.items():
        for build in builds:
            ran = [str(step.line) for step in build.trace.steps if step.status in _WORKED]
            after = f"after an edit of {build.edit}" if build.edit else "first"
            worked = f"ran lines {', '.join(ran)}" if ran else "ran nothing"
            yield f"{name}, {after}: {build.trace.seconds:.1f} s, {worked}"
    if lost:
        yield f"{lost:.1f} s lost to the slower Dockerfile"


def _by_dockerfile(builds: Sequence[Built]) -> dict[str, list[Built]]:
    series: dict[str, list[Built]] = {}
    for build in builds:
        series.setdefault(build.dockerfile, []).append(build)
    return series


def _steps(builds: Sequence[Built]) -> tuple[StepTrace, ...]:
    """The rows: the steps of the last build that worked to the end, or of the last one."""
    whole = [build.trace for build in builds if not build.trace.error] or [build.trace for build in builds]
    return tuple(step for step in whole[-1].steps if step.status is not Status.METADATA)


def _matching(trace: BuildTrace, step: StepTrace) -> StepTrace | None:
    same = [one for one in trace.steps if (one.stage, one.text) == (step.stage, step.text)]
    return min(same, key=lambda one: abs(one.index - step.index), default=None)


def _spoken(name: str, label: str, step: StepTrace, found: StepTrace | None) -> str:
    return f"{name}, {label}, line {step.line}: {LOOK[found.status][1] if found else 'not there'}"
