"""A whole class from its submitted folders to the gradebook, in as many processes as the machine bears.

Enters: an assignment, and the class's folder (`graders.autograde.place`). Leaves: a report for each student, a
gradebook that holds them, and a `Row` for each. May import `course` and all of this room but its command line.

It may be killed at any moment: every submission is replayed once for each state of the artifacts and of the graders'
code, its report kept in a file, and what the gradebook holds of it is noted there only when the gradebook has it.
"""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from course.assignments import Assignment, find_assignment
from course.errors import CourseError
from graders.autograde.gradebook import Book
from graders.autograde.place import class_folder, clean_folder, reports_folder
from graders.intake import Submission, digest_of, released_notebook, take_in
from graders.judge import notice
from graders.ledger import Entry, code_version, read_entry, write_entry
from graders.rubric import Level, Status
from graders.workplace import Answer, Crew, Task

ATTEMPTS: Final = 3
_RECORDINGS: Final = 3
"""How often the gradebook is asked to take a grade: Formgrader may hold it for a moment."""


class State(StrEnum):
    """What became of a student's submission in this run."""

    GRADED = "graded"
    BEFORE = "graded before"
    UNGRADED = "could not grade"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the summary; `score` is None where there is none, `seconds` are of the replay."""

    student: str
    state: State
    score: float | None
    max_score: float
    seconds: float
    level: str
    reason: str = ""
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What has just happened: a submission begun or done, of how many in all."""

    student: str
    row: Row | None
    total: int


OnProgress = Callable[[Progress], None]


class Classroom:
    """One run over a class."""

    def __init__(self, name: str, *, level: Level, again: bool, on_progress: OnProgress) -> None:
        self._assignment = find_assignment(name)
        self._level = level
        self._again = again
        self._tell = on_progress
        self._released = released_notebook(self._assignment)
        self._code = code_version(self._assignment)
        self._book = Book()
        self._taken: dict[str, Submission] = {}
        self._rows: dict[str, Row] = {}

    def run(self, students: Sequence[str], make_crew: Callable[[int], Crew]) -> tuple[Row, ...]:
        """Grade these students' submissions; `make_crew` is told how many there are to replay, if any."""
        lock = FileLock(class_folder() / "run.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise CourseError("This class is being graded already.", fix="wait for that run to end") from None
        try:
            return self._run(students, make_crew)
        finally:
            lock.release()

    def _run(self, students: Sequence[str], make_crew: Callable[[int], Crew]) -> tuple[Row, ...]:
        if not self._book.knows(self._assignment.name):
            self._book.release(self._assignment.name)
        held = self._book.grades(self._assignment.name)
        self._taken = {name: take_in(self._assignment, self._folder(name), self._released) for name in students}
        recorder = ThreadPoolExecutor(1)  # the one writer
        try:
            recordings = []
            tasks = []
            for name in students:
                entry, settled = self._known(name, held.get(name))
                if settled and entry:
                    self._done(_row(entry, self._taken[name], State.BEFORE), len(students))
                elif entry:
                    recordings.append(recorder.submit(self._record, entry, State.GRADED, "", len(students)))
                else:
                    tasks.append(self._task(name))
            recordings += self._replay(tasks, make_crew, recorder, len(students)) if tasks else []
            for recording in recordings:
                recording.result()
        finally:
            recorder.shutdown(cancel_futures=True)
        return tuple(self._rows[name] for name in students)

    def _known(self, name: str, held: object) -> tuple[Entry | None, bool]:
        """The entry that holds for this submission, if any, and whether the gradebook has it."""
        taken, entry = self._taken[name], read_entry(self._report_path(name))
        if entry is None or self._again or not entry.fits(digest_of(taken.artifacts), self._code, self._level):
            return None, False
        settled = entry.recorded == taken.digest and held is not None and held == entry.grades
        settled = settled and self._book.has_autograded(self._assignment.name, name)
        if not settled:
            findings = notice(self._assignment.name, taken.artifacts, taken.notes)
            entry = replace(entry, report=replace(entry.report, findings=findings))
        return entry, settled

    def _replay(
        self, tasks: list[Task], make_crew: Callable[[int], Crew], recorder: ThreadPoolExecutor, total: int
    ) -> list["Future[None]"]:
        """Replay, those that could not be graded twice more, and let each be recorded as soon as it is known."""
        recordings: list[Future[None]] = []
        crew = make_crew(len(tasks))
        try:
            for attempt in range(1, ATTEMPTS + 1):
                trouble = []
                for answer in crew.grade(tasks, lambda task: self._tell(_begun(task, total))):
                    if answer.report.gradable or attempt == ATTEMPTS:
                        recordings.append(recorder.submit(self._settle, answer, total))
                    else:
                        trouble.append(answer.student)
                tasks = [self._task(name) for name in trouble]
        finally:
            crew.close()
        return recordings

    def _settle(self, answer: Answer, total: int) -> None:
        """Keep an answer and record it; one that says nothing does not take the place of a mark that still holds."""
        taken, old = self._taken[answer.student], read_entry(self._report_path(answer.student))
        entry = Entry(
            student=answer.student,
            artifacts=digest_of(taken.artifacts),
            code=self._code,
            seconds=answer.seconds,
            report=answer.report,
        )
        if answer.report.gradable:
            return self._record(entry, State.GRADED, "", total)
        unknown = [one.actual for one in answer.report.outcomes if one.status is Status.COULD_NOT_CHECK]
        reason = "; ".join(dict.fromkeys(unknown))
        if old and old.report.gradable and (old.artifacts, old.code) == (entry.artifacts, entry.code):
            entry, reason = old, f"{reason} (its earlier mark stays)"
        return self._record(entry, State.UNGRADED, reason, total)

    def _record(self, entry: Entry, state: State, reason: str, total: int) -> None:
        """Write it down, then into the gradebook, then that the gradebook has it."""
        name, taken = entry.student, self._taken[entry.student]
        path, row = self._report_path(name), _row(entry, taken, state, reason)
        try:
            write_entry(path, replace(entry, recorded="", grades=None))
            self._write_clean(name, taken)
            grades = self._into_gradebook(name)
            write_entry(path, replace(entry, recorded=taken.digest, grades=grades))
        except Exception as error:  # whatever it is, the others' grades do not wait for it
            said = error.message if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
            row = replace(row, state=State.UNGRADED, score=None, reason=f"the gradebook did not take it: {said}")
        self._done(row, total)

    def _into_gradebook(self, name: str) -> Any:
        for attempt in range(1, _RECORDINGS + 1):
            try:
                return self._book.record(self._assignment.name, name)
            except Exception:
                if attempt == _RECORDINGS:
                    raise
                time.sleep(attempt)
        return None

    def _write_clean(self, name: str, taken: Submission) -> None:
        folder = clean_folder() / name / self._assignment.name
        partial = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        taken.write(partial, self._assignment.name)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)

    def _task(self, name: str) -> Task:
        taken = self._taken[name]
        return Task(student=name, assignment=self._assignment.name, artifacts=taken.artifacts, notes=taken.notes)

    def _folder(self, name: str) -> Path:
        return class_folder() / "submitted" / name / self._assignment.name

    def _report_path(self, name: str) -> Path:
        return reports_folder(self._assignment.name) / f"{name}.json"

    def _done(self, row: Row, total: int) -> None:
        self._rows[row.student] = row
        self._tell(Progress(student=row.student, row=row, total=total))


