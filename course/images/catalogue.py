"""The images that the course uses, and where each can come from.

Leaves: `CATALOGUE`. Pure; imports no other room.

To add one: an `Entry` here, and a folder in `recipes/` with a Dockerfile (and a function in `prepare.py` where the host
has to fetch something for it).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One image: its public `name` is also its reference in the registry.

    `recipe` is a folder in `recipes/`, `release` the Debian release that its packages come from. `stand_in` says what
    the recipe's image really is where it is not the real thing. `fetches` is whether builds on it download packages.
    """

    name: str
    purpose: str
    recipe: str
    release: str
    stand_in: str | None = None
    fetches: bool = True
    public: bool = True


MONGO_STAND_IN: Final = "nx-27017 from PyPI, which speaks MongoDB's protocol over SQLite; Debian has no MongoDB"

CATALOGUE: Final = (
    Entry(
        name="busybox:stable",
        purpose="the smallest Linux: lessons 01 and 02, network probes",
        recipe="busybox",
        release="trixie",
        fetches=False,
    ),
    Entry(name="node:24-slim", purpose="the API of lessons 03, 05 and 06", recipe="node", release="bookworm"),
    Entry(name="postgres:17", purpose="the API's database", recipe="postgres", release="trixie"),
    Entry(
        name="mongo:8", purpose="the database of lesson 04", recipe="mongo", release="trixie", stand_in=MONGO_STAND_IN
    ),
    Entry(name="redis:7", purpose="a store to experiment with", recipe="redis", release="bookworm"),
)


def debian(release: str) -> Entry:
    """The base that recipes build on; it has no public name, so that it is never taken for Debian's own image."""
    name = f"layer-by-layer/debian:{release}"
    return Entry(name=name, purpose="base of recipes", recipe="debian", release=release, public=False)
