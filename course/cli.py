"""`course ...`: the course at a terminal.

Enters: a command line. Leaves: an exit status: 0 done, 1 failed with a message, 2 wrong command line, 130 interrupted.
Thin: it parses; what a command does is in `course.commands`.
"""

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from rich.markup import escape

from course import commands as do
from course import commands_cache as cache
from course import commands_lab as lab
from course import commands_vm as vm
from course.commands import ERR
from course.errors import CourseError

_OF_THE_MACHINE: Final = (*(errno.ENOSPC, errno.EDQUOT), *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR))
"""A full disk, and a folder that is not for this user to write."""
_WRITABLE: Final = "another place, or more space; LAYER_BY_LAYER_HOME names the folder for what the course itself keeps"


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
    except BrokenPipeError:  # `course ... | head`
        sys.stderr.close()
        return 1
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        ERR.print(f"[bold red]{escape(str(error))}[/]\nTry: {_WRITABLE}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="course", description="A Docker course that is run, not read.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = _adder(commands)

    one = command("up", do.up, "set up everything and open JupyterLab at the lessons")
    one.add_argument("--install", action="store_true", help="install what is missing, and ask nothing")
    one.add_argument("--no-browser", action="store_true", help="print the address only")
    one.add_argument("--port", type=int, help="where JupyterLab listens (default: the first free one from 8888)")

    one = command("doctor", do.doctor, "look at all that the course needs, and say what to mend")
    one.add_argument("--json", action="store_true")

    _engine_parser(commands)

    one = command("build", do.build, "build a folder with BuildKit and say what became of each step")
    one.add_argument("directory", type=Path)
    one.add_argument("-f", "--file", default="Dockerfile", help="the Dockerfile, from the folder (default: Dockerfile)")
    one.add_argument("-t", "--tag", help="a name for the image")
    one.add_argument("--build-arg", action="append", default=[], metavar="K=V")
    one.add_argument(
        "--secret", action="append", default=[], metavar="id=NAME,src=FILE", help="or id=NAME,env=VARIABLE"
    )
    one.add_argument("--ssh", action="append", default=[], metavar="default|NAME=SOCKET", help="forward an ssh agent")
    one.add_argument("--target", help="the stage to build (default: the last)")
    one.add_argument("--no-cache", action="store_true", help="run every step")
    one.add_argument("--json", action="store_true")

    _images_parser(commands)

    tour = _adder(
        commands.add_parser("tour", help="a lesson's experiment at the terminal").add_subparsers(required=True)
    )
    one = tour("order", do.tour_order, "what the order of a Dockerfile's lines costs")
    one.add_argument("--json", action="store_true")

    one = command(
        "predict", cache.predict, "say what building AFTER does right after BEFORE was built; no engine is needed"
    )
    one.add_argument("before", type=Path, metavar="BEFORE")
    one.add_argument("after", type=Path, metavar="AFTER")
    one.add_argument("--build-arg", action="append", default=[], metavar="K=V")
    one.add_argument("--target", help="the stage to build (default: the last)")
    one.add_argument("--json", action="store_true")

    one = command("explain", cache.explain, "predict a build, do it, and print both side by side")
    one.add_argument("directory", type=Path)

    one = command("propose", cache.propose, "propose a better order for a Dockerfile, and build both to prove it")
    one.add_argument("directory", type=Path)
    one.add_argument("--apply", action="store_true", help="write the proposed Dockerfile")
    one.add_argument("--no-build", action="store_true", help="only propose; no engine is needed")

    for name, run, summary in (
        ("ps", lab.ps, "the containers of the course"),
        ("net", lab.net, "its networks, and who is on them"),
        ("volumes", lab.volumes, "its volumes, and who has mounted them"),
    ):
        one = command(name, run, summary)
        one.add_argument("--all", action="store_true", help="everything on the engine")
        one.add_argument("--json", action="store_true")
        if name == "net":
            one.add_argument("--reach", action="store_true", help="try who reaches whom, by which name, and say why")

    one = command("begin", do.begin, "make your own copy of an assignment, in notebooks/my-work")
    one.add_argument("assignment")
    one = command("submit", do.submit, "make the zip of an assignment to hand in")
    one.add_argument("assignment")

    one = command("clean", do.clean, "remove what dead sessions of yours left on the engine")
    one.add_argument("--all", action="store_true", help="of living sessions of yours, too")
    one.add_argument("--images", action="store_true", help="and the images of the catalogue")
    return parser


def _engine_parser(commands: Any) -> None:
    group = commands.add_parser("engine", help="find, start and stop a Docker engine")
    command = _adder(group.add_subparsers(required=True, metavar="COMMAND"))
    one = command("start", do.engine_start, "find an engine, or start one of the course's own")
    one.add_argument("--install", action="store_true", help="install or build what is missing, and ask nothing")
    one.add_argument("--kind", choices=("auto", "native", "vm"), default="auto")
    one.add_argument("--share", action="append", type=Path, default=[], help="a folder for bind mounts of a VM engine")
    one.add_argument("--json", action="store_true")
    command("stop", do.engine_stop, "stop the engine that the course started")
    one = command("status", do.engine_status, "say which engine is in use")
    one.add_argument("--json", action="store_true")
    command("reset", do.engine_reset, "stop the course's engine and forget everything in it")
    one = command("build-vm", vm.build_vm, "build an engine in a virtual machine: for any user, with KVM or without")
    one.add_argument(
        "--images", nargs="*", metavar="NAME", help="put these of the course's images in (without names: all)"
    )
    one.add_argument("--mirror", metavar="URL", help="where Debian's packages are (default: as this machine's apt)")
    one.add_argument("--from", dest="from_", type=Path, metavar="FILE", help="take it from a bundle instead")
    one.add_argument("--sha256", help="what the bundle has to be")
    one = command("bundle-vm", vm.bundle_vm, "write that engine to one file, for other machines")
    one.add_argument("file", type=Path)


def _images_parser(commands: Any) -> None:
    group = commands.add_parser("images", help="the images that the course uses")
    command = _adder(group.add_subparsers(required=True, metavar="COMMAND"))
    one = command("list", do.images_list, "the catalogue, and what of it is on the engine")
    one.add_argument("--json", action="store_true")
    one = command("ensure", do.images_ensure, "make images present: pull them, or build them from packages")
    one.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    one.add_argument("--consent", action="store_true", help="let recipes take public names on an engine of your own")
    one.add_argument("--install", action="store_true", help="also install what recipes need, and ask nothing")
    one = command("bundle", do.images_bundle, "write images to one file, for machines of this architecture")
    one.add_argument("file", type=Path)
    one.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    one = command("load", do.images_load, "put the images of a bundle on the engine")
    one.add_argument("file", type=Path)


def _adder(commands: Any) -> Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]:
    def add(name: str, run: Callable[[argparse.Namespace], int], summary: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
        parser.set_defaults(run=run)
        return parser

    return add


if __name__ == "__main__":
    sys.exit(main())
