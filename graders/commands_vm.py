"""What the command around the graders' virtual machine does.

Enters: parsed arguments. Leaves: an exit status. Imports the rooms lazily, so that `graders --help` is quick.
"""

import argparse
from typing import Any

from course.commands import OUT, reporting


def add_commands(commands: Any) -> None:
    """`graders build-vm`."""
    one = commands.add_parser("build-vm", help="build the virtual machine that submissions are replayed in")
    one.add_argument("--mirror", metavar="URL", help="where Debian's packages are (default: as this machine's apt)")
    one.set_defaults(run=build_vm)


def build_vm(arguments: argparse.Namespace) -> int:
    """Build it from what the engine of this machine makes or has."""
    from course.commands_vm import machine_source
    from course.engine import connect
    from graders.rubrics import GRADINGS, find_grading
    from graders.sandbox.isolated import build_guest

    names = sorted({image for name in GRADINGS for image in find_grading(name).images})
    donor = connect()
    with reporting("Building the virtual machine to grade in") as say:
        build_guest(
            machine_source(arguments.mirror),
            donor,
            names,
            say=say,
            on_progress=lambda progress: say(f"{progress.name}: {progress.doing}"),
        )
    OUT.print("The virtual machine is built: `graders check ASSIGNMENT DIR --engine vm`.")
    return 0
