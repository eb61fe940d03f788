"""A note of when each build worked, so that `course clean` removes from the build cache just what the course put there.

Enters: the vertices of a build that really worked, with the engine's own times. Leaves: lines in the user's data
folder, and from them the ids of cache records. Reads and writes files; may import `course.engine` and `course.folders`.

Build cache carries no labels, and its records no names of steps (moby/buildkit client/diskusage.go); but a record is
created while its vertex works, by the same clock. The look-up is left to the clean-up: the question
(`GET /system/df`) costs more than a cached build.
"""

import json
import math
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from graphlib import TopologicalSorter
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, TypeAlias

from docker import DockerClient
from docker.errors import APIError
from filelock import FileLock

from course.builds.trace import Fold, Vertex
from course.engine.http import get_json
from course.folders import data_folder

_SLACK_S: Final = 0.1
"""A record may come into being a little before its vertex is reported."""
_NEAR_S: Final = 1.0
"""A command's records are stamped when it starts (mounts), or when its result is committed, however long it runs."""
_PATIENCE_S: Final = 60
_PAUSE_S: Final = 0.2
_OF_A_COMMAND: Final = " from exec "
Span: TypeAlias = tuple[float, float]
"""From when to when, in seconds since 1970."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """One vertex at work: `started` and `ended` in seconds since 1970 by the engine's clock."""

    is_command: bool
    started: float
    ended: float


@dataclass(frozen=True, kw_only=True)
class BuildNote:
    """One build of a session on an engine."""

    session: str
    engine: str
    work: tuple[Work, ...]


def remember(note: BuildNote) -> None:
    """Append a note to its session's file."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{note.session}.jsonl").open("a", encoding="utf-8") as file:
        file.write(_line(note))


class Recorder:
    """Notes the vertices of one build as they end, so that a killed process leaves its notes as well."""

    def __init__(self, *, session: str, engine: str) -> None:
        self._session = session
        self._engine = engine
        self._noted: set[str] = set()

    def update(self, fold: Fold, *, ended: bool = False) -> None:
        """Note what has ended since the last call; when the build has `ended`, also what was stopped in mid-work."""
        last = max((v.completed or v.started or 0.0 for v in fold.vertices.values()), default=0.0)
        work = [
            Work(is_command="] RUN " in vertex.name, started=vertex.started, ended=vertex.completed or last)
            for vertex in fold.vertices.values()
            if vertex.started is not None and self._is_news(vertex, ended=ended)
        ]
        if work:
            remember(BuildNote(session=self._session, engine=self._engine, work=tuple(work)))

    def _is_news(self, vertex: Vertex, *, ended: bool) -> bool:
        # only BuildKit's digests: other engines have no build cache of this kind
        worked = vertex.digest.startswith("sha256:") and not vertex.cached and (ended or vertex.completed is not None)
        if not worked or vertex.digest in self._noted:
            return False
        self._noted.add(vertex.digest)
        return True


def noted_sessions() -> tuple[str, ...]:
    """The sessions that have left notes."""
    return tuple(path.stem for path in sorted(_folder().glob("*.jsonl")))


def notes(engine: str, sessions: Iterable[str]) -> tuple[BuildNote, ...]:
    """The builds of these sessions on this engine."""
    return tuple(note for session in sessions for note in _read(session) if note.engine == engine)


def forget(engine: str, sessions: Iterable[str]) -> None:
    """Drop the notes of these sessions for this engine, once their cache is gone; several may do so at once."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        for session in sessions:
            path = folder / f"{session}.jsonl"
            noted = tuple(_read(session))
            kept = tuple(dict.fromkeys(note for note in noted if note.engine != engine))
            if kept == noted:
                continue
            partial = path.with_suffix(".partial")
            partial.write_text("".join(map(_line, kept)), encoding="utf-8")
            partial.replace(path)
            if not kept:
                path.unlink()


def cache_generations(
    client: DockerClient, builds: Sequence[BuildNote], *, spared: Sequence[BuildNote] = ()
) -> tuple[tuple[str, ...], ...]:
    """The ids of the engine's cache records that these builds made: first those on which none of the others is built,
    then those that are free once the first are gone, and so on.

    A record that one of the `spared` builds may have made, in the same moment, is left out.
    """
    if not builds:
        return ()
    ours, theirs = _moments(builds), _moments(spared)
    made = {one["ID"]: one for one in cache_records(client) if _is_of(one, ours) and not _is_of(one, theirs)}
    order = TopologicalSorter(dict.fromkeys(made, ()))
    for child, one in made.items():
        for parent in made.keys() & {*(one.get("Parents") or ()), one.get("Parent")}:  # 20.10 knows of one only
            order.add(parent, child)
    order.prepare()
    generations = []
    while order.is_active():
        generations.append(order.get_ready())
        order.done(*generations[-1])
    return tuple(generations)


def cache_records(client: DockerClient) -> list[dict[str, Any]]:
    """The engine's build cache (Engine API, SystemDataUsage).

    Older engines count for one caller at a time, and refuse the others (moby/moby daemon/disk_usage.go of 20.10).
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            usage = get_json(client, "/system/df", {"type": "build-cache"})
            return list(usage.get("BuildCache") or [])
        except APIError as error:
            if error.status_code != HTTPStatus.INTERNAL_SERVER_ERROR or time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE_S)


def _is_of(record: dict[str, Any], moments: tuple[list[Span], list[Span]]) -> bool:
    commands, others = moments
    spans = commands if _OF_A_COMMAND in record.get("Description", "") else others
    return _within(_seconds(record["CreatedAt"]), spans)


def _moments(builds: Sequence[BuildNote]) -> tuple[list[Span], list[Span]]:
    """When records of commands may have come into being, and when those of anything else."""
    commands: list[Span] = []
    others: list[Span] = []
    for work in (work for note in builds for work in note.work):
        if work.is_command:
            commands += [
                (work.started, min(work.started + _NEAR_S, work.ended)),
                (max(work.started, work.ended - _NEAR_S), work.ended),
            ]
        else:
            others.append((work.started, work.ended))
    return _joined(commands), _joined(others)


def _joined(spans: list[Span]) -> list[Span]:
    """The same moments in spans that are sorted and do not touch, widened by the slack."""
    joined: list[Span] = []
    for start, end in sorted((start - _SLACK_S, end + _SLACK_S) for start, end in spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _within(moment: float, spans: list[Span]) -> bool:
    place = bisect_right(spans, (moment, math.inf)) - 1
    return place >= 0 and moment <= spans[place][1]


def _seconds(timestamp: str) -> float:
    """RFC 3339 with nanoseconds, as seconds since 1970; `datetime` reads no more than microseconds."""
    whole, _, fraction = timestamp.removesuffix("Z").partition(".")
    return datetime.fromisoformat(whole + "+00:00").timestamp() + float(f"0.{fraction or 0}")


def _line(note: BuildNote) -> str:
    work = [[one.is_command, one.started, one.ended] for one in note.work]
    return json.dumps({"engine": note.engine, "work": work}) + "\n"


def _folder() -> Path:
    return data_folder() / "builds"


def _read(session: str) -> Iterator[BuildNote]:
    try:
        text = (_folder() / f"{session}.jsonl").read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        data = json.loads(line)
        work = tuple(Work(is_command=w[0], started=w[1], ended=w[2]) for w in data["work"])
        yield BuildNote(session=session, engine=data["engine"], work=work)
