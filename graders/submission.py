"""What is taken from a student: plain files that the assignment names, and nothing else.

Enters: a folder. Leaves: `Artifacts`. Reads files; may import `course.errors` and `course.folders`.
"""

import json
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from course.errors import CourseError
from course.folders import notebooks_folder

LIMIT_BYTES: Final = 1 << 20
"""No Dockerfile needs a MiB."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One assignment of the course: what it grades, and the app that the instructor keeps for it."""

    name: str
    folder: Path
    app: Path
    artifacts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """The student's files by name, and what is wrong with those that were not taken."""

    files: Mapping[str, bytes]
    problems: Mapping[str, str]

    def write(self, folder: Path) -> None:
        """Put the files into `folder`."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def find_assignment(name: str) -> Assignment:
    """The assignment of this name; raises `CourseError` that names the known ones."""
    root = notebooks_folder() / "assignments"
    known = sorted(path.parent.name for path in root.glob("*/assignment.json"))
    if name not in known:
        raise CourseError(f"There is no assignment {name!r}.", fix=f"one of {', '.join(known)}")
    described = json.loads((root / name / "assignment.json").read_text(encoding="utf-8"))
    app = notebooks_folder() / described["app"]
    return Assignment(name=name, folder=root / name, app=app, artifacts=tuple(described["artifacts"]))


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


def copy_app(assignment: Assignment, folder: Path) -> None:
    """The instructor's own copy of the app, without the files that the student is to write."""
    shutil.copytree(
        assignment.app,
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("node_modules", "generated", "*Dockerfile", ".dockerignore"),
    )
