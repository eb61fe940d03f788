"""What `course ps`, `course net` and `course volumes` do.

Enters: parsed arguments. Leaves: an exit status, as `course.commands` has it. Read-only, but for the helpers of
`course net --reach`, which are gone afterwards.
"""

import argparse
import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.table import Table

from course.commands import ERR, OUT, connect, print_json

if TYPE_CHECKING:
    from course.lab import Setup


def ps(arguments: argparse.Namespace) -> int:
    """Show containers."""
    from course.terminal_setup import container_table

    return _show(arguments, "containers", container_table)


def net(arguments: argparse.Namespace) -> int:
    """Show networks, and who reaches whom."""
    from course.lab import measure_reach, read_setup
    from course.terminal_setup import network_table, reach_matrix, reach_table

    if not arguments.reach:
        return _show(arguments, "networks", network_table)
    client = connect(start=False)
    setup = read_setup(client, everything=arguments.all)
    with ERR.status("Trying every way"):
        reaches = measure_reach(client, setup)
    if arguments.json:
        print_json([dataclasses.asdict(reach) for reach in reaches])
    else:
        OUT.print(reach_matrix(setup, reaches))
        OUT.print()
        OUT.print(reach_table(setup, reaches))
    return 0


def volumes(arguments: argparse.Namespace) -> int:
    """Show volumes."""
    from course.terminal_setup import volume_table

    return _show(arguments, "volumes", volume_table)


def _show(arguments: argparse.Namespace, part: str, table: "Callable[[Setup], Table]") -> int:
    from course.lab import read_setup

    setup = read_setup(connect(start=False), everything=arguments.all)
    if arguments.json:
        print_json(setup.to_json()[part])
    elif getattr(setup, part):
        OUT.print(table(setup))
    else:
        OUT.print(f"No {part} of the course's." if not arguments.all else f"No {part}.")
    return 0
