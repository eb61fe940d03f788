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
_BAR_X: Final = 170
_BAR_WIDTH: Final = 300


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
    body = [part for position, bar in enumerate(bars) for part in _bar(bar, _TOP + _ROW * position)]
    height = _TOP + _ROW * len(bars) + 10
    return Drawing(svg=svg.document(height, title, words, body, aside=f"{seconds:.1f} s"), text=words)


def _bar(bar: Bar, y: float) -> Iterator[str]:
    yield svg.text(16, y + 17, bar.name, "strong")
    yield svg.rect(_BAR_X, y + 6, _BAR_WIDTH, 14, "quiet")
    if bar.share:
        yield svg.rect(_BAR_X, y + 6, _BAR_WIDTH * bar.share, 14, "goodbar" if bar.share == 1 else "askbar")
    yield svg.text(_BAR_X + _BAR_WIDTH + 12, y + 17, svg.shortened(_state(bar), 50), "small")


def _state(bar: Bar) -> str:
    return bar.doing if bar.share is None or bar.share == 1 else f"{bar.doing}, {bar.share:.0%}"


def _spoken(bar: Bar) -> str:
    return f"{bar.name}: {_state(bar)}"