def find_students(assignment: Assignment, wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """Who has handed something in, or those that are `wanted`; raises `CourseError` where one of them has not."""
    root = class_folder() / "submitted"
    found = sorted(path.parent.name for path in _submitted(root, assignment.name))
    if missing := sorted(set(wanted) - set(found)):
        raise CourseError(
            f"Nothing was handed in for {assignment.name!r} by {', '.join(missing)}.",
            fix=f"put it under {root}/STUDENT/{assignment.name}",
        )
    if not found:
        raise CourseError(
            f"Nothing was handed in for {assignment.name!r}.", fix=f"put it under {root}/STUDENT/{assignment.name}"
        )
    return tuple(name for name in found if not wanted or name in wanted)


def _submitted(root: Path, name: str) -> Iterator[Path]:
    for student in root.iterdir() if root.is_dir() else ():
        is_student = student.is_dir() and not student.is_symlink() and not student.name.startswith(".")
        if is_student and _may_be_there(student / name):
            yield student / name


def _may_be_there(path: Path) -> bool:
    """Also where that cannot be seen: the row of this student says so then, and the others are graded."""
    try:
        return path.exists() or path.is_symlink()
    except OSError:
        return True


def _begun(task: Task, total: int) -> Progress:
    return Progress(student=task.student, row=None, total=total)


def _row(entry: Entry, taken: Submission, state: State, reason: str = "") -> Row:
    report = entry.report
    return Row(
        student=entry.student,
        state=state,
        score=report.score if report.gradable else None,
        max_score=report.max_score,
        seconds=entry.seconds,
        level=report.level.value if report.level else "",
        reason=reason,
        notes=taken.notes,
    )
