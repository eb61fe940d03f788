"""Where the folders of a class are, and nbgrader's configuration for them.

Enters: the environment. Leaves: paths and a traitlets `Config`. Imports nothing of the course.

A class has one folder: `submitted`, `autograded`, `feedback`, `gradebook.db` and what the graders add lie in it. It is
`build/nbgrader` of the project unless `LAYER_BY_LAYER_CLASS` names another one.
"""

import os
from pathlib import Path
from typing import Any, Final

CLASS_VARIABLE: Final = "LAYER_BY_LAYER_CLASS"
PROJECT: Final = Path(__file__).resolve().parents[2]
STEPS: Final = ("release", "submitted", "autograded", "feedback", "source_with_tests", "solution")


def class_folder() -> Path:
    """The folder of the class in hand."""
    chosen = os.environ.get(CLASS_VARIABLE)
    return Path(chosen).expanduser().resolve() if chosen else PROJECT / "build/nbgrader"


def clean_folder() -> Path:
    """Where the clean copies of submissions are, in nbgrader's order: STUDENT/ASSIGNMENT."""
    return class_folder() / "clean"


def reports_folder(assignment: str) -> Path:
    """Where the reports of an assignment are, one file for each student."""
    return class_folder() / "reports" / assignment


def load_config() -> Any:
    """nbgrader's configuration, as nbgrader itself would read it."""
    from traitlets.config.loader import PyFileConfigLoader

    return PyFileConfigLoader("nbgrader_config.py", path=str(Path(__file__).parent)).load_config()
