"""What of a database is still there after its container was stopped, removed, or made anew: measured, step by step.

Enters: a `Scratch` world. Leaves: `Stage`s, each with the notes that the database then holds. Creates and removes
containers and volumes there; may import `course.errors` and its neighbours.

The database is spoken to with pymongo through a published port, so that mongo and its stand-in are driven alike.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Final

import pymongo
from docker.models.containers import Container
from docker.models.volumes import Volume
from pymongo.errors import PyMongoError

from course.engine.http import docker_host
from course.errors import CourseError
from course.lab.lineage import Deed, Journal, Lineage, renamed
from course.lab.scratch import Scratch, engine_host

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
    """The volume's name here; the engine's anonymous ones are counted."""
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


@dataclass(frozen=True, kw_only=True)
class Persistence:
    """What was found at each stage, and the story of it for the picture."""

    stages: tuple[Stage, ...]
    lineage: Lineage

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"stages": [stage.to_json() for stage in self.stages], "lineage": self.lineage.to_json()}


def run_persistence_experiment(
    scratch: Scratch,
    *,
    on_stage: Callable[[Stage], None] | None = None,
    restart_engine: Callable[[], None] | None = None,
) -> Persistence:
    """Write, stop and start, remove and make anew, first without a volume of one's own and then with one.

    `restart_engine`, where the engine is one's own to restart, adds what is there after that. Raises `CourseError` when
    the database does not answer.
    """
    journal, stages = Journal(), []
    for volume in (None, scratch.volume("data")):
        for stage in _run(scratch, journal, volume, restart_engine):
            stages.append(stage)
            if on_stage:
                on_stage(stage)
    return Persistence(stages=tuple(stages), lineage=renamed(journal.lineage, f"-{scratch.id}"))


def _run(
    scratch: Scratch, journal: Journal, volume: Volume | None, restart_engine: Callable[[], None] | None
) -> Iterator[Stage]:
    kind = "on a named volume" if volume else "without a volume of its own"
    name, note = ("kept", "written on a volume") if volume else ("plain", "written without a volume")
    look = _Watch(scratch, journal, note)

    container = look.made(start_database(scratch, name, volume))
    write_note(container, note)
    look.did(container, Deed.WROTE, notes=(note,))
    yield look.stage(f"write, {kind}", container)
    container.stop(timeout=5)
    look.did(container, Deed.STOPPED)
    container.start()
    look.did(container, Deed.STARTED)
    yield look.stage("stop and start", container)
    if restart_engine:
        restart_engine()
        look.did(container, Deed.ENGINE_RESTARTED)
        container.start()
        look.did(container, Deed.STARTED)
        yield look.stage("restart the engine", container)
    container.remove(force=True, v=True)
    look.did(container, Deed.REMOVED)
    container = look.made(start_database(scratch, name, volume))
    yield look.stage("remove, and make anew", container)
    container.remove(force=True, v=True)
    look.did(container, Deed.REMOVED)


class _Watch:
    """Takes down in a journal what is done to databases, and looks at what they hold."""

    def __init__(self, scratch: Scratch, journal: Journal, note: str) -> None:
        self._scratch, self._journal, self._note = scratch, journal, note

    def did(self, container: Container, deed: Deed, *, notes: tuple[str, ...] = ()) -> None:
        volume, anonymous = self._volume(container)
        concerns = deed in (Deed.CREATED, Deed.WROTE, Deed.READ) or (deed is Deed.REMOVED and anonymous)
        volumes = (volume,) if concerns else ()
        self._journal.note(deed, name=str(container.name), id=str(container.id), volumes=volumes, notes=notes)

    def made(self, container: Container) -> Container:
        self.did(container, Deed.CREATED)
        self.did(container, Deed.STARTED)
        return container

    def stage(self, action: str, container: Container) -> Stage:
        found = read_notes(container)
        self.did(container, Deed.READ, notes=found)
        volume, anonymous = self._volume(container)
        return Stage(
            action=action,
            container=str(container.name).removesuffix(f"-{self._scratch.id}"),
            volume=volume.removesuffix(f"-{self._scratch.id}"),
            anonymous=anonymous,
            written=(self._note,),
            found=found,
        )

    def _volume(self, container: Container) -> tuple[str, bool]:
        mount = next(mount for mount in container.attrs["Mounts"] if mount["Destination"] == DATA)
        name = str(mount["Name"])
        anonymous = not name.endswith(self._scratch.id)
        return (self._journal.call_anonymous(name) if anonymous else name), anonymous


def start_database(scratch: Scratch, name: str, volume: Volume | None) -> Container:
    """A database in a container, on `volume` or on what its image provides."""
    volumes = {volume.name: {"bind": DATA, "mode": "rw"}} if volume else {}
    return scratch.run(IMAGE, name=name, ports={_PORT: (scratch.publish_at, 0)}, volumes=volumes)


def write_note(container: Container, note: str) -> None:
    """Put a note into the database."""
    with closing(_connect(container)) as client:
        client.course.notes.insert_one({"note": note})


def read_notes(container: Container) -> tuple[str, ...]:
    """All notes in the database, in the order in which they were written."""
    with closing(_connect(container)) as client:
        return tuple(str(found["note"]) for found in client.course.notes.find())


def _connect(container: Container) -> "pymongo.MongoClient[dict[str, Any]]":
    """A client, once the database answers; a new container has a new port, and so has one that was started again.

    What is written is on the disk when it returns (`journal`), so that it outlives a kill right behind it.
    """
    deadline = time.monotonic() + _READY_S
    while True:
        container.reload()
        bindings = container.ports.get(_PORT)
        if bindings:
            client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
                _host(container), int(bindings[0]["HostPort"]), serverSelectionTimeoutMS=1000, journal=True
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


def _host(container: Container) -> str:
    assert container.client is not None
    return engine_host(docker_host(container.client))
