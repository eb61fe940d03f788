"""Who is in the class, by a CSV file of one's own, of Moodle or of Canvas.

Enters: a `Table`. Leaves: `Student`s. Pure; may import `course.errors` and its neighbours.

Moodle: the grader report's export has `First name`, `Last name` (`Surname` before 4.0), `ID number`, `Email address`
(`grade/export`), the participants page what its columns show. Canvas: `Student`, `ID`, `SIS User ID`, `SIS Login ID`,
`Section` or `LastName`, `FirstName` in place of the first, rows of `Points Possible` and `Manual Posting`
(`lib/gradebook_exporter.rb`).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from course.errors import CourseError
from graders.exchange.names import shown, squash
from graders.exchange.tables import Table

ID_CHARACTERS: Final = 64
_ID: Final = re.compile(r"\w[\w.@-]*")
_RESERVED: Final = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
"""Windows makes no folder of these names."""


@dataclass(frozen=True, kw_only=True)
class Student:
    """One of the class; `id` is the folder's name and nbgrader's, `lms_user_id` Canvas's number."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""

    @property
    def names(self) -> frozenset[str]:
        """How the platforms may write the full name, squashed: either part may stand first."""
        first, last = squash(self.first_name), squash(self.last_name)
        return frozenset({first + last, last + first} - {""})

    def __str__(self) -> str:
        full = f"{self.first_name} {self.last_name}".strip()
        return f"{self.id} ({full})" if full else self.id


@dataclass(frozen=True, kw_only=True)
class Roster:
    """What a file says: `platform` is the kind of file, `skipped` says which rows are nobody of the class."""

    platform: str
    students: tuple[Student, ...]
    skipped: tuple[str, ...] = ()


def check_id(name: str) -> str:
    """The id, if a folder can have its name; raises `ValueError` that says what is wrong with it."""
    if not name:
        raise ValueError("it has no id")
    if len(name) > ID_CHARACTERS or len(name.encode()) > 2 * ID_CHARACTERS:
        raise ValueError(f"{shown(name, 30)!r} is longer than {ID_CHARACTERS} characters")
    if name != unicodedata.normalize("NFC", name) or not _ID.fullmatch(name) or name.endswith("."):
        letters = "letters, digits and . _ @ - may stand in it, and . neither first nor last"
        raise ValueError(f"{shown(name, 30)!r} cannot be a folder's name: {letters}")
    if _RESERVED.fullmatch(name):
        raise ValueError(f"{name!r} is a name that Windows keeps for itself")
    return name


def read_roster(table: Table, id_column: str | None = None) -> Roster:
    """The students of a table; `id_column` names the column of ids where the usual one is not wanted."""
    if table.column("id") is not None and table.column("first_name") is not None:
        platform, students, skipped = "own", *_own(table, id_column)
    elif _is_canvas(table):
        platform, students, skipped = "Canvas", *_canvas(table, id_column)
    elif table.column("First name") is not None and table.column("Last name", "Surname") is not None:
        platform, students, skipped = "Moodle", *_moodle(table, id_column)
    else:
        known = "id,first_name,last_name,email; Moodle's First name,Last name,…; Canvas's Student,ID,…,Section"
        raise CourseError(
            f"No list of students begins with {shown(', '.join(table.header))!r}.",
            fix=f"a CSV file whose first line is one of: {known} (in English)",
        )
    _check(students)
    return Roster(platform=platform, students=tuple(students), skipped=tuple(skipped))


def is_no_student(cells: Sequence[str]) -> bool:
    """Whether a row of Canvas's says something of the columns (`lib/gradebook_importer.rb`)."""
    if "points possible" in cells[0].casefold():
        return True
    return all(re.fullmatch(r"\s*(muted|manual posting.*)?\s*", cell, re.IGNORECASE) for cell in cells)


def _is_canvas(table: Table) -> bool:
    named = table.column("Student") == 0 or (table.column("LastName") == 0 and table.column("FirstName") == 1)
    return named and table.column("ID") is not None and table.column("Section") is not None


def _own(table: Table, id_column: str | None) -> tuple[list[Student], list[str]]:
    columns = [_ids(table, id_column or "id")]
    columns += [table.cells(name) for name in ("first_name", "last_name", "email", "lms_user_id")]
    return [_student(*row) for row in zip(*columns, strict=True)], []


def _moodle(table: Table, id_column: str | None) -> tuple[list[Student], list[str]]:
    candidates = [id_column] if id_column else ["ID number", "Username", "Email address"]
    for name in candidates:
        ids = _ids(table, name) if table.column(name) is not None or id_column else ()
        if ids and (id_column or all(ids)):
            break
    else:
        fix = "show the ID number, the user name or the email address in Moodle, or name a column with --id"
        raise CourseError("No column of the file has an id for every student.", fix=fix)
    names = table.cells("First name"), table.cells("Last name", "Surname"), table.cells("Email address")
    return [_student(*row) for row in zip(ids, *names, strict=True)], []


def _canvas(table: Table, id_column: str | None) -> tuple[list[Student], list[str]]:
    students, skipped = [], []
    logins, sis, numbers = table.cells("SIS Login ID"), table.cells("SIS User ID"), table.cells("ID")
    chosen = _ids(table, id_column) if id_column else ("",) * len(table.rows)
    for at, row in enumerate(table.rows):
        if is_no_student(row):
            continue
        if table.column("Student") == 0:
            last, _, first = (part.strip() for part in row[0].partition(","))
        else:
            last, first = row[0].strip(), row[1].strip()
        if (last, first) == ("Student", "Test"):
            skipped.append("'Student, Test', whom Canvas makes for teachers")
            continue
        name = chosen[at] if id_column else logins[at] or sis[at] or numbers[at]
        email = logins[at] if "@" in logins[at] else ""
        students.append(_student(name, first, last, email, numbers[at]))
    return students, skipped


def _ids(table: Table, name: str) -> tuple[str, ...]:
    if table.column(name) is None:
        raise CourseError(f"There is no column {shown(name)!r}.", fix=f"one of {shown(', '.join(table.header))}")
    return table.cells(name)


def _student(name: str, first: str = "", last: str = "", email: str = "", lms_user_id: str = "") -> Student:
    return Student(
        id=unicodedata.normalize("NFC", name),
        first_name=first[:128],
        last_name=last[:128],
        email=email[:128],
        lms_user_id=lms_user_id[:128],
    )


def _check(students: Iterable[Student]) -> None:
    """Raise `CourseError` that says all that is wrong with the ids."""
    problems = []
    folders = Counter(student.id.casefold() for student in students)
    for student in students:
        try:
            check_id(student.id)
        except ValueError as error:
            problems.append(f"{shown(str(student))}: {error}" if student.id else f"{shown(str(student))}: it has no id")
    problems += [f"{shown(name)!r} is the id of {count} rows" for name, count in folders.items() if count > 1 and name]
    if problems:
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise CourseError(
            f"Nothing was changed. {'; '.join(problems[:5])}{more}.",
            fix="correct the file, or choose the column of ids with --id",
        )
