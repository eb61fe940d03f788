"""How long an edit on the host takes until a running container answers with it: hot reload, measured.

Enters: a `Scratch` world, and the app to run in it. Leaves: a `Reload` for each arrangement. Builds an image, runs it,
edits files; may import its neighbours.

Watchers are told of changes by the kernel (inotify(7)), and only of those that were made through the file system they
look at. Shares from another machine tell them nothing; here an overlay stands for one: its lower folder is edited,
which the overlay shows, without an event (kernel documentation, overlayfs, 'Changes to underlying filesystems').
"""

import http.client
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from docker.errors import APIError
from docker.models.containers import Container

from course.engine.http import run_exec
from course.errors import CourseError
from course.lab.scratch import Scratch

FILE: Final = "src/greeting.js"
SOURCE: Final = "/app/src"
_PORT: Final = "3000/tcp"
_START_TAKES: Final = 6
"""How many times longer than an edit a start may take."""
_PATIENCE_S: Final = 5.0
"""After this long without an answer an edit counts as not seen; a watcher needs well under a second."""
_POLL_S: Final = 0.02


class Share(StrEnum):
    """How the source gets into the container."""

    IMAGE = "copied into the image"
    BIND = "bind mount of the folder"
    FILE = "bind mount of the one file"
    SILENT = "a share without events"


class Watcher(StrEnum):
    """Who starts the program again; the value is the command."""

    NONE = "node server.js"
    NODE = "node --watch server.js"
    NODEMON = "npx nodemon server.js"
    POLLING = "npx nodemon --legacy-watch server.js"


class Edit(StrEnum):
    """How an editor saves."""

    IN_PLACE = "written in place"
    REPLACED = "written beside it and renamed"


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """One thing to try."""

    share: Share
    watcher: Watcher
    edit: Edit = Edit.IN_PLACE


ARRANGEMENTS: Final = (
    Arrangement(share=Share.IMAGE, watcher=Watcher.NODE),
    Arrangement(share=Share.BIND, watcher=Watcher.NONE),
    Arrangement(share=Share.BIND, watcher=Watcher.NODE),
    Arrangement(share=Share.BIND, watcher=Watcher.NODEMON),
    Arrangement(share=Share.BIND, watcher=Watcher.NODEMON, edit=Edit.REPLACED),
    Arrangement(share=Share.FILE, watcher=Watcher.NODEMON, edit=Edit.REPLACED),
    Arrangement(share=Share.SILENT, watcher=Watcher.NODEMON),
    Arrangement(share=Share.SILENT, watcher=Watcher.POLLING),
)
WITHOUT_EVENTS: Final = (*ARRANGEMENTS[:2], Arrangement(share=Share.BIND, watcher=Watcher.POLLING))
"""For an engine in a virtual machine: it sees what is edited here, and hears nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Reload:
    """What came of an edit."""

    share: str
    watcher: str
    edit: str
    in_container: bool
    """Whether the container's file had the edit."""
    seconds: float | None
    """From the edit to the first new answer; None when none came in time."""
    rebuild_seconds: float | None
    """For a copy in the image: from there to the new answer of a new container of a new image."""

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def run_reload_experiment(
    scratch: Scratch,
    app: Path,
    *,
    arrangements: tuple[Arrangement, ...] = ARRANGEMENTS,
    patience_s: float = _PATIENCE_S,
    on_reload: Callable[[Reload], None] | None = None,
) -> tuple[Reload, ...]:
    """Edit a file in each arrangement and wait for the answer, `patience_s` at most; six times as long for a start.

    `app` has a Dockerfile, and answers on port 3000 with what `src/greeting.js` exports. Raises `CourseError` when it
    does not start, or the engine cannot mount a share.
    """
    found = []
    for number, arrangement in enumerate(arrangements):
        folder = scratch.folder / f"live{number}"
        shutil.copytree(app, folder, ignore=shutil.ignore_patterns("node_modules"))
        found.append(_measure(scratch, folder, arrangement, patience_s))
        if on_reload:
            on_reload(found[-1])
    return tuple(found)


