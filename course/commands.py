"""What each command of `course` does: parse nothing, call a room, print.

Enters: parsed arguments. Leaves: an exit status: 0 done, 1 failed. Imports the rooms lazily, so that `course --help` is
quick.
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from course.errors import CourseError

if TYPE_CHECKING:
    from docker import DockerClient

    from course.builds.session import Secret

OUT = Console(highlight=False)
ERR = Console(stderr=True, highlight=False)


@contextmanager
def reporting(title: str) -> Iterator[Callable[[str], None]]:
    """A line that says what is being done; where no terminal shows it, as in a log, one line for each thing.

    In a terminal it begins with the first thing that is said: it would wipe away a question that is asked before.
    """
    if ERR.is_terminal:
        state = ERR.status(title)

        def show(doing: str) -> None:
            state.update(escape(doing))
            state.start()

        try:
            yield show
        finally:
            state.stop()
        return
    said = [title]
    ERR.print(title)

    def say(doing: str) -> None:
        if doing != said[-1]:
            said.append(doing)
            ERR.print(escape(doing), soft_wrap=True)

    yield say


def engine_start(arguments: argparse.Namespace) -> int:
    """Find an engine or start one."""
    from course import engine
    from course.commands_vm import start_or_build

    client = start_or_build(install_agreed=arguments.install, kind=arguments.kind, shares=arguments.share)
    if arguments.install and engine.own_kind(client) != "vm":
        _install_recipe_tools(client, agreed=True)
    return _print_status(engine.status(client), arguments)


def engine_stop(arguments: argparse.Namespace) -> int:
    """Stop the engines that the course started."""
    from course.engine import native
    from course.engine.vm import running as vm

    stopped = [native.stop(), vm.stop()]
    OUT.print("The course's engine has stopped." if any(stopped) else "No engine of the course's was running.")
    return 0


def engine_status(arguments: argparse.Namespace) -> int:
    """Say which engine is in use."""
    from course import engine

    try:
        client = engine.connect(start=False)
    except CourseError as error:
        if arguments.json:
            print_json(engine.status(None).to_json())
            return 1
        raise error
    return _print_status(engine.status(client), arguments)


def engine_reset(arguments: argparse.Namespace) -> int:
    """Stop the course's engines and forget everything in them."""
    from course.engine import native
    from course.engine.vm import running as vm

    forgot = [native.reset(), vm.reset()]
    OUT.print("The course's engine is empty again." if any(forgot) else "There was nothing to forget.")
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    """Look at all that the course needs."""
    from rich.table import Table

    from course.doctor import State, can_run, examine

    findings = examine()
    if arguments.json:
        print_json({"can_run": can_run(findings), "findings": [finding.to_json() for finding in findings]})
        return 0 if can_run(findings) else 1
    colour = {State.OK: "green", State.WARNING: "yellow", State.BROKEN: "red"}
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        fix = f"\n[bold]Try:[/] {escape(finding.fix)}" if finding.fix else ""
        state = f"[{colour[finding.state]}]{finding.state.value}[/]"
        table.add_row(finding.name, state, escape(finding.seen) + fix)
    OUT.print(table)
    OUT.print("The course can run here." if can_run(findings) else "[bold red]The course cannot run here yet.[/]")
    return 0 if can_run(findings) else 1


def build(arguments: argparse.Namespace) -> int:
    """Build a folder and say what became of each step."""
    from course.builds import build as run_build
    from course.terminal import LiveSteps, print_result, step_table

    client = connect()
    with LiveSteps(ERR) as live:
        trace = run_build(
            client,
            arguments.directory,
            on_snapshot=None if arguments.json or not ERR.is_terminal else live,
            tag=arguments.tag,
            dockerfile=arguments.file,
            build_args=pairs(arguments.build_arg),
            target=arguments.target,
            no_cache=arguments.no_cache,
            secrets=dict(_secret(item) for item in arguments.secret),
            ssh=dict(_agent(item) for item in arguments.ssh),
        )
    if arguments.json:
        print_json(trace.to_json())
    else:
        if trace.steps:
            OUT.print(step_table(trace))
        print_result(OUT, trace)
    return 0 if trace.ok else 1


def images_list(arguments: argparse.Namespace) -> int:
    """The catalogue, and what of it is on the engine."""
    from dataclasses import asdict

    from rich.table import Table

    from course.images import listing

    rows = listing(connect())
    if arguments.json:
        print_json([asdict(row) for row in rows])
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("image", "origin", "MB", "architecture", "for"):
        table.add_column(heading, justify="right" if heading == "MB" else "left")
    for row in rows:
        size = f"{row.size_bytes / 1e6:.0f}" if row.size_bytes else ""
        stand_in = f"\n[yellow]a stand-in: {escape(row.stand_in)}[/]" if row.stand_in else ""
        table.add_row(row.name, row.origin or "[red]missing[/]", size, row.architecture or "", row.purpose + stand_in)
    OUT.print(table)
    return 0


def images_ensure(arguments: argparse.Namespace) -> int:
    """Make the catalogue's images present."""
    client = connect()
    _ensure(client, arguments.names, consent=arguments.consent or arguments.install, install_agreed=arguments.install)
    return 0


def images_bundle(arguments: argparse.Namespace) -> int:
    """Write images to one file."""
    from course.images import bundle
    from course.terminal import ImageBars

    with ImageBars(ERR) as bars:
        names = bundle(connect(), arguments.file, arguments.names, on_progress=bars)
    OUT.print(f"{arguments.file} holds {', '.join(names)}.")
    return 0


