"""Where the VM engine's files are.

Enters: the user's data folder. Leaves: paths, and what the guest's manifest says. May import `course.errors` and
`course.folders`.

What the files of the running machine mean, in the order in which they come:

- `run/lock`: its keeper lives for as long as it holds this lock; within are the pid, and where that means something
- `run/keeper.json`: QEMU runs; `run/engine.sock` and `run/control.sock` are sockets of QEMU's and of the keeper's
- `run/docker.sock`: it was ready, and so has something to lose

And those of what it holds:

- `kept/disk.qcow2`: what differs from the guest's disk, of use with the memory that belongs to it only
- `kept/state.new`, then `kept/state`, then `kept/accelerator`: the memory is written, is whole, and it was stopped well
- `kept/resumed/state`: it was started from there once, and never is again; `kept/accelerator` goes when that worked
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from course.errors import CourseError
from course.folders import data_folder

_SOCKET_LIMIT: Final = 107
"""The bytes of a Unix socket's path (unix(7))."""
_LONGEST_SOCKET: Final = "control.sock"

SHORT: Final = Path("/tmp")
"""Where folders for sockets have short paths."""
NOTES: Final = "notes"
"""A guest's folder for what its filler notes of it."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a guest was made of: `packages` and the version of each, the `images` in it, `snapshots` by accelerator; and
    the `version` of what was done in it, as its maker names it.
    """

    suite: str
    packages: Mapping[str, str]
    images: tuple[str, ...]
    memory_mib: int
    snapshots: Mapping[str, int]
    """The number of processors of each."""
    version: str = ""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The files of one user's VM engine, all below `root` but for sockets that would be too deep there."""

    root: Path

    @property
    def guest(self) -> Path:
        """What was built: QEMU, kernel, disk and snapshots. Nothing changes it."""
        return self.root / "guest"

    @property
    def notes(self) -> Path:
        """What the guest's filler noted of it."""
        return self.guest / NOTES

    @property
    def kept(self) -> Path:
        """What the engine holds beyond its guest: the changed parts of the disk; once stopped, its memory too."""
        return self.root / "kept"

    @property
    def run(self) -> Path:
        """Sockets and logs of the running machine."""
        return runtime_folder(self.root / "run")

    @property
    def docker_host(self) -> str:
        """The address of the engine."""
        return f"unix://{self.run / 'docker.sock'}"


def place() -> Place:
    """Where this user's VM engine lives, built or not."""
    return Place(root=data_folder() / "vm")


def runtime_folder(folder: Path) -> Path:
    """`folder`, or where its sockets would be too deep, a short one: the same whatever the environment says."""
    if takes_sockets(folder):
        return folder
    name = f"layer-by-layer-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
    return SHORT / name


def takes_sockets(folder: Path) -> bool:
    """Whether the paths of sockets in `folder` are short enough."""
    return len(os.fsencode(folder / _LONGEST_SOCKET)) <= _SOCKET_LIMIT


def is_own(folder: Path) -> bool:
    """Whether `folder` is a real one, and of this user's."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def make_private(folder: Path) -> None:
    """Make `folder`, for this user alone; raises `CourseError` when somebody else has it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not is_own(folder):
        raise CourseError(
            f"{folder} belongs to somebody else.", fix="set LAYER_BY_LAYER_HOME to a folder with a short path"
        )
    folder.chmod(0o700)


def read_manifest(guest: Path) -> Manifest | None:
    """The manifest of a guest that was built to the end; None where there is none. Raises `ValueError` for another
    file of that name.
    """
    with suppress(FileNotFoundError):
        noted = json.loads((guest / "manifest.json").read_text(encoding="utf-8"))
        try:
            known = {one.name: noted[one.name] for one in fields(Manifest) if one.name in noted}
            return Manifest(**{**known, "images": tuple(known["images"])})
        except (TypeError, KeyError) as error:
            raise ValueError(f"{guest / 'manifest.json'} is of something else") from error
    return None
