"""What of a database is still there after its container was stopped, removed, or made anew: measured, step by step.

Enters: a `Scratch` world. Leaves: `Stage`s, each with the notes that the database then holds. Creates and removes
containers and volumes there; may import `course.errors` and its neighbours.

The database is spoken to with pymongo through a published port, so that mongo and its stand-in are driven alike.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Final

import pymongo
from docker.models.containers import Container
from docker.models.volumes import Volume
from pymongo.errors import PyMongoError

from course.errors import CourseError
from course.lab.scratch import Scratch

IMAGE: Final = "mongo:8"
DATA: Final = "/data/db"
_PORT: Final = "27017/tcp"
_READY_S: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One moment of the experiment: what was done, to which container on which volume, and what was then found."""

    action: str
    container: str
    volume: str
    """The volume's name; the engine's own for an anonymous one."""
    anonymous: bool
    written: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def lost(self) -> tuple[str, ...]:
        """What was written to this line of containers and is not there any more."""
        return tuple(note for note in self.written if note not in self.found)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "lost": list(self.lost)}


def run_persistence_experiment(
    scratch: Scratch, *, on_stage: Callable[[Stage], None] | None = None
) -> tuple[Stage, ...]:
    """Write, stop and start, remove and make anew, first without a volume of one's own and then with one.

    Raises `CourseError` when the database does not answer.
    """
    stages: list[Stage] = []

    def look(action: str, container: Container, written: tuple[str, ...]) -> None:
        container.reload()
        mount: dict[str, Any] = next((one for one in container.attrs["Mounts"] if one["Destination"] == DATA), {})
        volume = str(mount.get("Name", ""))
        stage = Stage(
            action=action,
            container=container.name or container.short_id,
            volume=volume,
            anonymous=bool(volume) and not volume.endswith(scratch.id),
            written=written,
            found=read_notes(container),
        )
        stages.append(stage)
        if on_stage:
            on_stage(stage)

    for volume in (None, scratch.volume("data")):
        kind = "without a volume of its own" if volume is None else "on a named volume"
        number = "1" if volume is None else "2"
        note = f"written {kind}"
        first = start_database(scratch, f"db{number}", volume)
        write_note(first, note)
        look(f"write, {kind}", first, (note,))
        first.stop(timeout=5)
        first.start()
        look("stop and start", first, (note,))
        first.remove(force=True, v=True)
        second = start_database(scratch, f"db{number}", volume)
        look("remove, and make anew", second, (note,))
        second.remove(force=True, v=True)
    return tuple(stages)


def start_database(scratch: Scratch, name: str, volume: Volume | None) -> Container:
    """A database in a container, on `volume` or on what its image provides."""
    volumes = {volume.name: {"bind": DATA, "mode": "rw"}} if volume else {}
    return scratch.run(IMAGE, name=name, ports={_PORT: ("127.0.0.1", 0)}, volumes=volumes)


def write_note(container: Container, note: str) -> None:
    """Put a note into the database."""
    with closing(_connect(container)) as client:
        client.course.notes.insert_one({"note": note})


def read_notes(container: Container) -> tuple[str, ...]:
    """All notes in the database, in the order in which they were written."""
    with closing(_connect(container)) as client:
        return tuple(str(found["note"]) for found in client.course.notes.find())


def _connect(container: Container) -> "pymongo.MongoClient[dict[str, Any]]":
    """A client, once the database answers; a new container has a new port, and so has one that was started again."""
    deadline = time.monotonic() + _READY_S
    while True:
        container.reload()
        bindings = container.ports.get(_PORT)
        if bindings:
            client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
                "127.0.0.1", int(bindings[0]["HostPort"]), serverSelectionTimeoutMS=1000
            )
            try:
                client.admin.command("ping")
                return client
            except PyMongoError:
                client.close()
        if container.status == "exited" or time.monotonic() > deadline:
            said = container.logs(tail=3).decode(errors="replace").strip()
            raise CourseError(
                f"The database does not answer: {said or container.status}", fix="course images ensure mongo:8"
            )
        time.sleep(0.1)
