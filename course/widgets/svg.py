"""The few shapes of which the pictures are drawn, as SVG text.

Enters: numbers and words. Leaves: SVG. Pure; may import its neighbour `style`.
"""

import textwrap
from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape as _escape
from xml.sax.saxutils import quoteattr

from course.widgets.style import static_style

WIDTH: Final = 860
SLIM: Final = 520
"""Every picture is drawn a second time for a narrow page, where the first would be too small to read."""
_SLIM_AT_MOST: Final = 600
_TITLE_LETTER: Final = 9.4
_ASIDE: Final = 20
_CONTROLS: Final = {code: "\N{REPLACEMENT CHARACTER}" for code in range(32) if chr(code) not in "\t\n\r"}


def escape(words: object) -> str:
    """Words as XML's text; control characters, which XML cannot hold, are marked."""
    return _escape(str(words).translate(_CONTROLS))


def attributes(**named: object) -> str:
    """` key="value"` for each that is not None; `_` at the end of a name is left out, others become `-`."""
    return "".join(
        f" {name.rstrip('_').replace('_', '-')}={quoteattr(str(value).translate(_CONTROLS))}"
        for name, value in named.items()
        if value is not None
    )


def text(x: float, y: float, words: object, look: str = "", *, limit: int | None = None, **more: object) -> str:
    """One line of words with its baseline at `y`; what is longer than `limit` is cut, and all of it is the tooltip."""
    whole = str(words)
    shown = whole if limit is None else shortened(whole, max(2, limit))
    tip = "" if shown == whole else f"<title>{escape(whole)}</title>"
    return f"<text{attributes(x=_number(x), y=_number(y), class_=look or None, **more)}>{tip}{escape(shown)}</text>"


def rect(x: float, y: float, width: float, height: float, look: str, **more: object) -> str:
    """A box with slightly round corners."""
    sizes = attributes(x=_number(x), y=_number(y), width=_number(width), height=_number(height))
    return f"<rect{sizes}{attributes(**{'rx': 4, 'class_': look, **more})}/>"


def line(x1: float, y1: float, x2: float, y2: float, look: str, **more: object) -> str:
    """A straight line."""
    ends = attributes(x1=_number(x1), y1=_number(y1), x2=_number(x2), y2=_number(y2))
    return f"<line{ends}{attributes(class_=look, **more)}/>"


def group(key: str | None, label: str, parts: Iterable[str], **more: object) -> str:
    """Shapes that belong together; with a `key` a reader can pick them, and `label` is what is read aloud."""
    return f"<g{attributes(data_key=key, aria_label=label or None, **more)}>{''.join(parts)}</g>"


def only_when(keys: Iterable[str], parts: Iterable[str], **more: object) -> str:
    """Shapes that a live picture shows only while one of `keys` is pointed at; a static one never."""
    return f"<g{attributes(data_of=' '.join(keys), visibility='hidden', **more)}>{''.join(parts)}</g>"


def document(width: int, height: float, title: str, words: str, body: Iterable[str], *, aside: str = "") -> str:
    """A whole picture: its title, what it says in words, a word at the right (or below), and the shapes."""
    letters = int((width - 32) / _TITLE_LETTER)
    below = bool(aside) and len(title) + len(aside) > letters - 2
    word = text(16, 28 + _ASIDE, aside, "title") if below else text(width - 16, 28, aside, "title", text_anchor="end")
    shapes = "".join(body)
    if below:
        height, shapes = height + _ASIDE, group(None, "", (shapes,), transform=f"translate(0 {_ASIDE})")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="lbl" viewBox="0 0 {width} {_number(height)}" '
        f'style="max-width:{WIDTH if width == WIDTH else _SLIM_AT_MOST}px;width:100%;height:auto" '
        f'role="img"{_label(words)}>'
        f"<title>{escape(title)}</title><style>{static_style()}</style>"
        f"{rect(0.5, 0.5, width - 1, height - 1, 'paper', rx=8)}"
        f"{text(16, 28, title, 'title', limit=letters)}{word}{shapes}</svg>"
    )


def shortened(words: str, limit: int) -> str:
    """At most `limit` characters, the last an ellipsis where some were left out."""
    return words if len(words) <= limit else words[: limit - 1] + "…"


def wrapped(words: str, limit: int) -> list[str]:
    """Lines of at most `limit` characters."""
    return textwrap.wrap(words, limit, break_on_hyphens=False)


def megabytes(size_bytes: int) -> str:
    """A size for people: 1.2 MB, 34 kB, 5 B."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= factor:
            return (
                f"{size_bytes / factor:.1f} {unit}" if size_bytes < 100 * factor else f"{size_bytes // factor} {unit}"
            )
    return f"{size_bytes} B"


def _label(words: str) -> str:
    return f" aria-label={quoteattr(words.translate(_CONTROLS), {chr(10): '&#10;'})}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
