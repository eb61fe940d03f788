"""What nbgrader is to do besides converting notebooks.

Enters: what nbgrader tells its hooks. Leaves: files in the release; an autograded folder of plain artifacts. May import
`course.assignments`, `graders.submission` and its neighbours.
"""

import shutil
from pathlib import Path
from typing import Any

from course.assignments import copy_app, find_assignment
from graders.autograde.place import class_folder
from graders.intake import TIMESTAMP
from graders.submission import collect


def add_app(assignment: str, student: str, notebooks: Any) -> None:
    """Put the assignment's app beside the released notebook, so that a student can build in that folder.

    nbgrader calls it as `post_convert_hook` (nbgrader/converters/base.py); `student` is "." for a release.
    """
    copy_app(find_assignment(assignment), class_folder() / "release" / student / assignment)


def keep_artifacts(assignment: str, student: str, notebooks: Any) -> None:
    """Leave in the autograded folder what a submission may hold, since feedback takes all that lies there.

    nbgrader has copied every file by then, through links as well (nbgrader/converters/base.py, init_assignment).
    `student` may stand for several ("*"); whose turn it is says the path of the `notebooks`.
    """
    for submitted in {Path(notebook).parent for notebook in notebooks}:
        target = class_folder() / "autograded" / submitted.parent.name / assignment
        taken = collect(find_assignment(assignment), submitted).files
        for path in target.iterdir():
            if path.name not in {*taken, TIMESTAMP, *(Path(notebook).name for notebook in notebooks)}:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
