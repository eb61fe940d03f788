"""The course's images: `ensure(client)` makes them present, from a registry, a bundle or packages."""

from course.images.bundle import bundle, load
from course.images.catalogue import CATALOGUE, Entry
from course.images.ensure import Origin, Progress, Row, ensure, find, listing
from course.images.prepare import missing_tools
from course.images.registry import pull_quota, registry_reachable

__all__ = [
    "CATALOGUE",
    "Entry",
    "Origin",
    "Progress",
    "Row",
    "bundle",
    "ensure",
    "find",
    "listing",
    "load",
    "missing_tools",
    "pull_quota",
    "registry_reachable",
]
