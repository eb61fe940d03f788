"""Collect one assignment of a class: from a download to folders that nbgrader takes.

Enters: a source, the roster, what a person adds. Leaves: `Collection`, and the folders. Reads and writes files; may
import `course.assignments` and its neighbours.

When a submission was handed in is in no download: Moodle and Canvas write their zips while they are downloaded, and the
entries have the time of that (Moodle's `zip_writer.php` and Canvas's `content_zipper.rb` set none). Moodle's grading
worksheet has it, a map can have it, and only where a person says so are the entries' times taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path

from course.assignments import Assignment
from course.errors import CourseError
from graders.exchange.entries import Unsafe
from graders.exchange.matching import Mapped, Match, match_all
from graders.exchange.names import Platform, shown
from graders.exchange.picking import Wanted, pick
from graders.exchange.roster import Student
from graders.exchange.sources import Download, all_of_one, open_source, split
from graders.exchange.stored import Collected, Record, digest_of
from graders.exchange.worksheet import Participant, in_zone


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known besides the download. `zone` is that of times that name none, this computer's where it is None."""

    roster: Sequence[Student]
    worksheet: Sequence[Participant] = ()
    mapped: Mapping[str, Mapped] = field(default_factory=dict)
    zone: tzinfo | None = None
    entry_times: bool = False
    late_after: datetime | None = None
    student: str = ""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A submission that was looked at, and what became of it."""

    student: Student
    said: str
    record: Record


@dataclass(frozen=True, kw_only=True)
class Collection:
    """What became of a source: `left` are the submissions that were not collected, and why."""

    platform: Platform
    taken: tuple[Taken, ...]
    left: tuple[tuple[str, str], ...]
    unclear: tuple[str, ...]


def wanted_of(assignment: Assignment) -> Wanted:
    """The files that students hand in of an assignment."""
    notebooks = tuple(sorted(path.name for path in assignment.folder.glob("*.ipynb")))
    return Wanted(name=assignment.name, artifacts=assignment.artifacts, notebooks=notebooks)


def collect(assignment: Assignment, source: Path, class_folder: Path, known: Known) -> Collection:
    """Collect what can be; one bad submission stops no other."""
    wanted = wanted_of(assignment)
    collected = Collected(class_folder, assignment.name)
    taken, left = [], []
    with open_source(source) as entries:
        download = all_of_one(entries, known.student) if known.student else split(entries, wanted.files)
        _check_whose(download, assignment)
        for match in match_all(download.submissions, known.roster, known.worksheet, known.mapped):
            key = match.handed_in.key
            if not match.student:
                left.append((key, match.problem))
                continue
            try:
                files = pick(match.handed_in.entries, wanted)
            except Unsafe as problem:
                left.append((key, shown(f"{problem}", 300)))
                continue
            record = _record(match, files, known)
            taken.append(
                Taken(student=match.student, said=collected.take(match.student.id, files, record), record=record)
            )
    return Collection(platform=download.platform, taken=tuple(taken), left=tuple(left), unclear=download.unclear)


def _check_whose(download: Download, assignment: Assignment) -> None:
    keys = [one.key for one in download.submissions]
    if keys == [assignment.name] and download.platform is Platform.FOLDER and not download.submissions[0].label.number:
        raise CourseError(
            f"This is what `course submit {assignment.name}` made, and does not say whose it is.",
            fix="say it with --student ID, or give a folder with one folder or zip for each student",
        )


def _record(match: Match, files: Mapping[str, bytes], known: Known) -> Record:
    one = match.handed_in
    submitted = _submitted(match, known)
    late = one.late or bool(match.participant and match.participant.late)
    if submitted and known.late_after:
        late = submitted > known.late_after
    return Record(
        platform=one.label.platform.value,
        key=one.key,
        folder=one.folder,
        submitted=submitted.isoformat() if submitted else "",
        late=late,
        sequence=one.sequence,
        digest=digest_of(files),
        files=tuple(sorted(files)),
    )


def _submitted(match: Match, known: Known) -> datetime | None:
    mapped = known.mapped.get(match.handed_in.key)
    if mapped and mapped.submitted:
        return mapped.submitted
    if match.participant and match.participant.submitted:
        return in_zone(match.participant.submitted, known.zone)
    if known.entry_times and match.handed_in.modified:
        return in_zone(match.handed_in.modified, known.zone)
    return None
