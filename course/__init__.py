"""The library behind the notebooks: the few names that they use."""

from course.advice import advise, expected_cost, prove, read_commits
from course.engine import connect
from course.images import read_layers, read_stored
from course.lab.project import open_project
from course.lessons import Hunt, keep_my_work, lighten, mark, open_lesson
from course.widgets import (
    BuildHistory,
    CostBars,
    LayerExplorer,
    VolumeLineage,
    WhatIf,
    fetch,
    show,
    survey,
    watch,
)

__all__ = [
    "BuildHistory",
    "CostBars",
    "Hunt",
    "LayerExplorer",
    "VolumeLineage",
    "WhatIf",
    "advise",
    "connect",
    "expected_cost",
    "fetch",
    "keep_my_work",
    "lighten",
    "mark",
    "open_lesson",
    "open_project",
    "prove",
    "read_commits",
    "read_layers",
    "read_stored",
    "show",
    "survey",
    "watch",
]
