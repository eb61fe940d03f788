"""Whose a submission is: one student of the roster, or an answer why not.

Enters: `HandedIn`, the roster, a worksheet, a person's own map. Leaves: `Match`es. Pure; may import `course.errors` and
its neighbours.

What can mean two students means none: it is listed, and `--map` settles it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from course.errors import CourseError
from graders.exchange.names import Platform, shown, squash
from graders.exchange.roster import Student
from graders.exchange.sources import HandedIn
from graders.exchange.tables import Table
from graders.exchange.worksheet import Participant


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """What a person says of a submission: whose it is, and perhaps when it was handed in."""

    student: str
    submitted: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Match:
    """A submission and its student, or why it has none; `participant` is the worksheet's row."""

    handed_in: HandedIn
    student: Student | None = None
    participant: Participant | None = None
    problem: str = ""


@dataclass(frozen=True)
class Index:
    """The roster, to be looked up by what platforms write."""

    students: Sequence[Student]
    by_id: dict[str, Student] = field(init=False, default_factory=dict)
    by_number: dict[str, list[Student]] = field(init=False, default_factory=lambda: defaultdict(list))
    by_email: dict[str, list[Student]] = field(init=False, default_factory=lambda: defaultdict(list))
    by_name: dict[str, list[Student]] = field(init=False, default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for student in self.students:
            self.by_id[student.id.casefold()] = student
            if student.lms_user_id:
                self.by_number[student.lms_user_id].append(student)
            if student.email:
                self.by_email[student.email.casefold()].append(student)
            for name in student.names:
                self.by_name[name].append(student)

    def with_id(self, name: str) -> list[Student]:
        """The student of this id, in small or capital letters."""
        found = self.by_id.get(name.casefold()) if name else None
        return [found] if found else []

    def of_participant(self, row: Participant) -> list[Student]:
        """Who a row of Moodle's is: by an id, then by the address, then by the name."""
        return (
            self.with_id(row.id_number)
            or self.with_id(row.user_name)
            or self.with_id(row.email)
            or self.by_email.get(row.email.casefold() or "-", [])
            or self.by_name.get(squash(row.full_name), [])
        )


def read_map(table: Table) -> dict[str, Mapped]:
    """A person's own `submission,student[,submitted]`; the last is ISO 8601 with an offset from UTC."""
    if table.column("submission") is None or table.column("student") is None:
        raise CourseError("The map has no columns 'submission' and 'student'.", fix="begin it with submission,student")
    found = {}
    for key, student, text in zip(*(table.cells(name) for name in ("submission", "student", "submitted")), strict=True):
        found[key] = Mapped(student=student, submitted=parse_time(text) if text else None)
    return found


def parse_time(text: str) -> datetime:
    """A moment, in UTC; raises `CourseError` where no time zone is named."""
    fix = "for example 2026-12-01T12:00+01:00"
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CourseError(f"{shown(text)!r} is no time.", fix=fix) from error
    raise CourseError(f"{text!r} does not say in which time zone.", fix=fix)


def match_all(
    submissions: Iterable[HandedIn],
    roster: Sequence[Student],
    worksheet: Sequence[Participant] = (),
    mapped: Mapping[str, Mapped] | None = None,
) -> tuple[Match, ...]:
    """A match for each submission, in the same order; two submissions of one student are two problems."""
    index = Index(roster)
    rows = {row.number: row for row in worksheet}
    found = [_match(one, index, rows.get(one.label.number), mapped or {}) for one in submissions]
    counts = Counter(match.student.id for match in found if match.student)
    return tuple(
        Match(handed_in=match.handed_in, problem=f"{counts[match.student.id]} submissions are {match.student}'s")
        if match.student and counts[match.student.id] > 1
        else match
        for match in found
    )


def _match(one: HandedIn, index: Index, row: Participant | None, mapped: Mapping[str, Mapped]) -> Match:
    row = row if one.label.platform is Platform.MOODLE else None
    if one.key in mapped:
        name = mapped[one.key].student
        found = index.with_id(name)
        if not found:
            raise CourseError(
                f"The map names {shown(name)!r}, who is not on the roster.", fix="`graders roster FILE.csv`"
            )
    elif row:
        found = index.of_participant(row)
    else:
        found = _by_label(one, index)
    if len(found) == 1:
        return Match(handed_in=one, student=found[0], participant=row)
    if found:
        return Match(handed_in=one, problem=f"it could be {' or '.join(str(student) for student in found)}")
    name = row.full_name if row else one.label.name or one.label.number
    return Match(handed_in=one, problem=f"nobody on the roster is {shown(name)!r}")


def _by_label(one: HandedIn, index: Index) -> list[Student]:
    label = one.label
    if label.platform is Platform.CANVAS:
        certain = index.by_number.get(label.number) or index.with_id(label.number)
        if certain:
            return certain
        # whoever is known by another number is another person of the same name
        return [student for student in index.by_name.get(squash(label.name), []) if not student.lms_user_id]
    if label.platform is Platform.FOLDER:
        exact = [student for student in index.students if student.id == label.name]
        return exact or index.with_id(label.name) or index.by_name.get(squash(label.name), [])
    return index.by_name.get(squash(label.name), [])
