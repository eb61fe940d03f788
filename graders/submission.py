"""What is taken from a student: plain files that the assignment names, and nothing else.

Enters: a folder. Leaves: `Artifacts`. Reads files; may import `course.assignments` and `course.errors`.
"""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from course.assignments import Assignment
from course.errors import CourseError

LIMIT_BYTES: Final = 1 << 20
"""No Dockerfile needs a MiB."""


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """The student's files by name, and what is wrong with those that were not taken."""

    files: Mapping[str, bytes]
    problems: Mapping[str, str]

    def write(self, folder: Path) -> None:
        """Put the files into `folder`."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def collect(assignment: Assignment, folder: Path) -> Artifacts:
    """Take the artifacts from a student's folder: no links, no devices, nothing large."""
    if not folder.is_dir():
        raise CourseError(f"{str(folder)!r} is not a folder.", fix="give the folder that holds the submission")
    files: dict[str, bytes] = {}
    problems: dict[str, str] = {}
    for name in assignment.artifacts:
        path = folder / name
        try:
            status = path.lstat()
        except FileNotFoundError:
            problems[name] = f"there is no {name}"
            continue
        if not stat.S_ISREG(status.st_mode):
            problems[name] = f"{name} is not a plain file"
        elif status.st_size > LIMIT_BYTES:
            problems[name] = f"{name} is larger than {LIMIT_BYTES >> 20} MiB"
        else:
            files[name] = path.read_bytes()
    return Artifacts(files=files, problems=problems)
