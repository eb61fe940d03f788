"""Databases that speak MongoDB's protocol: found by their answer, written to, read, and the files that hold the data.

Enters: a `World` that is up. Leaves: names of containers, notes, places on the disk. Writes documents; may import
`course` and its neighbours.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from course.lab.setup import Container, Mount, Setup
from graders.evidence.world import World

LARGEST_FILE: Final = "256M"
"""A database has just written what is looked for, and to no larger file."""
_PATIENCE_MS: Final = 2000
_SEARCH_S: Final = 5
_ASK: Final = """
import { MongoClient } from "mongodb";
const answers = {};
await Promise.all(Object.entries(ARGUMENTS.addresses).map(async ([name, address]) => {
  const options = { directConnection: true, serverSelectionTimeoutMS: ARGUMENTS.patience_ms };
  const client = new MongoClient(`mongodb://${address}:27017`, options);
  try {
    await client.db("admin").command({ hello: 1 });
    answers[name] = [];
    const notes = client.db("graders").collection("notes");
    const note = ARGUMENTS.notes[name];
    const wanted = note && !(await notes.findOne({ note }));
    if (wanted) await notes.insertOne({ note }, { writeConcern: { w: 1, journal: true } });
    answers[name] = (await notes.find().toArray()).map((found) => found.note);
  } catch {
  } finally {
    await client.close();
  }
}));
console.log(JSON.stringify(answers));
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where data lies: in a volume with a name, in an `anonymous` one, or in a folder; mounted at `target`."""

    kind: str
    name: str
    target: str

    @property
    def anonymous(self) -> bool:
        """Whether the engine made up its name, which nobody will know again."""
        return self.kind == "anonymous"


def ask_databases(world: World, notes: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The containers that answer as a database, each with the notes in it; those in `notes` are first given theirs."""
    addresses = {one.name: address for one in world.setup().containers if (address := _address(one))}
    if not addresses:
        return {}
    patience_ms = round(_PATIENCE_MS * world.engine.pace)
    ran = world.node(_ASK, {"addresses": addresses, "notes": dict(notes), "patience_ms": patience_ms})
    try:
        found: dict[str, Any] = json.loads(ran.output.splitlines()[-1])
    except (IndexError, ValueError):
        return {}
    return {name: tuple(map(str, found[name])) for name in sorted(found)}


def places_with(world: World, setup: Setup, note: str) -> dict[str, tuple[Place, ...]]:
    """The running containers that have a file with this text in one of their mounts, and in which of them."""
    mounts = [(one.name, mount) for one in setup.containers if one.state == "running" for mount in one.mounts]
    paths = sorted({path for _, mount in mounts if (path := _path(mount))})
    holding = set(_holding(world, paths, note))
    anonymous = {volume.name for volume in setup.volumes if volume.anonymous}
    found: dict[str, tuple[Place, ...]] = {}
    for name, mount in mounts:
        if _path(mount) in holding:
            kind = "anonymous" if mount.source in anonymous else mount.kind
            place = Place(kind=kind, name=mount.source, target=mount.target)
            found[name] = (*found.get(name, ()), place)
    return found


def _address(container: Container) -> str | None:
    if container.state != "running":
        return None
    if container.network_mode == "host":
        return "127.0.0.1"
    return next((one.address for one in container.networks if one.address), None)


def _path(mount: Mount) -> str | None:
    """Where the engine keeps what is mounted (moby volume/local/local.go); nowhere for memory."""
    match mount.kind:
        case "volume":
            return f"/var/lib/docker/volumes/{mount.source}/_data"
        case "bind":
            return mount.source
    return None


def _holding(world: World, paths: list[str], note: str) -> Iterator[str]:
    script = (
        "note=$1; size=$2; patience=$3; shift 3; for path; do "
        'timeout "$patience" find "$path" -xdev -type f -size "-$size" -exec grep -qsF "$note" {} \\; -print -quit '
        '2> /dev/null | grep -q . && printf "%s\\n" "$path"; done'
    )
    patience = f"{_SEARCH_S * world.engine.pace:.0f}"
    ran = world.engine.run(["sh", "-c", script, "sh", note, LARGEST_FILE, patience, *paths], timeout_s=30)
    yield from ran.output.splitlines()
