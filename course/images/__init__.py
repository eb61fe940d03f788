"""The course's images: `ensure(client)` makes them present, from a registry, a bundle or packages."""

from course.images.bundle import bundle, load
from course.images.catalogue import CATALOGUE, Entry
from course.images.ensure import OnProgress, Origin, Progress, Row, ensure, find, listing
from course.images.layers import Change, ImageLayers, Kind, Layer, read_layers, read_stored, shared_layers
from course.images.own import ensure_debian, ensure_own, fingerprint
from course.images.prepare import missing_tools
from course.images.registry import pull_quota, registry_reachable
from course.images.sizes import step_sizes

__all__ = [
    "CATALOGUE",
    "Change",
    "Entry",
    "ImageLayers",
    "Kind",
    "Layer",
    "OnProgress",
    "Origin",
    "Progress",
    "Row",
    "bundle",
    "ensure",
    "ensure_debian",
    "ensure_own",
    "find",
    "fingerprint",
    "listing",
    "load",
    "missing_tools",
    "pull_quota",
    "read_layers",
    "read_stored",
    "registry_reachable",
    "shared_layers",
    "step_sizes",
]
