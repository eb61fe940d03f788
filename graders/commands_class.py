"""The commands for a class: release, run, feedback, doctor.

Enters: a command line. Leaves: an exit status; 3 where a submission could not be graded. May import all of this room.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from course.commands import ERR, OUT
from course.engine import KINDS, connect
from course.errors import CourseError
from graders.findings import visible
from graders.rubric import LEVELS, Level

if TYPE_CHECKING:
    from graders.workplace import Crew

_COLOURS = {"graded": "green", "graded before": "dim", "could not grade": "yellow"}


def add_commands(commands: Any) -> None:
    """Add them to the subparsers of `graders`."""
    one = _command(commands, "release", release, "make what students get of an assignment")
    one = _command(commands, "run", run, "replay and grade what a class has handed in")
    one.add_argument(
        "--workers", type=_count, help="processes, each with a replay engine (default: `graders doctor`'s)"
    )
    one.add_argument("--students", nargs="+", default=[], metavar="STUDENT", help="only these")
    one.add_argument("--engine", choices=KINDS, default="auto", help="the kind of engine to work on")
    one.add_argument("--level", type=Level, choices=list(Level), help="grade at this level or not at all")
    one.add_argument("--again", action="store_true", help="replay also what has been graded")
    one.add_argument("--scheduler", metavar="ADDRESS", help="work on this dask.distributed cluster")
    one.add_argument("--json", action="store_true")
    one = _command(commands, "feedback", feedback, "make the pages that students may see")
    one.add_argument("--students", nargs="+", default=[], metavar="STUDENT", help="only these")
    one = commands.add_parser("doctor", help="what grading a class needs, and what is here")
    one.set_defaults(run=doctor)
    one.add_argument("--json", action="store_true")


def release(arguments: argparse.Namespace) -> int:
    """Make the released notebook and its folder, and the gradebook's cells."""
    from course.assignments import find_assignment
    from graders.autograde.gradebook import Book
    from graders.autograde.place import class_folder

    name = find_assignment(arguments.assignment).name
    Book().release(name)
    OUT.print(escape(f"What students get is in {class_folder() / 'release' / name}"))
    return 0


def run(arguments: argparse.Namespace) -> int:
    """Grade a class, and say what became of each."""
    from course.assignments import find_assignment
    from graders.classroom import Classroom, find_students
    from graders.levels import choose
    from graders.liveboard import Liveboard

    at_the_workers = arguments.scheduler and arguments.level  # who say in their answers what they cannot
    level = arguments.level if at_the_workers else choose(arguments.engine, arguments.level)
    students = find_students(find_assignment(arguments.assignment), arguments.students)
    ERR.print(LEVELS[level])
    began = time.monotonic()
    with Liveboard(ERR, len(students)) as board:

        def crew(tasks: int) -> "Crew":
            return _crew(arguments, level, tasks, board.say)

        room = Classroom(arguments.assignment, level=level, again=arguments.again, on_progress=board.follow)
        rows = room.run(students, crew)
    seconds = time.monotonic() - began
    if arguments.json:
        print(json.dumps(_as_json(arguments.assignment, level, seconds, rows), indent=2, ensure_ascii=False))
    else:
        print_rows(arguments.assignment, level, seconds, rows)
    return 3 if any(row.state == "could not grade" for row in rows) else 0


