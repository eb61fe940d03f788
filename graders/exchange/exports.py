"""Grades as Moodle and Canvas import them.

Enters: `Score`s, and the platform's own file as a template. Leaves: a `Table`. Pure; may import `course.errors` and its
neighbours.

Who could not be graded gets an empty cell. Moodle's worksheet import leaves such a student alone
(`mod/assign/feedback/offline/locallib.php`), its grade import and Canvas's take a grade away that was there
(`grade/import/csv/classes/load_data.php`, `lib/gradebook_importer.rb`).

Both imports also take what else is in a file: feedback texts in Moodle, the other assignments in Canvas. So only the
columns that say who it is go back, and the grade; no import can turn back what changed meanwhile.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from course.errors import CourseError
from graders.exchange.gradebook import Score
from graders.exchange.matching import Index
from graders.exchange.names import shown, squash
from graders.exchange.roster import Student, is_no_student
from graders.exchange.tables import Table, of_records
from graders.exchange.worksheet import GRADE, IDENTIFIER, MAXIMUM, MODIFIED, SUBMITTED, read_worksheet

_CANVAS_PEOPLE: Final = (
    "Student",
    "LastName",
    "FirstName",
    "ID",
    "SIS User ID",
    "SIS Login ID",
    "Integration ID",
    "Root Account",
    "Section",
)
_MOODLE_KEPT: Final = (
    IDENTIFIER,
    "Full name",
    "ID number",
    "Username",
    "Email address",
    "Status",
    GRADE,
    MAXIMUM,
    "Grade can be changed",
    SUBMITTED,
    MODIFIED,
)


@dataclass(frozen=True, kw_only=True)
class Export:
    """The table, who has no grade in it and why, and who has a grade and no row."""

    table: Table
    without: tuple[tuple[str, str], ...]
    missing: tuple[str, ...] = ()


def as_csv(assignment: str, scores: Sequence[Score]) -> Export:
    """Everything, for a spreadsheet."""
    header = (
        "student",
        "last_name",
        "first_name",
        "email",
        assignment,
        "max_score",
        "late_penalty",
        "submitted",
        "note",
    )
    records = [
        {
            "student": one.student.id,
            "last_name": one.student.last_name,
            "first_name": one.student.first_name,
            "email": one.student.email,
            assignment: number(one.score),
            "max_score": number(one.max_score),
            "late_penalty": number(one.late_penalty) if one.score is not None else "",
            "submitted": one.submitted.isoformat() if one.submitted else "",
            "note": one.why,
        }
        for one in scores
    ]
    return Export(table=of_records(header, records), without=_without(scores))


def for_moodle(assignment: str, scores: Sequence[Score]) -> Export:
    """For 'Import > CSV file' in Moodle's gradebook, whose form asks which column is what."""
    header = ("ID number", "First name", "Last name", "Email address", assignment)
    records = [
        {
            "ID number": one.student.id,
            "First name": one.student.first_name,
            "Last name": one.student.last_name,
            "Email address": one.student.email,
            assignment: number(one.score),
        }
        for one in scores
        if one.handed_in
    ]
    return Export(table=of_records(header, records), without=_without(scores))


def for_worksheet(template: Table, scores: Sequence[Score], rescale: bool = False) -> Export:
    """Moodle's grading worksheet, for 'Upload grading worksheet'."""
    rows = read_worksheet(template)
    index = Index([one.student for one in scores])
    grade = _at(template, GRADE)
    maximum = template.column(MAXIMUM)
    possible = "" if maximum is None else next((row[maximum] for row in template.rows if row[maximum].strip()), "")
    factor = _factor("Moodle", possible, scores, rescale)
    found = [_one(index.of_participant(row)) for row in rows]
    table, missing = _filled(template, grade, found, scores, factor, lambda _: True)
    kept = [
        at for at, name in enumerate(template.header) if name.strip().casefold() in {k.casefold() for k in _MOODLE_KEPT}
    ]
    return Export(table=_only(table, kept), without=_without(scores), missing=missing)


