"""The library behind the notebooks: the few names that they use."""

from course.engine import connect
from course.images import read_layers, read_stored
from course.lab.project import open_project
from course.lessons import keep_my_work, open_lesson
from course.widgets import BuildHistory, LayerExplorer, VolumeLineage, WhatIf, fetch, show, survey, watch

__all__ = [
    "BuildHistory",
    "LayerExplorer",
    "VolumeLineage",
    "WhatIf",
    "connect",
    "fetch",
    "keep_my_work",
    "open_lesson",
    "open_project",
    "read_layers",
    "read_stored",
    "show",
    "survey",
    "watch",
]
