"""What is set up on an engine, as tables in a terminal.

Enters: a `Setup` and `Reach`es. Leaves: rich renderables. May import `course.lab`.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final

from rich.table import Table
from rich.text import Text

from course.lab.explain_reach import explain
from course.lab.reach import Answer, Reach
from course.lab.reach_matrix import ReachMatrix
from course.lab.setup import Container, Setup

_STATES: Final = {"running": "green", "paused": "yellow", "exited": "red", "dead": "red"}
_ANSWERS: Final = {Answer.ANSWERED: ("=", "green"), Answer.NOT_RUNNING: (".", "dim")}


def container_table(setup: Setup) -> Table:
    """Each container with its state, networks, published ports and mounts."""
    table = _table("container", "image", "state", "networks", "ports", "mounts")
    for one in setup.containers:
        state = f"exited ({one.exit_code})" if one.state == "exited" else one.state
        networks = "\n".join(f"{at.network} {at.address}".strip() for at in one.networks)
        ports = "\n".join(f"{port.address}:{port.host_port} -> {port.container_port}" for port in one.ports)
        mounts = "\n".join(_mount(one))
        table.add_row(one.name, one.image, Text(state, style=_STATES.get(one.state, "dim")), networks, ports, mounts)
    return table


def network_table(setup: Setup) -> Table:
    """Each network with who is on it, at which address and by which names."""
    table = _table("network", "driver", "subnet", "containers")
    for network in setup.networks:
        on_it = [
            f"{one.name} {at.address} {' '.join(name for name in at.names if not one.id.startswith(name))}".strip()
            for one in setup.containers
            for at in one.networks
            if at.network == network.name
        ]
        driver = network.driver + (", internal" if network.internal else "")
        table.add_row(network.name, driver, ", ".join(network.subnets), "\n".join(on_it))
    return table


def volume_table(setup: Setup) -> Table:
    """Each volume with who has mounted it where."""
    table = _table("volume", "driver", "mounted by")
    for volume in setup.volumes:
        users = [
            f"{one.name} at {mount.target}" + (", read-only" if mount.read_only else "")
            for one in setup.containers
            for mount in one.mounts
            if mount.kind == "volume" and mount.source == volume.name
        ]
        name = f"{volume.name[:12]} (anonymous)" if volume.anonymous else volume.name
        table.add_row(name, volume.driver, "\n".join(users) or Text("nobody", style="dim"))
    return table


def reach_table(setup: Setup, reaches: Sequence[Reach]) -> Table:
    """Each way that was tried, what came of it, and why; of what does not run one line is enough."""
    table = _table("from", "to", "by", "answer", "why, and what would help")
    matrix, last = ReachMatrix(setup, reaches), ("", "")
    for source, target in product(matrix.sources, matrix.targets):
        ways = matrix.all_ways(source, target)
        for reach in ways[:1] if ways and ways[0].answer is Answer.NOT_RUNNING else ways:
            found = explain(setup, reach)
            why = Text(found.why) + (Text(f"\n{found.fix}", style="dim") if found.fix else Text(""))
            by = "any way" if reach.answer is Answer.NOT_RUNNING else f"{reach.address}:{reach.port}"
            names = ("" if last[0] == source else source, "" if last == (source, target) else target)
            table.add_row(*names, by, _answer(reach.answer, reach.answer.value), why)
            last = (source, target)
    return table


def reach_matrix(setup: Setup, reaches: Sequence[Reach]) -> Table:
    """Who reaches whom, at a glance: a row for each source, a column for each target."""
    matrix = ReachMatrix(setup, reaches)
    table = _table("from \\ to", *matrix.targets)
    for source in matrix.sources:
        found = [matrix.best(source, target) for target in matrix.targets]
        table.add_row(source, *(_answer(one.answer, matrix.summary(one)) if one else Text("") for one in found))
    return table


def _answer(answer: Answer, words: str) -> Text:
    mark, style = _ANSWERS.get(answer, ("x", "yellow"))
    return Text(f"{mark} {words}", style=style)


def _mount(container: Container) -> list[str]:
    return [
        f"{mount.source[:12] if len(mount.source) == 64 else mount.source or mount.kind} -> {mount.target}"
        for mount in container.mounts
    ]


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
