"""`graders ...`: the judges at a terminal.

Enters: a command line. Leaves: an exit status: 0 it could grade, 3 it could not, 1 failed with a message, 2 a wrong
command line, 130 interrupted.
"""

import argparse
import json
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from course.commands import ERR, OUT
from course.engine import KINDS
from course.errors import CourseError
from graders import commands_class, commands_exchange, commands_vm
from graders.rubric import LEVELS, Report, Status

_MARKS = {
    Status.PASSED: "[green]✓ passed[/]",
    Status.FAILED: "[red]✗ failed[/]",
    Status.COULD_NOT_CHECK: "[yellow]? not checked[/]",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = _parser().parse_args(argv)
    run: Callable[[argparse.Namespace], int] = arguments.run
    try:
        return run(arguments)
    except CourseError as error:
        ERR.print(f"[bold red]{escape(error.message)}[/]\nTry: {escape(error.fix)}")
        return 1
    except KeyboardInterrupt:
        ERR.print("Interrupted.")
        return 130


def check(arguments: argparse.Namespace) -> int:
    """Judge one submission."""
    from graders.judge import judge

    if arguments.stream:
        report = judge(
            arguments.assignment,
            arguments.directory,
            kind=arguments.engine,
            on_outcome=lambda outcome: _say({"outcome": outcome.to_json()}),
            on_findings=lambda findings: _say({"findings": [one.to_json() for one in findings]}),
            on_progress=lambda progress: _say({"doing": f"preparing {progress.name}: {progress.doing}"}),
        )
        _say({"report": report.to_json()})
        return 0 if report.gradable else 3
    with ERR.status("Building what was submitted, editing it and building it again") as status:
        report = judge(
            arguments.assignment,
            arguments.directory,
            kind=arguments.engine,
            on_progress=lambda progress: status.update(f"Preparing {progress.name}: {progress.doing}"),
        )
    if arguments.json:
        print(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    else:
        _print(report)
    return 0 if report.gradable else 3


def explain(arguments: argparse.Namespace) -> int:
    """What a check claims, and an example that it fails and one that it passes."""
    from graders.rubrics import GRADINGS, find_grading

    found = [
        (name, one)
        for name in GRADINGS
        for one in find_grading(name).rubric.checks
        if arguments.check in (one.id, f"{name}.{one.id}")
    ]
    if not found:
        every = ", ".join(f"{name}.{one.id}" for name in GRADINGS for one in find_grading(name).rubric.checks)
        raise CourseError(f"There is no check {arguments.check!r}.", fix=f"one of {every}")
    for name, one in found:
        points = f"{one.points:g} point{'' if one.points == 1 else 's'}"
        OUT.print(f"[bold]{escape(one.claim)}[/]\n[dim]{name}.{one.id}, {points}[/]\n")
        OUT.print(f"Expected: {escape(one.expected)}.\nHint: {escape(one.hint)}\n")
        OUT.print(f"[red]✗ It fails:[/]\n{escape(textwrap.indent(one.wrong.rstrip(), '    '))}\n")
        OUT.print(f"[green]✓ It passes:[/]\n{escape(textwrap.indent(one.right.rstrip(), '    '))}")
    return 0


def _say(event: dict[str, object]) -> None:
    print(json.dumps(event, ensure_ascii=False), flush=True)


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
    if report.level:
        OUT.print(f"[dim]{LEVELS[report.level]}[/]")
    if report.findings:
        OUT.print("\nAlso noticed, worth no points:")
    for finding in report.findings:
        OUT.print(f"  {escape(str(finding))}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="graders", description="Judge what a student's files do.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("check", help="judge one submission", description="Judge one submission.")
    one.set_defaults(run=check)
    one.add_argument("assignment")
    one.add_argument("directory", type=Path)
    one.add_argument("--engine", choices=KINDS, default="auto", help="the kind of engine to work on")
    shown = one.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true")
    shown.add_argument("--stream", action="store_true", help="a line of JSON for each outcome as it is known")
    one = commands.add_parser("explain", help="what a check claims", description="What a check claims, by examples.")
    one.set_defaults(run=explain)
    one.add_argument("check", metavar="CHECK")
    commands_class.add_commands(commands)
    commands_exchange.add_commands(commands)
    commands_vm.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
