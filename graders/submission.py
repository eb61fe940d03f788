"""What is taken from a student: plain files that the assignment names, and nothing else.

Enters: a folder. Leaves: `Artifacts`. Reads files; may import `course.assignments` and `course.errors`.
"""

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from course.assignments import Assignment
from course.errors import CourseError

LIMIT_BYTES: Final = 1 << 20
"""No Dockerfile needs a MiB."""
_FLAGS: Final = os.O_RDONLY | sum(getattr(os, f"O_{name}", 0) for name in ("NOFOLLOW", "NONBLOCK", "CLOEXEC", "BINARY"))


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
        try:
            files[name] = read_plain(folder / name)
        except NotTaken as problem:
            problems[name] = str(problem)
    return Artifacts(files=files, problems=problems)


class NotTaken(Exception):
    """Why a file was not taken, in words for its author."""


def read_plain(path: Path, *, limit_bytes: int = LIMIT_BYTES) -> bytes:
    """The content of a plain file; raises `NotTaken` for anything else, and never waits for it.

    What is looked at is what was opened, whatever becomes of the name meanwhile; a FIFO opens at once without a writer.
    """
    name = path.name
    try:
        if not stat.S_ISREG(path.lstat().st_mode):  # opening a device can do things by itself
            raise NotTaken(f"{name} is not a plain file")
        descriptor = os.open(path, _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        raise NotTaken(f"there is no {name}") from None
    except OSError as error:
        reason = "is not a plain file" if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
        raise NotTaken(f"{name} {reason}") from None
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotTaken(f"{name} is not a plain file")
        content = opened.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise NotTaken(f"{name} is larger than {limit_bytes >> 20} MiB")
    return content
