"""What a report shows beside its table: builds, layers, networks and volumes, drawn as the lessons draw them.

Enters: a noun of the evidence. Leaves: `Picture`, which keeps the noun, since what is kept is drawn anew wherever it is
shown, and a report that somebody has tampered with holds no drawing. Pure; may import `course`'s nouns and pictures.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from course.builds.model import BuildTrace
from course.images.layers import ImageLayers
from course.lab.lineage import Lineage
from course.lab.reach import Reach
from course.lab.setup import Setup
from course.saved import read

LIMIT: Final = 300_000
"""So many characters of JSON are a picture that somebody would look at; the given images take a tenth of it."""
PARTS_LIMIT: Final = 40
"""So are so many containers, or containers and volumes; a replay of a right answer has four."""
CHANGES_LIMIT: Final = 3_000
"""So are so many paths in an image's layers; busybox has four hundred."""


@dataclass(frozen=True, kw_only=True)
class Surveyed:
    """A set-up, and who reaches whom in it."""

    setup: Setup
    reaches: tuple[Reach, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


Shown = BuildTrace | ImageLayers | Surveyed | Lineage


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Something of a replay, to look at."""

    title: str
    shows: Shown

    @property
    def kind(self) -> str:
        """Which of `KINDS` it shows."""
        return next(name for name, kind in KINDS.items() if isinstance(self.shows, kind))

    def to_json(self) -> dict[str, Any]:
        """The title, and what it shows under the name of its kind; of a build without what its steps printed."""
        return {"title": self.title, self.kind: self.shows.to_json()}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Picture":
        """The picture that `to_json` wrote; raises `ValueError` where it is none."""
        for name, kind in KINDS.items():
            if name in data:
                return Picture(title=str(data["title"]), shows=read(kind, data[name]))
        raise ValueError(f"this is no picture: {', '.join(data)}")

    def to_html(self) -> str:
        """It stands still."""
        return f"<div style='margin:8px 0'>{_draw(self.title, self.shows)}</div>"


KINDS: Final[Mapping[str, type[BuildTrace] | type[ImageLayers] | type[Surveyed] | type[Lineage]]] = {
    "build": BuildTrace,
    "layers": ImageLayers,
    "networks": Surveyed,
    "volumes": Lineage,
}


def show(title: str, shows: Shown | None) -> Picture | None:
    """A picture, where there is something to show that is not too much to look at."""
    if shows is None or _is_too_much(shows) or len(json.dumps(shows.to_json())) > LIMIT:
        return None
    return Picture(title=title, shows=shows)


def _is_too_much(shows: Shown) -> bool:
    """Whether it would take long to draw, or even to count its characters."""
    match shows:
        case ImageLayers():
            return sum(len(layer.changes) for layer in shows.layers) > CHANGES_LIMIT
        case Surveyed():
            return len(shows.setup.containers) + len(shows.setup.networks) > PARTS_LIMIT
        case Lineage():
            return len(shows.containers) + len(shows.volumes) > PARTS_LIMIT
        case _:
            return False


def _draw(title: str, shows: Shown) -> str:
    # taking the pictures in takes a second, and few need them
    from course.widgets.layers import draw_layers
    from course.widgets.lineage import draw_lineage
    from course.widgets.network import draw_network
    from course.widgets.stack import draw_stack

    match shows:
        case BuildTrace():
            return draw_stack(shows, title=title).svg
        case ImageLayers():
            return draw_layers(shows, title=title).svg
        case Surveyed():
            return draw_network(shows.setup, shows.reaches, title=title).svg
        case Lineage():
            return draw_lineage(shows, title=title).svg
