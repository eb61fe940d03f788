"""What a mount does to the files of an image, to who may write, and to what is left when a container goes.

Enters: a `Scratch` world. Leaves: rows of data, one for each thing tried. Creates and removes containers and volumes
there, each once in a world; may import its neighbours.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from docker.errors import NotFound
from docker.models.containers import Container
from docker.types import Mount

from course.lab.scratch import Scratch

USER: Final = 1000
_DOCKERFILE: Final = f"""\
FROM busybox:stable
RUN mkdir /data /mine && echo 'from the image' > /data/image.txt && chown {USER}:{USER} /mine
"""
_SLEEP: Final = ["sleep", "600"]
_REMOVAL_S: Final = 20
"""An engine forgets a container before it removes its volumes (moby/moby daemon/delete.go)."""
Mounts = dict[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The files of a folder in a container, and what was mounted over it."""

    mount: str
    files: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Written:
    """An attempt to write: by which user, to what, and the error's last words, empty when it worked."""

    mount: str
    user: int
    owner: int
    """The user to whom the folder belongs, as the container sees it."""
    error: str

    @property
    def worked(self) -> bool:
        """Whether it could be written."""
        return not self.error


@dataclass(frozen=True, kw_only=True)
class Left:
    """What was still there after a container was removed."""

    how: str
    anonymous_volume: bool
    named_volume: bool


def run_hiding_experiment(scratch: Scratch) -> tuple[Seen, ...]:
    """Mount one thing after the other over a folder in which the image has a file.

    An empty named volume is filled from the image (Docker's documentation, 'Populate a volume using a container');
    whatever else is mounted hides what the image has there.
    """
    image, data = scratch.image(_folder(scratch)), scratch.volume("data")
    used, empty = scratch.volume("used"), scratch.folder / "empty"
    empty.mkdir()
    _in(scratch, image, "fill", {used.name: _at("/x")}, ["sh", "-c", "echo mine > /x/mine.txt"])
    tried: tuple[tuple[str, Mounts, dict[str, str]], ...] = (
        ("no mount", {}, {}),
        ("an empty volume", {data.name: _at("/data")}, {}),
        ("the same volume again", {data.name: _at("/data")}, {}),
        ("a volume that holds something", {used.name: _at("/data")}, {}),
        ("an empty folder of the host", {str(empty): _at("/data")}, {}),
        ("memory (tmpfs)", {}, {"/data": ""}),
    )
    return tuple(
        Seen(mount=what, files=tuple(_in(scratch, image, "see", mounts, ["ls", "/data"], tmpfs=tmpfs)[1].split()))
        for what, mounts, tmpfs in tried
    )


def run_ownership_experiment(scratch: Scratch) -> tuple[Written, ...]:
    """Let an ordinary user, and root, write into one mount after the other."""
    image, shared = scratch.image(_folder(scratch)), scratch.folder / "shared"
    shared.mkdir(mode=0o755)
    volumes = {name: scratch.volume(name).name for name in ("root", "mine", "locked")}
    tried: tuple[tuple[str, str, Mounts], ...] = (
        ("an empty volume, where the image's folder is root's", "/data", {volumes["root"]: _at("/data")}),
        ("an empty volume, where the image's folder is the user's", "/mine", {volumes["mine"]: _at("/mine")}),
        ("a folder of the host", "/shared", {str(shared): _at("/shared")}),
        ("a volume that is mounted read-only", "/data", {volumes["locked"]: _at("/data", "ro")}),
    )
    return tuple(
        _write(scratch, image, what, folder, mounts, user) for what, folder, mounts in tried for user in (USER, 0)
    )


def run_removal_experiment(scratch: Scratch) -> tuple[Left, ...]:
    """Remove a container that has an anonymous and a named volume, in each way that there is."""
    ways: tuple[tuple[str, Callable[[Container], None], bool], ...] = (
        ("docker rm", lambda container: container.remove(force=True), False),
        ("docker rm --volumes", lambda container: container.remove(force=True, v=True), False),
        ("docker run --rm", lambda container: _end(container), True),
    )
    return tuple(_remove(scratch, how, remove, auto) for how, remove, auto in ways)


def _remove(scratch: Scratch, how: str, remove: Callable[[Container], None], auto_remove: bool) -> Left:
    named = scratch.volume(how.split()[-1].strip("-"))
    mounts = [scratch.anonymous_volume("/anonymous"), Mount("/named", named.name)]
    container = scratch.run("busybox:stable", _SLEEP, name="box", mounts=mounts, auto_remove=auto_remove)
    anonymous = next(mount["Name"] for mount in container.attrs["Mounts"] if mount["Destination"] == "/anonymous")
    remove(container)
    stays = _is_there(scratch, anonymous)
    deadline = time.monotonic() + _REMOVAL_S
    while auto_remove and stays and time.monotonic() < deadline:
        time.sleep(0.05)
        stays = _is_there(scratch, anonymous)
    return Left(how=how, anonymous_volume=stays, named_volume=_is_there(scratch, named.name))


def _end(container: Container) -> None:
    container.stop(timeout=0)
    try:
        container.wait(condition="removed")
    except NotFound:
        return


def _is_there(scratch: Scratch, volume: str) -> bool:
    try:
        scratch.client.volumes.get(volume)
    except NotFound:
        return False
    return True


def _write(scratch: Scratch, image: str, what: str, folder: str, mounts: Mounts, user: int) -> Written:
    command = ["sh", "-c", f"exec 2>&1; stat -c %u {folder}; echo hello > {folder}/hello.txt"]
    code, said = _in(scratch, image, "write", mounts, command, user=user)
    owner, _, error = said.partition("\n")
    return Written(mount=what, user=user, owner=int(owner), error=error.rpartition(": ")[2].strip() if code else "")


def _in(scratch: Scratch, image: str, name: str, mounts: Mounts, command: list[str], **options: Any) -> tuple[int, str]:
    """Run a command to its end in a container of its own: its exit code, and what it said."""
    container = scratch.run(image, command, name=name, volumes=mounts, **options)
    try:
        code = int(container.wait()["StatusCode"])
        return code, container.logs().decode(errors="replace")
    finally:
        container.remove(force=True)


def _folder(scratch: Scratch) -> Path:
    folder = scratch.folder / "image"
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(_DOCKERFILE, encoding="utf-8")
    return folder


def _at(target: str, mode: str = "rw") -> dict[str, str]:
    return {"bind": target, "mode": mode}
