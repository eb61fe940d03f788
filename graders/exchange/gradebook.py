"""What the exchange reads from nbgrader's gradebook and writes into it: students, due dates, grades.

Enters: students, times. Leaves: `Score`s. May import nbgrader, `graders.autograde` and its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from course.errors import CourseError
from graders.autograde.gradebook import open_gradebook
from graders.exchange.roster import Student


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a student has: `score` after the late penalty, or None and `why` there is none. `submitted` is in UTC."""

    student: Student
    max_score: float
    score: float | None = None
    late_penalty: float = 0.0
    submitted: datetime | None = None
    why: str = ""
    handed_in: bool = True


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The ids that a roster added, those that it changed, and those in the gradebook that are not on it."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    absent: tuple[str, ...]


def read_students() -> tuple[Student, ...]:
    """Everybody in the gradebook."""
    with open_gradebook() as book:
        return tuple(_student(one) for one in book.students)


def write_students(students: Sequence[Student]) -> Changes:
    """Add and update students; nobody is removed, and nothing known is overwritten by an empty cell."""
    added, updated = [], []
    with open_gradebook() as book:
        known = {one.id: _student(one) for one in book.students}
        same = {name.casefold(): name for name in known}
        for student in students:
            if same.get(student.id.casefold(), student.id) != student.id:
                other = same[student.id.casefold()]
                fix = "write it as the gradebook does: on some computers both have one folder"
                raise CourseError(f"The gradebook has {other!r}, the file {student.id!r}.", fix=fix)
        for student in students:
            before = known.get(student.id)
            fields = {name: value for name, value in vars(student).items() if name != "id" and value}
            if before is None:
                added.append(student.id)
            elif any(getattr(before, name) != value for name, value in fields.items()):
                updated.append(student.id)
            else:
                continue
            book.update_or_create_student(student.id, **fields)
    listed = {student.id for student in students}
    return Changes(added=tuple(added), updated=tuple(updated), absent=tuple(sorted(known.keys() - listed)))


def read_scores(assignment: str) -> tuple[Score, ...]:
    """What each student has for an assignment; raises `CourseError` where it was never released."""
    from nbgrader.api import MissingEntry

    with open_gradebook() as book:
        try:
            found = book.find_assignment(assignment)
        except MissingEntry:
            found = None
        if found is None or not found.notebooks:
            fix = f"release, collect and grade {assignment} first"
            raise CourseError(f"The gradebook has no grades for {assignment!r}.", fix=fix)
        submissions = {one.student_id: one for one in book.assignment_submissions(assignment)}
        names = {notebook.name for notebook in found.notebooks}
        return tuple(
            _score(_student(one), submissions.get(one.id), names, float(found.max_score)) for one in book.students
        )


def set_due(assignment: str, due: datetime | None) -> int:
    """Set when an assignment is due and apply its rule to what has been graded; returns how many lose points."""
    from graders.autograde.late import penalty, rule_of

    naive = due.astimezone(UTC).replace(tzinfo=None) if due else None  # nbgrader keeps UTC without saying so
    rule = rule_of(assignment)
    late = set()
    with open_gradebook() as book:
        book.update_or_create_assignment(assignment, duedate=naive)
        for submission in book.assignment_submissions(assignment):
            for notebook in submission.notebooks:
                points = penalty(rule, notebook.score, notebook.max_score, _seconds_late(submission))
                notebook.late_submission_penalty = points or None
                late |= {submission.student_id} if points else set()
        book.db.commit()
    return len(late)


def _seconds_late(submission: Any) -> float:
    """nbgrader's own property adds an extension to a due date that may not be there (nbgrader/api.py, duedate)."""
    return float(submission.total_seconds_late) if submission.assignment.duedate else 0.0


def read_due(assignment: str) -> datetime | None:
    """When an assignment is due, in UTC."""
    from nbgrader.api import MissingEntry

    with open_gradebook() as book:
        try:
            due = book.find_assignment(assignment).duedate
        except MissingEntry:
            return None
        return due.replace(tzinfo=UTC) if due else None


def _score(student: Student, submission: Any, notebooks: set[str], max_score: float) -> Score:
    if submission is None:
        return Score(student=student, max_score=max_score, why="nothing handed in", handed_in=False)
    submitted = submission.timestamp.replace(tzinfo=UTC) if submission.timestamp else None
    grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
    why = ""
    if not grades or {notebook.name for notebook in submission.notebooks} < notebooks:
        why = "not graded yet"
    elif any(grade.needs_manual_grade for grade in grades):
        why = "needs manual grading"
    elif any(grade.auto_score is None and grade.manual_score is None for grade in grades):
        why = "a cell has no score"
    if why:
        return Score(student=student, max_score=max_score, submitted=submitted, why=why)
    penalty = float(submission.late_submission_penalty or 0)
    score = max(0.0, float(submission.score) - penalty)
    return Score(student=student, max_score=max_score, score=score, late_penalty=penalty, submitted=submitted)


def _student(row: Any) -> Student:
    return Student(
        id=row.id,
        first_name=row.first_name or "",
        last_name=row.last_name or "",
        email=row.email or "",
        lms_user_id=row.lms_user_id or "",
    )