def images_load(arguments: argparse.Namespace) -> int:
    """Put the images of a bundle on the engine."""
    from course.images import load

    with ERR.status("Loading"):
        names = load(connect(), arguments.file)
    OUT.print(f"Loaded {', '.join(names)}.")
    return 0


def tour_order(arguments: argparse.Namespace) -> int:
    """Measure what the order of a Dockerfile's lines costs."""
    from course.clean import clean_session
    from course.lab import OrderBuild, run_order_experiment
    from course.terminal import step_table

    client = connect()
    _ensure(client, ("node:24-slim",), consent=False, install_agreed=False, quiet=True)

    def show(one: OrderBuild) -> None:
        what = f"after an edit of {one.edit}" if one.edit else "from nothing"
        OUT.print(step_table(one.trace, title=f"[bold]{one.dockerfile}[/] order, {what}: {one.trace.seconds:.1f} s"))
        OUT.print()

    try:
        experiment = run_order_experiment(client, on_build=None if arguments.json else show)
    finally:
        clean_session(client)
    if arguments.json:
        print_json(experiment.to_json())
    else:
        OUT.print(f"The same edit costs [bold]{experiment.saved_seconds:.1f} s less[/] in the good order.")
    return 0


def begin(arguments: argparse.Namespace) -> int:
    """Make a copy of an assignment to work in."""
    from course.assignments import begin as make_copy

    OUT.print(f"Yours: {make_copy(arguments.assignment)}", soft_wrap=True)
    return 0


def submit(arguments: argparse.Namespace) -> int:
    """Make the zip to hand in."""
    from course.assignments import submit as make_zip

    OUT.print(f"Hand in: {make_zip(arguments.assignment)}", soft_wrap=True)
    return 0


def clean(arguments: argparse.Namespace) -> int:
    """Remove what the course left on the engine."""
    from course.clean import clean as run_clean

    OUT.print(str(run_clean(connect(start=False), everything=arguments.all, images=arguments.images)))
    return 0


def up(arguments: argparse.Namespace) -> int:
    """Set up everything and open JupyterLab at the lessons."""
    from course import engine
    from course.commands_vm import start_or_build
    from course.up import engine_line, serve

    client = start_or_build(install_agreed=arguments.install)
    status = engine.status(client)
    OUT.print(engine_line(status))
    _ensure(client, (), consent=arguments.install, install_agreed=arguments.install)
    return serve(
        port=arguments.port,
        browser=not arguments.no_browser,
        docker_host=status.docker_host if status.owned else None,
        say=lambda line: OUT.print(line, soft_wrap=True),
    )


def connect(*, start: bool = True) -> "DockerClient":
    from course import engine

    return engine.connect(start=start)


def _ensure(
    client: "DockerClient", names: Sequence[str], *, consent: bool, install_agreed: bool, quiet: bool = False
) -> None:
    from course import images
    from course.terminal import ImageBars

    present = {row.name for row in images.listing(client) if row.present}
    wanted = [entry.name for entry in images.find(names) if entry.name not in present]
    if wanted:
        _install_recipe_tools(client, agreed=install_agreed)
    with ImageBars(ERR) as bars:
        done = images.ensure(client, names, consent=consent, on_progress=bars)
    rows = {row.name: row for row in images.listing(client)}
    for name, origin in () if quiet else done.items():
        stand_in = rows[name].stand_in
        note = f" [yellow](a stand-in: {escape(stand_in)})[/]" if stand_in else ""
        OUT.print(f"Image    {name}, {origin.value}{note}")


def _install_recipe_tools(client: "DockerClient", *, agreed: bool) -> None:
    """Where no registry can be reached, images are built from packages, and that takes a tool or two."""
    from course import images
    from course.engine.install import allowed, install

    tools = images.missing_tools()
    if tools and not images.registry_reachable(client).reachable and allowed(tools, agreed=agreed):
        install(tools)


def _print_status(status: Any, arguments: argparse.Namespace) -> int:
    from course.up import engine_line

    if arguments.json:
        print_json(status.to_json())
    else:
        OUT.print(engine_line(status))
    return 0


def print_json(data: Any) -> None:
    print(json.dumps(data, indent=2, ensure_ascii=False))


def _secret(item: str) -> "tuple[str, Secret]":
    """`id=NAME,src=FILE` or `id=NAME,env=VARIABLE`, as `docker build --secret` has it."""
    from course.builds.session import FromEnvironment

    words = dict(word.partition("=")[::2] for word in item.split(","))
    name, source = words.get("id"), words.get("src") or words.get("source")
    if name and source and Path(source).is_file():
        return name, Path(source)
    if name and words.get("env") in os.environ:
        return name, FromEnvironment(variable=words["env"])
    raise CourseError(
        f"--secret {item!r} names no secret that is there.", fix="id=NAME,src=FILE or id=NAME,env=VARIABLE"
    )


def _agent(item: str) -> tuple[str, Path]:
    """`default`, or `NAME=SOCKET`."""
    name, _, path = item.partition("=")
    path = path or os.environ.get("SSH_AUTH_SOCK", "")
    if not path or not Path(path).exists():
        raise CourseError(f"--ssh {item!r}: there is no agent at {path or 'SSH_AUTH_SOCK'!r}.", fix="start ssh-agent")
    return name, Path(path)


def pairs(items: Sequence[str]) -> dict[str, str]:
    """`K=V` as given with --build-arg."""
    for item in items:
        if "=" not in item:
            raise CourseError(f"--build-arg {item!r} has no value.", fix="--build-arg NAME=VALUE")
    return dict(item.split("=", 1) for item in items)
