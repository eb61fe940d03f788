"""The commands that exchange with a learning platform: roster, collect, due, export, feedback-zip.

Enters: a command line. Leaves: an exit status; 3 where something of a student's could not be taken or has no grade. May
import all of this room.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Rows

from course.errors import CourseError

if TYPE_CHECKING:
    from graders.exchange.exports import Export

OUT = Console(highlight=False, soft_wrap=True)


def add_commands(subparsers: Any) -> None:
    """Add them to the subparsers of `graders`."""
    one = _command(subparsers, "roster", roster, "take the students of a CSV file into the gradebook")
    one.add_argument("file", type=Path, help="your own, Moodle's or Canvas's")
    one.add_argument("--id", metavar="COLUMN", help="the column of ids, which become folders' names")
    one = _command(subparsers, "collect", collect, "take in what students have handed in")
    one.add_argument("assignment")
    one.add_argument("source", type=Path, help="Moodle's or Canvas's zip, or a folder with one of each student")
    one.add_argument("--worksheet", type=Path, metavar="CSV", help="Moodle's grading worksheet: who is who, and when")
    one.add_argument("--map", type=Path, metavar="CSV", help="submission,student[,submitted]: settles what is unclear")
    one.add_argument("--student", metavar="ID", default="", help="SOURCE is this one student's")
    one.add_argument("--late-after", metavar="WHEN", help="mark what came later (default: when it was due)")
    one.add_argument("--entry-times", action="store_true", help="the times in the zip are when it was handed in")
    one.add_argument("--timezone", type=_zone, metavar="NAME", help="of times that name none (default: the computer's)")
    one = _command(subparsers, "due", due, "say when an assignment is due and what being late costs")
    one.add_argument("assignment")
    one.add_argument("when", metavar="WHEN", nargs="?", help="2026-12-01T12:00+01:00, or never; none shows it")
    one.add_argument("--penalty", metavar="RULE", help="none, zero, or how much each day begun costs: 10%%")
    one = _command(subparsers, "export", export, "write grades as Moodle and Canvas import them")
    one.add_argument("assignment")
    one.add_argument("out", type=Path, nargs="?", metavar="OUT", help="default: ASSIGNMENT-FORMAT.csv")
    one.add_argument("--format", choices=("moodle", "canvas", "csv"), default="csv")
    one.add_argument("--template", type=Path, metavar="CSV", help="Moodle's grading worksheet, or Canvas's own export")
    one.add_argument("--column", help="the assignment's title in Canvas, where it has another name")
    one.add_argument("--rescale", action="store_true", help="to the maximum that the platform has")
    one = _command(subparsers, "feedback-zip", feedback_zip, "pack feedback for Moodle")
    one.add_argument("assignment")
    one.add_argument("--template", type=Path, metavar="FILE", help="Moodle's grading worksheet or its download")
    one.add_argument("out", type=Path, metavar="OUT.zip")


def roster(arguments: argparse.Namespace) -> int:
    """Take students into the gradebook."""
    from graders.exchange.gradebook import write_students
    from graders.exchange.names import shown
    from graders.exchange.roster import read_roster
    from graders.exchange.tables import read_table

    read = read_roster(read_table(arguments.file), arguments.id)
    changes = write_students(read.students)
    kind = "a list of your own" if read.platform == "own" else f"{read.platform}'s list"
    _say(f"{kind} of {len(read.students)}: {len(changes.added)} added, {len(changes.updated)} updated.")
    for said, names in (("added", changes.added), ("updated", changes.updated)):
        if names:
            _say(f"  {said}: {', '.join(names)}")
    if read.skipped:
        _say(f"  left out: {shown(', '.join(read.skipped))}")
    if changes.absent:
        _say(f"  in the gradebook and not in the file (nobody is removed): {', '.join(changes.absent)}")
    return 0


def collect(arguments: argparse.Namespace) -> int:
    """Collect submissions, and list those that were not."""
    from course.assignments import find_assignment
    from graders.autograde.place import class_folder
    from graders.exchange.collecting import Known
    from graders.exchange.collecting import collect as take
    from graders.exchange.gradebook import read_due, read_students
    from graders.exchange.matching import parse_time, read_map
    from graders.exchange.names import shown
    from graders.exchange.tables import read_table
    from graders.exchange.worksheet import read_worksheet

    assignment = find_assignment(arguments.assignment)
    students = read_students()
    if not students:
        raise CourseError("There is nobody on the roster.", fix="graders roster FILE.csv")
    known = Known(
        roster=students,
        worksheet=read_worksheet(read_table(arguments.worksheet)) if arguments.worksheet else (),
        mapped=read_map(read_table(arguments.map)) if arguments.map else {},
        zone=arguments.timezone,
        entry_times=arguments.entry_times,
        late_after=parse_time(arguments.late_after) if arguments.late_after else read_due(assignment.name),
        student=arguments.student,
    )
    done = take(assignment, arguments.source, class_folder(), known)
    rows = Rows(box=None, pad_edge=False, show_header=False)
    for one in done.taken:
        when = one.record.submitted.replace("+00:00", " UTC") or "time not known"
        late = "[yellow]LATE[/]" if one.record.late else ""
        rows.add_row(escape(str(one.student)), one.said, escape(", ".join(one.record.files)), when, late)
    for key, problem in done.left:
        rows.add_row(f"[red]{escape(shown(key))}[/]", "[red]not collected[/]", escape(problem))
    OUT.print(rows)
    for name in done.unclear[:10]:
        _say(f"  left out, it is nobody's submission: {name}")
    if len(done.unclear) > 10:
        _say(f"  and {len(done.unclear) - 10} more")
    _say(f"{len(done.taken)} collected, {len(done.left)} not.")
    if done.left:
        _say("A file with the lines `submission,student` settles whose they are: --map FILE.csv")
    if not done.taken and not done.left:
        raise CourseError("There is no submission in it.", fix="give Moodle's or Canvas's zip, or a folder of folders")
    return 3 if done.left else 0


def due(arguments: argparse.Namespace) -> int:
    """Set or show when an assignment is due."""
    from course.assignments import find_assignment
    from graders.autograde.late import check_rule, rule_of, set_rule
    from graders.exchange.gradebook import read_due, set_due
    from graders.exchange.matching import parse_time

    name = find_assignment(arguments.assignment).name
    when = read_due(name)
    if arguments.when or arguments.penalty:
        if arguments.when:
            when = None if arguments.when == "never" else parse_time(arguments.when)
        if arguments.penalty:
            set_rule(name, check_rule(arguments.penalty))
        late = set_due(name, when)
        _say(f"{late} that have been graded lose points for it.")
    here = f" ({when.astimezone():%Y-%m-%d %H:%M %Z} on this computer)" if when else ""
    _say(f"{name} is due {f'{when:%Y-%m-%d %H:%M} UTC' if when else 'never'}{here}; penalty: {rule_of(name)}")
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Write grades, and list who has none."""
    from graders.exchange.gradebook import read_scores
    from graders.exchange.tables import format_table

    name = arguments.assignment
    made = _export(arguments, read_scores(name))
    out = arguments.out or Path(f"{name}-{arguments.format}.csv")
    try:
        out.write_text(format_table(made.table), encoding="utf-8", newline="")
    except OSError as error:
        raise CourseError(f"{str(out)!r} cannot be written: {error.strerror}.", fix="give another path") from error
    _say(f"Written to {out}.")
    for student, why in made.without:
        _say(f"  no grade: {student}, {why}")
    for student in made.missing:
        _say(f"  graded, but not in the template: {student}")
    ungraded = any(why != "nothing handed in" for _, why in made.without)
    return 3 if ungraded or made.missing else 0


