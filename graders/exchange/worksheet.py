"""Moodle's grading worksheet: who is who in one assignment, and when each handed in.

Enters: a `Table`. Leaves: `Participant`s. Pure; may import `course.errors` and its neighbours.

`mod/assign/gradingtable.php` writes the columns `Identifier` ("Participant 1234567"), `Full name`, identity fields like
`ID number` and `Email address`, `Status`, `Grade`, `Maximum grade`, `Last modified (submission)` and `Last modified
(grade)`; `mod/assign/feedback/offline/importgradeslib.php` takes grades back by `Identifier`, `Grade` and the last, all
in the language of whoever uploads it. The times are in that person's time zone and do not name it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from course.errors import CourseError
from graders.exchange.names import shown
from graders.exchange.tables import Table

IDENTIFIER: Final = "Identifier"
GRADE: Final = "Grade"
MAXIMUM: Final = "Maximum grade"
MODIFIED: Final = "Last modified (grade)"
SUBMITTED: Final = "Last modified (submission)"
_TIMES: Final = tuple(
    f"{weekday}{date}, {time}"
    for weekday in ("%A, ", "")
    for date in ("%d %B %Y", "%B %d, %Y")
    for time in ("%I:%M %p", "%H:%M")
)


@dataclass(frozen=True, kw_only=True)
class Participant:
    """One row: `number` is the participant's in this assignment, `submitted` is in no time zone."""

    number: str
    full_name: str
    id_number: str
    user_name: str
    email: str
    submitted: datetime | None
    late: bool


def is_worksheet(table: Table) -> bool:
    """Whether it is a grading worksheet in English."""
    return all(table.column(name) is not None for name in (IDENTIFIER, GRADE, MODIFIED))


def read_worksheet(table: Table) -> tuple[Participant, ...]:
    """The participants, one for each row; raises `CourseError` where it is no worksheet."""
    if not is_worksheet(table):
        fix = f"'Download grading worksheet' in Moodle, in English: it has {IDENTIFIER!r}, {GRADE!r}, {MODIFIED!r}"
        raise CourseError(f"This is no grading worksheet: {shown(', '.join(table.header))}.", fix=fix)
    columns = (IDENTIFIER, "Full name", "ID number", "Username", "Email address", SUBMITTED, "Status")
    found = zip(*(table.cells(name) for name in columns), strict=True)
    return tuple(_participant(*row) for row in found)


def _participant(
    identifier: str, full_name: str, id_number: str, user_name: str, email: str, submitted: str, status: str
) -> Participant:
    number = re.search(r"\d+$", identifier)
    return Participant(
        number=number.group() if number else "",
        full_name=re.sub(r"<[^>]*>", "", full_name).strip(),  # Moodle marks suspended ones with an image
        id_number=id_number,
        user_name=user_name,
        email=email,
        submitted=_time(submitted),
        late=bool(re.search(r"\blate\b", status)),
    )


def _time(text: str) -> datetime | None:
    """Moodle's 'Wednesday, 10 June 2026, 2:14 PM', or the American order; None for '-' and what else there may be."""
    plain = " ".join(text.split())
    for form in _TIMES:
        try:
            return datetime.strptime(plain, form)
        except ValueError:
            continue
    return None


def in_zone(time: datetime, zone: tzinfo | None) -> datetime:
    """A wall clock's time as UTC; `zone` None is this computer's. Of an hour that comes twice it is the first."""
    local = time.replace(tzinfo=zone) if zone else time.astimezone()
    return local.astimezone(UTC)
