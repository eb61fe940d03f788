"""What a picture is, before anybody looks at it: `Drawing(svg, slim, text, panels)`.

Enters: nothing. Leaves: the noun that all pictures share. Pure; imports no other room.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Part:
    """A paragraph of details under a picture; `code` keeps its lines as they are."""

    heading: str
    text: str
    code: bool = False


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A picture as SVG, the same for a narrow page and as text, and per key of the picture what is shown when it is
    picked.
    """

    svg: str
    slim: str = ""
    text: str
    panels: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.text

    def _repr_svg_(self) -> str:
        return self.svg