def feedback_zip(arguments: argparse.Namespace) -> int:
    """Pack the pages that `graders feedback` has made."""
    from graders.autograde.place import class_folder
    from graders.exchange.gradebook import read_students
    from graders.exchange.returns import find_pages, folders_of_records, folders_of_template, write_zip
    from graders.exchange.stored import Collected

    folders = folders_of_records(Collected(class_folder(), arguments.assignment).records)
    if arguments.template:
        folders |= folders_of_template(arguments.template, read_students())
    pages = find_pages(class_folder(), arguments.assignment)
    unknown = write_zip(arguments.out, folders, pages)
    _say(f"{len(pages) - len(unknown)} students' feedback is in {arguments.out}.")
    for student in unknown:
        _say(f"  not in it, no submission of theirs in Moodle is known: {student}")
    for student in sorted(folders.keys() - pages.keys()):
        _say(f"  not in it, there is no feedback yet: {student}")
    return 3 if unknown else 0


def _export(arguments: argparse.Namespace, scores: Sequence[Any]) -> "Export":
    from graders.exchange import exports
    from graders.exchange.tables import read_table

    name = arguments.assignment
    if arguments.format == "csv":
        return exports.as_csv(name, scores)
    if arguments.format == "moodle" and not arguments.template:
        return exports.for_moodle(name, scores)
    if not arguments.template:
        fix = "export the gradebook in Canvas, and give that file with --template"
        raise CourseError("Canvas takes grades only in a file of its own.", fix=fix)
    template = read_table(arguments.template)
    if arguments.format == "moodle":
        return exports.for_worksheet(template, scores, arguments.rescale)
    return exports.for_canvas(template, name, scores, arguments.column, arguments.rescale)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise argparse.ArgumentTypeError(f"{name!r} is no time zone; for example Europe/Berlin") from error


def _command(
    subparsers: Any, name: str, run: Callable[[argparse.Namespace], int], said: str
) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = subparsers.add_parser(name, help=said, description=f"{said[0].upper()}{said[1:]}.")
    one.set_defaults(run=run)
    return one


def _say(text: str) -> None:
    OUT.print(escape(text))
