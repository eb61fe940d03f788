"""A build as a cell's result: `show(trace)`.

Enters: a `BuildTrace`. Leaves: an object that a notebook displays as a picture, and a terminal as text.
"""

from dataclasses import dataclass

from course.builds.model import BuildTrace
from course.widgets.stack import stack_svg, stack_text


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture as SVG, and the text that says the same."""

    svg: str
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_svg_(self) -> str:
        return self.svg


def show(trace: BuildTrace, title: str = "The build") -> Picture:
    """The stack of a build: its base at the bottom, what was reused and what ran, and where it broke."""
    return Picture(svg=stack_svg(trace, title=title), text=stack_text(trace, title=title))
