"""The library behind the notebooks: the few names that they use."""

from course.engine import connect
from course.lab.project import open_project
from course.widgets import BuildHistory, WhatIf, fetch, show, watch

__all__ = ["BuildHistory", "WhatIf", "connect", "fetch", "open_project", "show", "watch"]
