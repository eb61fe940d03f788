"""What nbgrader is to do besides converting notebooks.

Enters: what nbgrader tells its hooks. Leaves: files in the release. May import `course.assignments`.
"""

from pathlib import Path
from typing import Any

from course.assignments import copy_app, find_assignment

RELEASE = Path(__file__).resolve().parents[2] / "build/nbgrader/release"


def add_app(assignment: str, student: str, notebooks: Any) -> None:
    """Put the assignment's app beside the released notebook, so that a student can build in that folder.

    nbgrader calls it as `post_convert_hook` (nbgrader/converters/base.py); `student` is "." for a release.
    """
    copy_app(find_assignment(assignment), RELEASE / student / assignment)
