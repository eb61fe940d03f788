"""Where the course keeps things on this computer.

Enters: the environment. Leaves: paths; nothing is created here. May import `course.errors`.
"""

import os
from pathlib import Path

import platformdirs

from course.errors import CourseError

HOME_VARIABLE = "LAYER_BY_LAYER_HOME"
NAME = "layer-by-layer"


def data_folder() -> Path:
    """The user's folder for the course's own engine and notes; `LAYER_BY_LAYER_HOME` names another one."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else Path(platformdirs.user_data_dir(NAME, appauthor=False))


def notebooks_folder() -> Path:
    """The project's notebooks, which stand beside the package in a clone; raises `CourseError` where they do not."""
    folder = Path(__file__).resolve().parent.parent / "notebooks"
    if not folder.is_dir():
        fix = "clone the project and install it with `pip install -e .`"
        raise CourseError("The course's notebooks are not beside the installed package.", fix=fix)
    return folder
