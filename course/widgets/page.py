"""What a card says where nothing is alive: plain HTML that GitHub keeps, and the same as text.

Enters: HTML and text. Leaves: a `Page`, which is shown like a picture's drawing. Pure; may import its neighbours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from course.widgets.drawing import Drawing


@dataclass(frozen=True, kw_only=True, repr=False)
class Page(Drawing):
    """A drawing without a picture."""

    html: str
    svg: str = ""

    def _repr_svg_(self) -> None:  # type: ignore[override]
        return None

    def _repr_html_(self) -> str:
        return f'<div class="lbl-still">{self.html}</div>'


def listed(items: Iterable[str]) -> str:
    """A list of pieces of HTML."""
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of words."""

    def row(tag: str, cells: Iterable[str]) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

    body = "".join(row("td", cells) for cells in rows)
    return f"<table><thead>{row('th', heading)}</thead><tbody>{body}</tbody></table>"
