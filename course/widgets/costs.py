"""What a week of builds costs: for each Dockerfile how often which edit comes, how long its build takes, and the sum.

Enters: a `Cost` per Dockerfile, all under the same edits. Leaves: a `Drawing`. Pure; may import the nouns of
`course.cache` and its neighbours.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from course.cache.cost import Cost
from course.widgets import svg
from course.widgets.drawing import Drawing, Part

_ROW: Final = 24
_SLIM_ROW: Final = 42
_TOP: Final = 46
_HEAD: Final = 32
_BAR_X: Final = 440
_BAR_WIDTH: Final = 310
_SLIM_BAR_X: Final = 160


@dataclass(frozen=True, kw_only=True)
class EditKind:
    """Edits that make the same steps run in every Dockerfile: what they have in common, and how often they come."""

    path: str
    per_week: float
    positions: tuple[int, ...]


def edit_kinds(costs: Mapping[str, Cost]) -> tuple[EditKind, ...]:
    """Sort the edits by what they make run, the most frequent first."""
    every = list(costs.values())
    groups: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for position in range(len(every[0].edits)):
        groups.setdefault(tuple(one.edits[position].lines for one in every), []).append(position)
    kinds = [_kind(every[0], positions) for positions in groups.values()]
    return tuple(sorted(kinds, key=lambda kind: -kind.per_week))


def _kind(cost: Cost, positions: Sequence[int]) -> EditKind:
    edits = [cost.edits[position] for position in positions]
    shared = [path for path in edits[0].path.split(", ") if all(path in edit.path.split(", ") for edit in edits)]
    path = ", ".join(shared) or edits[0].path
    return EditKind(path=path, per_week=sum(edit.per_week for edit in edits), positions=tuple(positions))


def draw_costs(costs: Mapping[str, Cost], *, title: str = "A week of builds") -> Drawing:
    """The whole picture, a block for each Dockerfile."""
    kinds = edit_kinds(costs)
    longest = max(kind.per_week * _seconds(cost, kind) for cost in costs.values() for kind in kinds)
    words = "\n".join(_words(costs, kinds, title))
    minutes = [cost.minutes_per_week for cost in costs.values()]
    lost = max(minutes) - min(minutes)
    panels = {f"{name}/{kind.path}": _panel(name, cost, kind) for name, cost in costs.items() for kind in kinds}

    def page(width: int) -> str:
        row_height, draw_row = (_SLIM_ROW, _slim_row) if width < svg.WIDTH else (_ROW, _row)
        body: list[str] = []
        y = float(_TOP)
        for name, cost in costs.items():
            body.append(svg.text(16, y + 20, name, "strong"))
            body.append(svg.text(width - 16, y + 20, _minutes(cost.minutes_per_week), "strong", text_anchor="end"))
            y += _HEAD
            for kind in kinds:
                parts = draw_row(cost, kind, y, longest)
                body.append(svg.group(f"{name}/{kind.path}", _spoken(name, cost, kind), parts))
                y += row_height
        aside = f"{_minutes(lost)} lost" if len(minutes) > 1 else ""
        return svg.document(width, y + 12, title, words, body, aside=aside)

    return Drawing(svg=page(svg.WIDTH), slim=page(svg.SLIM), text=words, panels=panels)


def _row(cost: Cost, kind: EditKind, y: float, longest: float) -> Iterator[str]:
    seconds = _seconds(cost, kind)
    yield svg.rect(30, y + 1, svg.WIDTH - 46, _ROW - 2, "quiet")
    yield svg.text(38, y + 16, f"after an edit of {kind.path}", "small", limit=42)
    yield svg.text(_BAR_X - 12, y + 16, f"{kind.per_week:.0f} times {seconds:.1f} s", text_anchor="end")
    if seconds:
        width = max(2.0, _BAR_WIDTH * kind.per_week * seconds / longest)
        yield svg.rect(_BAR_X, y + 7, width, _ROW - 14, "bar", rx=2)
    minutes = kind.per_week * seconds / 60
    yield svg.text(svg.WIDTH - 26, y + 16, _minutes(minutes), "small", text_anchor="end")


def _slim_row(cost: Cost, kind: EditKind, y: float, longest: float) -> Iterator[str]:
    """The edit and the minutes; below them how often it comes, and the bar."""
    seconds = _seconds(cost, kind)
    right = svg.SLIM - 26
    yield svg.rect(16, y + 1, svg.SLIM - 32, _SLIM_ROW - 3, "quiet")
    yield svg.text(26, y + 16, f"after an edit of {kind.path}", limit=52)
    yield svg.text(right, y + 16, _minutes(kind.per_week * seconds / 60), text_anchor="end")
    yield svg.text(26, y + 33, f"{kind.per_week:.0f} times {seconds:.1f} s", "faint")
    if seconds:
        width = max(2.0, (right - _SLIM_BAR_X) * kind.per_week * seconds / longest)
        yield svg.rect(_SLIM_BAR_X, y + 24, width, 10, "bar", rx=2)


def _seconds(cost: Cost, kind: EditKind) -> float:
    return cost.edits[kind.positions[0]].seconds


def _minutes(minutes: float) -> str:
    return f"{minutes:.0f} min" if minutes >= 10 or not minutes else f"{minutes:.1f} min"


def _spoken(name: str, cost: Cost, kind: EditKind) -> str:
    seconds = _seconds(cost, kind)
    minutes = _minutes(kind.per_week * seconds / 60)
    return f"{name}, after an edit of {kind.path}: {kind.per_week:.0f} times {seconds:.1f} s, {minutes}"


def _panel(name: str, cost: Cost, kind: EditKind) -> tuple[Part, ...]:
    lines = cost.edits[kind.positions[0]].lines
    ran = f"Lines {', '.join(map(str, lines))} run." if lines else "Nothing runs."
    together = "\n".join(f"{cost.edits[n].per_week:6.1f} a week: {cost.edits[n].path}" for n in kind.positions)
    return (Part(heading=f"{name}: {ran}", text=together, code=True),)


def _words(costs: Mapping[str, Cost], kinds: Sequence[EditKind], title: str) -> Iterator[str]:
    yield title
    for name, cost in costs.items():
        yield f"{name}: {_minutes(cost.minutes_per_week)}"
        for kind in kinds:
            yield f"  {_spoken(name, cost, kind)}"
