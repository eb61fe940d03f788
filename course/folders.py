"""Where the course keeps things on this computer.

Enters: the environment. Leaves: paths; nothing is created here. Imports no other room.
"""

import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "LAYER_BY_LAYER_HOME"
NAME = "layer-by-layer"


def data_folder() -> Path:
    """The user's folder for the course's own engine and notes; `LAYER_BY_LAYER_HOME` names another one."""
    chosen = os.environ.get(HOME_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir(NAME, appauthor=False))