def _measure(scratch: Scratch, folder: Path, arrangement: Arrangement, patience_s: float) -> Reload:
    volumes = _volumes(scratch, folder, arrangement.share)
    with _running(scratch, scratch.image(folder), arrangement.watcher, volumes) as container:
        before = _wait(scratch, container, lambda answer: True, patience_s * _START_TAKES)
        if before is None:
            said = container.logs(tail=5).decode(errors="replace")
            raise CourseError(f"The app does not answer: {said}", fix="docker logs, and `course doctor`")
        if arrangement.watcher in (Watcher.NODE, Watcher.NODEMON):
            _wait_for_watches(scratch, container)
        text = f"hello {time.time_ns()}"
        _save(folder / FILE, text, arrangement.edit)
        seconds = _wait(scratch, container, lambda answer: answer == text, patience_s)
        in_container = text in _said(scratch, container, "cat", f"{SOURCE}/greeting.js")
    rebuilt = None
    if arrangement.share is Share.IMAGE:
        began = time.monotonic()
        with _running(scratch, scratch.image(folder), arrangement.watcher, {}) as container:
            _wait(scratch, container, lambda answer: answer == text, patience_s * _START_TAKES)
        rebuilt = time.monotonic() - began
    return Reload(
        share=arrangement.share,
        watcher=arrangement.watcher,
        edit=arrangement.edit,
        in_container=in_container,
        seconds=seconds,
        rebuild_seconds=rebuilt,
    )


@contextmanager
def _running(scratch: Scratch, image: str, watcher: Watcher, volumes: dict[str, dict[str, str]]) -> Iterator[Container]:
    ports = {_PORT: (scratch.publish_at, 0)}
    container = scratch.run(image, watcher.split(), name="live", ports=ports, volumes=volumes, init=True)
    try:
        yield container
    finally:
        container.remove(force=True)


def _volumes(scratch: Scratch, folder: Path, share: Share) -> dict[str, dict[str, str]]:
    source = folder / "src"
    match share:
        case Share.IMAGE:
            return {}
        case Share.BIND:
            return {str(source): {"bind": SOURCE, "mode": "rw"}}
        case Share.FILE:
            return {str(folder / FILE): {"bind": f"{SOURCE}/greeting.js", "mode": "rw"}}
        case Share.SILENT:
            empty = folder / "empty"  # an overlay that only reads has at least two lower folders
            empty.mkdir()
            silent = scratch.volume(folder.name, type="overlay", device="overlay", o=f"lowerdir={source}:{empty}")
            return {str(silent.name): {"bind": SOURCE, "mode": "ro"}}


def _save(file: Path, text: str, edit: Edit) -> None:
    target = file if edit is Edit.IN_PLACE else file.with_suffix(".new")
    target.write_text(f'module.exports = "{text}";\n', encoding="utf-8")
    if edit is Edit.REPLACED:
        target.replace(file)


def _wait(scratch: Scratch, container: Container, accept: Callable[[str], bool], patience_s: float) -> float | None:
    """Seconds until the app gives an answer that is accepted; None when it does not."""
    container.reload()
    bound = container.ports.get(_PORT)
    if not bound:
        return None
    began = time.monotonic()
    while time.monotonic() - began < patience_s:
        answer = _ask(scratch.engine_host, int(bound[0]["HostPort"]))
        if answer is not None and accept(answer):
            return time.monotonic() - began
        time.sleep(_POLL_S)
    return None


def _wait_for_watches(scratch: Scratch, container: Container) -> None:
    """Wait until the watcher has asked the kernel for events (proc(5), fdinfo): the server may be faster than it."""
    deadline = time.monotonic() + 3 * _PATIENCE_S
    before = ""
    while time.monotonic() < deadline:
        watches = _said(scratch, container, "sh", "-c", "grep -h ^inotify /proc/[0-9]*/fdinfo/* 2> /dev/null")
        if watches and watches == before:
            return
        before = watches


def _said(scratch: Scratch, container: Container, *command: str) -> str:
    try:
        return run_exec(scratch.client, str(container.id), command)[1]
    except APIError as error:
        raise CourseError(f"The app has ended: {error.explanation}.", fix="docker logs, and `course doctor`") from error


def _ask(host: str, port: int) -> str | None:
    """The answer, or None while nobody listens."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
