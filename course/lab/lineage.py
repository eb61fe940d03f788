"""What happened to containers and to the volumes they wrote to, in order: `Journal`, `Lineage`.

Enters: deeds as they are done, or snapshots of a set-up one after the other. Leaves: `Lineage`, plain data for the
picture. Pure; may import `course.lab.setup`'s nouns.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from course.lab.setup import Container, Setup


class Deed(StrEnum):
    """What was done to a container."""

    CREATED = "created"
    STARTED = "started"
    STOPPED = "stopped"
    REMOVED = "removed"
    WROTE = "wrote"
    READ = "read"
    ENGINE_RESTARTED = "engine restarted"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One deed. `container` is a name, `generation` counts from 1 the containers that have had it. For CREATED
    `volumes` are those mounted, for WROTE and READ the one that was used, for REMOVED those that went with it; `notes`
    are what was written, or was found.
    """

    deed: Deed
    container: str
    generation: int = 1
    volumes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """All moments in their order."""

    moments: tuple[Moment, ...]
    anonymous: tuple[str, ...] = ()
    """The volumes that the engine named."""

    @property
    def containers(self) -> tuple[tuple[str, int], ...]:
        """Names and generations, in the order in which they came up."""
        return tuple(dict.fromkeys((one.container, one.generation) for one in self.moments if one.container))

    @property
    def volumes(self) -> tuple[str, ...]:
        """Volumes in the order in which they came up."""
        return tuple(dict.fromkeys(volume for one in self.moments for volume in one.volumes))

    @property
    def lost(self) -> tuple[str, ...]:
        """Notes that a container wrote and that the last of its name to look did not find."""
        last = {one.container: one.notes for one in self.moments if one.deed is Deed.READ}
        written = dict.fromkeys(
            (one.container, note) for one in self.moments if one.deed is Deed.WROTE for note in one.notes
        )
        return tuple(note for container, note in written if note not in last.get(container, (note,)))

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


class Journal:
    """Takes down what happens; a container is known by its id, so that the next one of its name is told apart."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []
        self._generations: dict[str, dict[str, int]] = {}
        self._anonymous: dict[str, str] = {}
        self._seen: Setup | None = None

    @property
    def lineage(self) -> Lineage:
        """All that was taken down so far."""
        return Lineage(moments=tuple(self._moments), anonymous=tuple(self._anonymous.values()))

    def note(self, deed: Deed, *, name: str, id: str, volumes: Iterable[str] = (), notes: Iterable[str] = ()) -> Moment:
        """Take down a deed; of an anonymous volume the engine's long name is told by `call_anonymous`."""
        generations = self._generations.setdefault(name, {})
        generation = generations.setdefault(id, len(generations) + 1)
        named = tuple(self._anonymous.get(volume, volume) for volume in volumes)
        moment = Moment(deed=deed, container=name, generation=generation, volumes=named, notes=tuple(notes))
        self._moments.append(moment)
        return moment

    def call_anonymous(self, volume: str) -> str:
        """A short name for a volume that the engine named; the same one each time."""
        return self._anonymous.setdefault(volume, f"anonymous {len(self._anonymous) + 1}")

    def see(self, setup: Setup) -> tuple[Moment, ...]:
        """Compare a snapshot with the one before it, and take down what must have happened between them."""
        before = {one.id: one for one in self._seen.containers} if self._seen else {}
        after = {one.id: one for one in setup.containers}
        count, there = len(self._moments), {volume.name for volume in setup.volumes}
        anonymous = {volume.name for volume in setup.volumes if volume.anonymous}
        mounted = [mount.source for one in setup.containers for mount in one.mounts]  # in an order that is no chance
        for name in dict.fromkeys((*mounted, *sorted(anonymous))):
            if name in anonymous:
                self.call_anonymous(name)
        for id in [*before, *(id for id in after if id not in before)]:
            one = after.get(id) or before[id]
            for deed in _deeds(before.get(id), after.get(id)):
                volumes = _volumes(one) if deed in (Deed.CREATED, Deed.REMOVED) else ()
                if deed is Deed.REMOVED:
                    volumes = tuple(name for name in volumes if name not in there)
                self.note(deed, name=one.name, id=one.id, volumes=volumes)
        self._seen = setup
        return tuple(self._moments[count:])


def renamed(lineage: Lineage, suffix: str) -> Lineage:
    """The same without a scratch world's suffix on every name."""
    return replace(
        lineage,
        moments=tuple(
            replace(
                one,
                container=one.container.removesuffix(suffix),
                volumes=tuple(volume.removesuffix(suffix) for volume in one.volumes),
            )
            for one in lineage.moments
        ),
    )


def _deeds(before: Container | None, after: Container | None) -> Iterator[Deed]:
    if before is None:
        yield Deed.CREATED
    was_running = before is not None and before.state == "running"
    is_running = after is not None and after.state == "running"
    if is_running and not was_running:
        yield Deed.STARTED
    if was_running and not is_running:
        yield Deed.STOPPED
    if after is None:
        yield Deed.REMOVED


def _volumes(container: Container) -> tuple[str, ...]:
    return tuple(mount.source for mount in container.mounts if mount.kind == "volume")