def for_canvas(
    template: Table, assignment: str, scores: Sequence[Score], column: str | None = None, rescale: bool = False
) -> Export:
    """Canvas's export of its gradebook, for its import, with the students and this one assignment."""
    if template.column("ID") is None or template.column("Section") is None:
        fix = "in Canvas: Gradebook, Export, Export Entire Gradebook"
        raise CourseError(f"This is no export of Canvas's: {shown(', '.join(template.header))}.", fix=fix)
    grade = _canvas_column(template, assignment, column)
    points = next((row[grade] for row in template.rows if "points possible" in row[0].casefold()), "")
    if "read only" in points.casefold():
        raise CourseError(f"Canvas does not import {template.header[grade]!r}.", fix="choose another with --column")
    factor = _factor("Canvas", points, scores, rescale)
    index = Index([one.student for one in scores])
    found = [_canvas_student(template, at, index) for at in range(len(template.rows))]
    table, missing = _filled(template, grade, found, scores, factor, lambda row: not is_no_student(row))
    kept = [at for at, name in enumerate(template.header) if name.strip() in _CANVAS_PEOPLE or at == grade]
    return Export(table=_only(table, kept), without=_without(scores), missing=missing)


def number(value: float | None) -> str:
    """A grade with a point and at most four decimals, empty where there is none."""
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")


def _without(scores: Sequence[Score]) -> tuple[tuple[str, str], ...]:
    return tuple((str(one.student), one.why) for one in scores if one.score is None)


def _at(table: Table, name: str) -> int:
    at = table.column(name)
    if at is None:
        raise CourseError(f"There is no column {name!r}.", fix=f"one of {shown(', '.join(table.header))}")
    return at


def _one(found: Sequence[Student]) -> Student | None:
    return found[0] if len(found) == 1 else None


def _filled(
    template: Table,
    grade: int,
    found: Sequence[Student | None],
    scores: Sequence[Score],
    factor: float,
    is_student: Callable[[Sequence[str]], bool],
) -> tuple[Table, tuple[str, ...]]:
    """The template with grades in it; a row of a student who handed nothing in stays as it was."""
    by_id = {one.student.id: one for one in scores if one.handed_in}
    rows = []
    for row, student in zip(template.rows, found, strict=True):
        score = by_id.get(student.id) if student and is_student(row) else None
        cell = row[grade] if score is None else number(None if score.score is None else score.score * factor)
        rows.append((*row[:grade], cell, *row[grade + 1 :]))
    there = {student.id for student in found if student}
    missing = tuple(str(one.student) for one in by_id.values() if one.student.id not in there)
    return replace(template, rows=tuple(rows)), missing


def _only(table: Table, columns: Sequence[int]) -> Table:
    header = tuple(table.header[at] for at in columns)
    return replace(table, header=header, rows=tuple(tuple(row[at] for at in columns) for row in table.rows))


def _factor(platform: str, possible: str, scores: Sequence[Score], rescale: bool) -> float:
    """What a score is multiplied by; raises `CourseError` where the platform counts to another maximum."""
    ours = scores[0].max_score if scores else 0.0
    text = possible.strip()
    if "," in text:  # the last of both divides the decimals, as in Canvas's own import
        text = re.sub(r"[.,](?=.*[.,])", "", text).replace(",", ".")
    try:
        theirs = float(text) if text else ours
    except ValueError:
        theirs = ours
    if abs(theirs - ours) < 1e-6 or not ours:
        return 1.0
    if not rescale:
        fix = "change it there and export again, or give --rescale"
        raise CourseError(f"{platform} has {number(theirs)} points, the assignment {number(ours)}.", fix=fix)
    return theirs / ours


def _canvas_column(template: Table, assignment: str, column: str | None) -> int:
    """The column whose heading is `Title (12345)` (`Assignment.title_and_id`), by the title or the whole heading."""
    section = _at(template, "Section")
    headings = list(enumerate(template.header))[section + 1 :]
    titles = {
        at: re.sub(r"\s\(\d+\)$", "", heading).strip() for at, heading in headings if re.search(r"\(\d+\)$", heading)
    }
    if column:
        found = [at for at, heading in headings if column in (heading.strip(), titles.get(at))]
    else:
        found = [at for at, title in titles.items() if squash(title) == squash(assignment)]
        found = found or [at for at, title in titles.items() if assignment.casefold() in title.casefold().split()]
    if len(found) != 1:
        names = ", ".join(template.header[at] for at in titles)
        said = "more than one column" if found else "no column"
        raise CourseError(f"The template has {said} for {column or assignment!r}.", fix=f"--column with one of {names}")
    return found[0]


def _canvas_student(template: Table, row: int, index: Index) -> Student | None:
    numbers, logins, sis = (template.cells(name)[row] for name in ("ID", "SIS Login ID", "SIS User ID"))
    found = index.by_number.get(numbers, []) if numbers else []
    return _one(found or index.with_id(logins) or index.with_id(sis) or index.with_id(numbers))
