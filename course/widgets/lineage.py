"""Containers over time as lanes, volumes as threads below them: who wrote and read what, what died and what lived.

Enters: a `Lineage`. Leaves: a `Drawing`. Pure; may import `course.lab.lineage`'s nouns and its neighbours.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final

from course.lab.lineage import Deed, Lineage, Moment
from course.widgets import svg
from course.widgets.drawing import Drawing, Part

_TOP: Final = 50
_LANE: Final = 40
_THREAD: Final = 46
_LEFT: Final = {svg.WIDTH: 190, svg.SLIM: 130}
_RIGHT: Final = 80
_ON: Final = 8
"""So far what lives on is drawn past the last moment."""
_ROOM_FOR_END: Final = 104
_SAYS: Final = {
    Deed.CREATED: "created",
    Deed.STARTED: "started",
    Deed.STOPPED: "stopped",
    Deed.REMOVED: "removed",
    Deed.ENGINE_RESTARTED: "stopped with the engine",
}
_ROOM: Final = {
    Deed.CREATED: 0.35,
    Deed.STARTED: 0.35,
    Deed.STOPPED: 0.7,
    Deed.REMOVED: 0.6,
    Deed.WROTE: 1.3,
    Deed.READ: 1.3,
}
_RUNNING_UNTIL: Final = (Deed.STOPPED, Deed.ENGINE_RESTARTED, Deed.REMOVED)


def draw_lineage(lineage: Lineage, *, title: str = "What outlived its container") -> Drawing:
    """The whole picture, from left to right in the order of what was done."""
    words = "\n".join(_words(lineage, title))
    lost = len(lineage.lost)
    aside = f"{lost} note{'s' if lost > 1 else ''} lost" if lost else ""
    height = _TOP + _LANE * len(lineage.containers) + 12 + _THREAD * len(lineage.volumes) + 10
    wide, slim = (
        svg.document(width, height, title, words, _shapes(lineage, _Across(lineage.moments, width)), aside=aside)
        for width in (svg.WIDTH, svg.SLIM)
    )
    panels = {
        str(position): (Part(heading=_name(moment.container, moment.generation), text=_spoken(moment)),)
        for position, moment in _used(lineage)
    }
    return Drawing(svg=wide, slim=slim, text=words, panels=panels)


def _used(lineage: Lineage) -> list[tuple[int, Moment]]:
    """The moments at which something was written or read."""
    return [(n, one) for n, one in enumerate(lineage.moments) if one.deed in (Deed.WROTE, Deed.READ)]


def _shapes(lineage: Lineage, across: "_Across") -> Iterator[str]:
    lanes, threads = lineage.containers, lineage.volumes
    lane_y = {lane: _TOP + _LANE * (position + 0.5) for position, lane in enumerate(lanes)}
    first = _TOP + _LANE * len(lanes) + 12
    thread_y = {volume: first + _THREAD * (position + 0.5) for position, volume in enumerate(threads)}
    for position, moment in _used(lineage):  # behind all else
        x, y = across.at(position), lane_y[moment.container, moment.generation] + 12
        for volume in moment.volumes:
            yield svg.line(x, y, x, thread_y[volume], "rule", stroke_width=1.5)
    for volume, y in thread_y.items():
        yield from _thread(lineage, volume, y, across)
    for lane, y in lane_y.items():
        yield from _lane(lineage, lane, y, across)
    for position, moment in _used(lineage):
        y, look = lane_y[moment.container, moment.generation], "small" if across.is_slim else "small strong"
        parts = _mark(moment, across.at(position), y, thread_y, look)
        yield svg.group(str(position), _spoken(moment), parts)


class _Across:
    """Where in the picture a moment is; what is never written out takes less room."""

    def __init__(self, moments: Sequence[Moment], width: int) -> None:
        self.left, self.right = _LEFT[width], width - _RIGHT
        self.is_slim = width < svg.WIDTH
        ends = list(accumulate((_ROOM.get(moment.deed, 1.0) for moment in moments), initial=0.0))
        self._middles = [(begin + end) / 2 for begin, end in pairwise(ends)]
        self._unit = (self.right - self.left) / max(1.0, ends[-1])

    def at(self, position: int) -> float:
        return self.left + self._unit * self._middles[position]


def _lane(lineage: Lineage, lane: tuple[str, int], y: float, across: _Across) -> Iterator[str]:
    """A container: a box from its making to its removal, filled while it runs."""
    mine = [(n, one) for n, one in enumerate(lineage.moments) if (one.container, one.generation) == lane]
    begin, end = across.at(mine[0][0]), across.at(mine[-1][0])
    removed = mine[-1][1].deed is Deed.REMOVED
    right = end if removed else across.right + _ON
    if across.is_slim and lane[1] > 1:
        name, _, anew = _name(*lane).rpartition(", ")
        yield svg.text(16, y, name, "strong", limit=(across.left - 20) // 8)
        yield svg.text(16, y + 14, anew, "small faint")
    else:
        yield svg.text(16, y + 4, _name(*lane), "strong", limit=(across.left - 20) // 8)
    yield svg.rect(begin, y - 12, max(4.0, right - begin), 24, "quiet")
    started: float | None = None
    for position, moment in mine:
        if moment.deed is Deed.STARTED:
            started = across.at(position)
        elif moment.deed in _RUNNING_UNTIL and started is not None:
            yield svg.rect(started, y - 12, max(4.0, across.at(position) - started), 24, "good")
            started = None
    if started is not None:
        yield svg.rect(started, y - 12, max(4.0, right - started), 24, "good")
    for position, moment in mine:
        if moment.deed in (Deed.STOPPED, Deed.ENGINE_RESTARTED):
            yield svg.text(across.at(position), y - 15, "stop", "small faint halo", text_anchor="middle")
    if removed:
        yield svg.text(end + 4, y + 4, "✗ removed", "small broke halo")


def _thread(lineage: Lineage, volume: str, y: float, across: _Across) -> Iterator[str]:
    """A volume: a line from its first use to where it went."""
    mine = [(n, one) for n, one in enumerate(lineage.moments) if volume in one.volumes]
    gone = [n for n, one in mine if one.deed is Deed.REMOVED]
    begin = across.at(mine[0][0])
    end = across.at(gone[-1]) if gone else across.right + _ON
    look = "faintthread" if volume in lineage.anonymous else "thread"
    yield svg.text(16, y, volume, "strong", limit=(across.left - 20) // 7)
    yield svg.text(16, y + 14, "anonymous volume" if volume in lineage.anonymous else "named volume", "small faint")
    yield svg.line(begin, y, end, y, look, stroke_width=5, stroke_linecap="round")
    if gone and end + _ROOM_FOR_END > across.right + _RIGHT:
        yield svg.text(across.right + _RIGHT - 16, y + 18, "✗ gone with it", "small broke halo", text_anchor="end")
    elif gone:
        yield svg.text(end + 6, y + 4, "✗ gone with it", "small broke halo")
    else:
        yield svg.text(end + 8, y + 4, "✓ lives on", "small")


def _mark(moment: Moment, x: float, y: float, thread_y: dict[str, float], words_look: str) -> Iterator[str]:
    wrote = moment.deed is Deed.WROTE
    for volume in moment.volumes:
        bottom = thread_y[volume]
        yield svg.rect(x - 9, y - 10, 18, bottom - y + 18, "hit", fill="transparent")
        look = "bar" if wrote or not moment.notes else "goodbar"
        shape = "badbar" if not wrote and not moment.notes else look
        yield f"<circle{svg.attributes(cx=f'{x:.1f}', cy=f'{bottom:.1f}', r=6, class_=shape)}/>"
    words = "write" if wrote else f"read {len(moment.notes)}" if moment.notes else "nothing"
    yield svg.text(x, y + 4, words, words_look, text_anchor="middle")


def _words(lineage: Lineage, title: str) -> Iterator[str]:
    yield title
    for moment in lineage.moments:
        yield _spoken(moment)
    for note in lineage.lost:
        yield f"lost: {note}"


def _spoken(moment: Moment) -> str:
    who = _name(moment.container, moment.generation)
    if moment.deed is Deed.WROTE:
        to = f" to {', '.join(moment.volumes)}" if moment.volumes else ""
        return f"{who} wrote “{', '.join(moment.notes)}”{to}"
    if moment.deed is Deed.READ:
        found = f"found “{', '.join(moment.notes)}”" if moment.notes else "found nothing"
        return f"{who} {found}{_on(moment)}"
    with_it = f", and {', '.join(moment.volumes)} with it" if moment.deed is Deed.REMOVED and moment.volumes else ""
    on = _on(moment) if moment.deed is Deed.CREATED else ""
    return f"{who} {_SAYS[moment.deed]}{on}{with_it}"


def _on(moment: Moment) -> str:
    return f" on {', '.join(moment.volumes)}" if moment.volumes else ""


def _name(container: str, generation: int) -> str:
    return container if generation == 1 else f"{container}, made anew" + (f" ({generation})" if generation > 2 else "")
