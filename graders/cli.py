"""`graders ...`: the judges at a terminal.

Enters: a command line. Leaves: an exit status: 0 it could grade, 3 it could not, 1 failed with a message, 2 a wrong
command line, 130 interrupted.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course.errors import CourseError
from graders.judge import judge
from graders.rubric import Report, Status

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)
_MARKS = {
    Status.PASSED: "[green]✓ passed[/]",
    Status.FAILED: "[red]✗ failed[/]",
    Status.COULD_NOT_CHECK: "[yellow]? not checked[/]",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        with ERR.status("Building what was submitted, editing it and building it again"):
            report = judge(arguments.assignment, arguments.directory)
    except CourseError as error:
        ERR.print(f"[bold red]{escape(error.message)}[/]\nTry: {escape(error.fix)}")
        return 1
    except KeyboardInterrupt:
        ERR.print("Interrupted.")
        return 130
    if arguments.json:
        print(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    else:
        _print(report)
    return 0 if report.gradable else 3


def _print(report: Report) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    for outcome in report.outcomes:
        got = outcome.points if outcome.status is Status.PASSED else 0
        lines = [escape(outcome.claim)]
        if outcome.status is not Status.PASSED:
            details = {"expected": outcome.expected, "seen": outcome.actual, "hint": outcome.hint}
            lines += [f"[dim]{name}:[/] {escape(text)}" for name, text in details.items() if text]
        table.add_row(_MARKS[outcome.status], "\n".join(lines), f"{got:g} of {outcome.points:g}")
    OUT.print(table)
    if report.gradable:
        OUT.print(f"[bold]{report.score:g} of {report.max_score:g}[/]")
    else:
        OUT.print("[bold yellow]This could not be graded. It is not a zero.[/]")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="graders", description="Judge what a student's files do.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("check", help="judge one submission", description="Judge one submission.")
    one.add_argument("assignment")
    one.add_argument("directory", type=Path)
    one.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
