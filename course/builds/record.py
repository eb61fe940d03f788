"""A note of what each build left in the engine's build cache, so that `course clean` removes just that.

Enters: when a build ran by the engine's clock, and the names of its vertices. Leaves: lines in the user's data folder,
and from them the ids of cache records. Reads and writes files; may import `course.engine` and `course.folders`.

Build cache carries no labels (moby/buildkit client/diskusage.go). A record belongs to a build when it came into being
while the build ran and is described by one of its vertices. Looking that up is left to the clean-up: the question
(`GET /system/df`) costs more than a cached build.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from docker import DockerClient

from course.engine.http import get_json
from course.folders import data_folder

_SLACK_S = 1.0
"""Cache records may be stamped a little before or after the vertices that they belong to."""


@dataclass(frozen=True, kw_only=True)
class BuildNote:
    """One build: `started` and `ended` in seconds since 1970 by the engine's clock, and its vertices' names."""

    session: str
    engine: str
    started: float
    ended: float
    names: tuple[str, ...]


def remember(note: BuildNote) -> None:
    """Append a note to this process's file."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    line = {"engine": note.engine, "started": note.started, "ended": note.ended, "names": note.names}
    with (folder / f"{note.session}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def notes(engine: str, sessions: Iterable[str] | None = None) -> tuple[BuildNote, ...]:
    """What builds of `sessions` (all known ones by default) left a note of, on this engine."""
    wanted = None if sessions is None else set(sessions)
    return tuple(
        note
        for path in sorted(_folder().glob("*.jsonl"))
        if wanted is None or path.stem in wanted
        for note in _read(path)
        if note.engine == engine
    )


def known_sessions() -> tuple[str, ...]:
    """The sessions that have left notes."""
    return tuple(path.stem for path in sorted(_folder().glob("*.jsonl")))


def forget(engine: str, sessions: Iterable[str]) -> None:
    """Drop the notes of these sessions for this engine, once their cache is gone."""
    for session in sessions:
        path = _folder() / f"{session}.jsonl"
        kept = [note for note in _read(path) if note.engine != engine]
        path.unlink(missing_ok=True)
        for note in kept:
            remember(note)


def owned_cache_ids(client: DockerClient, builds: Sequence[BuildNote]) -> tuple[str, ...]:
    """The ids of the engine's cache records that these builds made, newest first."""
    if not builds:
        return ()
    records = cache_records(client)
    owned = [record for record in records if any(_made_by(record, note) for note in builds)]
    return tuple(record["ID"] for record in sorted(owned, key=lambda r: r["CreatedAt"], reverse=True))


def cache_records(client: DockerClient) -> list[dict[str, Any]]:
    """The engine's build cache (Engine API `GET /system/df`, BuildCache)."""
    usage = get_json(client, "/system/df", {"type": "build-cache"})
    return list(usage.get("BuildCache") or [])


def _made_by(record: dict[str, Any], note: BuildNote) -> bool:
    created = _seconds(record["CreatedAt"])
    if not note.started - _SLACK_S <= created <= note.ended + _SLACK_S:
        return False
    description = record.get("Description", "")
    # a mount's record names the command, not the vertex: `mount / from exec /bin/sh -c npm ci`
    command = description.rpartition(" from exec /bin/sh -c ")[2]
    return any(description == name or (command and name.endswith(command)) for name in note.names)


def _seconds(timestamp: str) -> float:
    whole, _, rest = timestamp.partition(".")
    return datetime.fromisoformat(whole.removesuffix("Z") + "+00:00").timestamp() + (
        float("0." + rest.rstrip("Z")) if rest else 0.0
    )


def _folder() -> Path:
    return data_folder() / "builds"


def _read(path: Path) -> Iterator[BuildNote]:
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        data = json.loads(line)
        yield BuildNote(
            session=path.stem,
            engine=data["engine"],
            started=data["started"],
            ended=data["ended"],
            names=tuple(data["names"]),
        )
