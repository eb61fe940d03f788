"""What was collected: a folder for each student as nbgrader wants it, and a note where each came from.

Enters: picked files. Leaves: CLASS/submitted/STUDENT/ASSIGNMENT, CLASS/collected/ASSIGNMENT.json. Writes files; may
import `course.errors` and its neighbours.

A submission is built beside and renamed; the one that it replaces moves to CLASS/collected/replaced. nbgrader reads
`timestamp.txt` with `parse_utc` (nbgrader/utils.py), which takes a numeric offset for seconds: the time is always UTC.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from course.errors import CourseError
from graders.exchange.roster import check_id

TIMESTAMP: Final = "timestamp.txt"
TIMESTAMP_FORMAT: Final = "%Y-%m-%d %H:%M:%S.%f UTC"


@dataclass(frozen=True, kw_only=True)
class Record:
    """Where a collected submission came from; `submitted` is ISO 8601 in UTC, or empty where it is not known."""

    platform: str
    key: str
    folder: str
    submitted: str
    late: bool
    sequence: int
    digest: str
    files: tuple[str, ...]

    def older_than(self, other: "Record") -> bool | None:
        """Whether it was handed in before; None where nothing tells."""
        if self.submitted and other.submitted and self.submitted != other.submitted:
            return datetime.fromisoformat(self.submitted) < datetime.fromisoformat(other.submitted)
        if self.platform == other.platform and self.sequence and other.sequence and self.sequence != other.sequence:
            return self.sequence < other.sequence
        return None


def digest_of(files: Mapping[str, bytes]) -> str:
    """The same for the same files."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


class Collected:
    """The submissions of one assignment in a class's folder."""

    def __init__(self, class_folder: Path, assignment: str) -> None:
        self._class = class_folder
        self._assignment = assignment
        self._path = class_folder / "collected" / f"{assignment}.json"
        self.records = _read(self._path)

    def folder_of(self, student: str) -> Path:
        """Where a student's submission is."""
        return self._class / "submitted" / check_id(student) / self._assignment

    def take(self, student: str, files: Mapping[str, bytes], record: Record) -> str:
        """Put a submission there if it is the newer one, and say what became of it."""
        target = self.folder_of(student)
        before = self.records.get(student)
        present = target.exists() or target.is_symlink()
        if present and before and record.older_than(before):
            return "kept: what was collected before is newer"
        if present and before and before.digest == record.digest and record.submitted in ("", before.submitted):
            late = record.late or (before.late and not record.submitted)
            self._note(student, replace(record, submitted=before.submitted, late=late))
            return "unchanged"
        self._replace(target, student, files, record)
        self._note(student, record)
        return "replaced by the newer one" if present else "collected"

    def _replace(self, target: Path, student: str, files: Mapping[str, bytes], record: Record) -> None:
        partial = self._emptied("partial", student)
        partial.mkdir(parents=True)
        for name, content in files.items():
            (partial / name).write_bytes(content)
        if record.submitted:
            time = datetime.fromisoformat(record.submitted).strftime(TIMESTAMP_FORMAT)
            (partial / TIMESTAMP).write_text(f"{time}\n", encoding="utf-8")
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() or target.is_symlink():
            old = self._emptied("replaced", student)
            old.parent.mkdir(parents=True, exist_ok=True)
            target.rename(old)
        partial.rename(target)

    def _emptied(self, kind: str, student: str) -> Path:
        path = self._class / "collected" / kind / self._assignment / student
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)
        return path

    def _note(self, student: str, record: Record) -> None:
        self.records[student] = record
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = {name: asdict(one) for name, one in sorted(self.records.items())}
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
        partial.replace(self._path)


def _read(path: Path) -> dict[str, Record]:
    try:
        content: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return {name: Record(**{**one, "files": tuple(one["files"])}) for name, one in content.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CourseError(f"{path} cannot be read.", fix="remove it, and collect again") from error
