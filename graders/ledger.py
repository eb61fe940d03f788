"""What is known of each student's submission: a file each, written whole or not at all.

Enters: reports. Leaves: `Entry`s, in files that outlive a killed run. Reads and writes files; may import
`course.assignments` and `graders.rubric`.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from course.assignments import Assignment
from graders.rubric import Level, Report

REPORT: Final = "report"
"""Where the report stands in a student's file."""
_JUDGES = ("checks", "evidence", "rubrics", "sandbox")
_LEVELS = (None, Level.UNSANDBOXED, Level.ISOLATED)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A report, and digests of what it depends on: the `artifacts`, the `code` of the judges.

    `recorded` and `grades` say which submission was written into the gradebook with it, and what the gradebook then
    held; both are set only after that.
    """

    student: str
    artifacts: str
    code: str
    seconds: float
    report: Report
    recorded: str = ""
    grades: Mapping[str, float | None] | None = None

    def fits(self, artifacts: str, code: str, level: Level) -> bool:
        """Whether a replay of these artifacts would say the same, and no replay at a better level is asked for."""
        good = self.report.gradable and _LEVELS.index(self.report.level) >= _LEVELS.index(level)
        return good and (self.artifacts, self.code) == (artifacts, code)

    def to_json(self) -> dict[str, Any]:
        """What stands in the file."""
        return {
            "student": self.student,
            "artifacts": self.artifacts,
            "code": self.code,
            "seconds": self.seconds,
            "recorded": self.recorded,
            "grades": None if self.grades is None else dict(self.grades),
            REPORT: self.report.to_json(),
        }


def read_entry(path: Path) -> Entry | None:
    """What the file says; None where there is none, or none that can be read."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Entry(**{**data, "report": Report.from_json(data[REPORT])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_entry(path: Path, entry: Entry) -> None:
    """Write it so that a reader, and a machine that loses its power, sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(entry.to_json(), file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def code_version(assignment: Assignment) -> str:
    """A digest of what decides a replay's result: the judges, what they use of the course, the assignment's app."""
    digest = hashlib.sha256()
    for path in _decisive(assignment):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _decisive(assignment: Assignment) -> Iterator[Path]:
    graders = Path(__file__).parent
    course = graders.parent / "course"
    yield from (graders / f"{name}.py" for name in ("judge", "pictures", "rubric", "submission"))
    yield from (course / f"{name}.py" for name in ("context", "contextfilter", "dockerfile", "patterns"))
    for folder in (*(graders / name for name in _JUDGES), *(course / name for name in ("builds", "images", "lab"))):
        yield from sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    yield from sorted(path for path in assignment.app.rglob("*") if path.is_file() and not path.is_symlink())
