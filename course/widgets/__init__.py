"""The pictures: Python decides what they show, and each is also a static picture and a text."""

from course.widgets.drawing import Drawing
from course.widgets.history import Built
from course.widgets.pictures import (
    BuildHistory,
    CostBars,
    LayerExplorer,
    LayerStack,
    NetworkMap,
    ProgressBars,
    VolumeLineage,
)
from course.widgets.show import fetch, show, survey, watch
from course.widgets.whatif import WhatIf

__all__ = [
    "BuildHistory",
    "Built",
    "CostBars",
    "Drawing",
    "LayerExplorer",
    "LayerStack",
    "NetworkMap",
    "ProgressBars",
    "VolumeLineage",
    "WhatIf",
    "fetch",
    "show",
    "survey",
    "watch",
]