def feedback(arguments: argparse.Namespace) -> int:
    """Make a page for each student that has been graded."""
    from course.assignments import find_assignment
    from graders.autograde.gradebook import Book
    from graders.autograde.place import class_folder

    name, book = find_assignment(arguments.assignment).name, Book()
    there = sorted(
        path.name for path in (class_folder() / "autograded").glob("*") if book.has_autograded(name, path.name)
    )
    if missing := sorted(set(arguments.students) - set(there)):
        raise CourseError(f"{', '.join(missing)} has not been graded.", fix=f"graders run {name}")
    for student in arguments.students or there:
        book.write_feedback(name, student)
    OUT.print(
        escape(f"{len(arguments.students or there)} pages: {class_folder() / 'feedback'}/STUDENT/{name}/{name}.html")
    )
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    """Look at what grading needs; the exit status is 1 where something of it is not there."""
    from graders.checkup import examine

    findings = examine()
    if arguments.json:
        print(json.dumps([one.to_json() for one in findings], indent=2, ensure_ascii=False))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        marks = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "broken": "[red]✗[/]"}
        for one in findings:
            fix = f"\n[dim]try:[/] {escape(one.fix)}" if one.fix else ""
            table.add_row(marks[one.state], one.name, f"{escape(one.seen)}{fix}")
        OUT.print(table)
    return 1 if any(one.state == "broken" for one in findings) else 0


def _crew(arguments: argparse.Namespace, level: Level, tasks: int, say: Callable[[str], None]) -> "Crew":
    from graders.checkup import advised_workers
    from graders.workers import Processes

    if arguments.scheduler:
        try:
            from graders.cluster import Cluster
        except ImportError:
            fix = "pip install -e '.[cluster]'"
            raise CourseError("A cluster needs dask.distributed, which is not installed.", fix=fix) from None
        return Cluster(arguments.scheduler, kind=arguments.engine, level=level)
    workers = min(tasks, arguments.workers or advised_workers(level))
    if level is Level.UNSANDBOXED:
        _prepare(arguments, say)
    return Processes(workers, kind=arguments.engine, level=level)


def _prepare(arguments: argparse.Namespace, say: Callable[[str], None]) -> None:
    from graders.rubrics import find_grading
    from graders.sandbox.image import ensure_offline_images, ensure_replay_image

    client = connect(kind=arguments.engine)
    try:  # once, and not in every worker at the same time
        ensure_replay_image(client, on_progress=lambda one: say(f"preparing {one.name}: {one.doing}"))
        images = find_grading(arguments.assignment).images
        ensure_offline_images(client, images, on_progress=lambda one: say(f"preparing {one.name}: {one.doing}"))
    finally:
        client.close()


def _as_json(assignment: str, level: Level, seconds: float, rows: Sequence[Any]) -> dict[str, Any]:
    return {
        "assignment": assignment,
        "level": level.value,
        "seconds": round(seconds, 1),
        "students": [row.to_json() for row in rows],
    }


def print_rows(assignment: str, level: Level, seconds: float, rows: Sequence[Any]) -> None:
    """The summary for people."""
    table = Table(box=None, pad_edge=False)
    for title, justify in (
        ("student", "left"),
        ("score", "right"),
        ("seconds", "right"),
        ("level", "left"),
        ("", "left"),
    ):
        table.add_column(title, justify=justify)  # type: ignore[arg-type]
    for row in rows:
        score = "?" if row.score is None else f"{row.score:g} of {row.max_score:g}"
        said = [row.reason, *(f"note: {note}" for note in row.notes)]
        state = "\n".join([f"[{_COLOURS[row.state]}]{row.state}[/]", *(escape(visible(text)) for text in said if text)])
        table.add_row(escape(visible(row.student)), score, f"{row.seconds:.1f}", row.level, state)
    OUT.print(table)
    ungraded = [row.student for row in rows if row.state == "could not grade"]
    OUT.print(
        f"[bold]{assignment}[/]: {len(rows) - len(ungraded)} of {len(rows)} graded in {seconds:.0f} s, level {level}."
    )
    if level is Level.UNSANDBOXED:
        OUT.print("[dim]Replays ran in a container on this machine's engine: it holds back mistakes, not attackers.[/]")
    if ungraded:
        OUT.print("[yellow]What could not be graded is not a zero. Mend the trouble and run the same command again.[/]")


def _command(commands: Any, name: str, action: Any, text: str) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = commands.add_parser(name, help=text, description=action.__doc__)
    one.set_defaults(run=action)
    one.add_argument("assignment")
    return one


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError("a number from 1 to 64")
    return int(text)
