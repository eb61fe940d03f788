"""How far something is that takes more than a second: a bar for each thing, with what is being done.

Enters: `Bar`s. Leaves: a `Drawing`. Pure; may import its neighbours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from course.widgets import svg
from course.widgets.drawing import Drawing

_ROW: Final = 26
_TOP: Final = 46
_PLACES: Final = {svg.WIDTH: (170, 300), svg.SLIM: (160, 170)}
"""Per width of the picture where the bars begin, and how long they are."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One thing that is on its way; `total` is 0 while nobody knows it."""

    name: str
    doing: str = "waiting"
    done: int = 0
    total: int = 0

    @property
    def share(self) -> float | None:
        """From 0 to 1; None while nobody knows."""
        return min(1.0, self.done / self.total) if self.total else None


def draw_progress(bars: Sequence[Bar], *, title: str, seconds: float = 0.0) -> Drawing:
    """The whole picture."""
    words = "\n".join((title, *(_spoken(bar) for bar in bars)))
    height = _TOP + _ROW * len(bars) + 10

    def page(width: int) -> str:
        body = [part for position, bar in enumerate(bars) for part in _bar(bar, _TOP + _ROW * position, width)]
        return svg.document(width, height, title, words, body, aside=f"{seconds:.1f} s")

    return Drawing(svg=page(svg.WIDTH), slim=page(svg.SLIM), text=words)


def _bar(bar: Bar, y: float, width: int) -> Iterator[str]:
    x, room = _PLACES[width]
    yield svg.text(16, y + 17, bar.name, "strong", limit=(x - 16) * 10 // 76)
    yield svg.rect(x, y + 6, room, 14, "quiet")
    if bar.share:
        yield svg.rect(x, y + 6, room * bar.share, 14, "goodbar" if bar.share == 1 else "askbar")
    yield svg.text(x + room + 12, y + 17, _state(bar), "small", limit=(width - x - room - 28) // 6)


def _state(bar: Bar) -> str:
    return bar.doing if bar.share is None or bar.share == 1 else f"{bar.doing}, {bar.share:.0%}"


def _spoken(bar: Bar) -> str:
    return f"{bar.name}: {_state(bar)}"
