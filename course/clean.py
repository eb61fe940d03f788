"""What the course left on an engine, found by its labels and removed.

Enters: docker-py's client and how much to remove. Leaves: what was removed. Talks to the engine; may import
`course.labels` and `course.builds`.

Nothing without the course's label is ever touched, and nothing of a session that is still alive, but for its own.
"""

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from docker import DockerClient
from docker.errors import APIError

from course import labels
from course.builds import record
from course.engine.http import docker_host, post

_GONE_OR_BUSY: Final = (403, 404, 409)
"""Not there, being removed already, or in use: a network with containers on it is 403 (moby, libnetwork's errors)."""
_PATIENCE_S: Final = 5.0
_PRUNED_AT_ONCE: Final = 2000
"""Ids in one call, which goes through the whole cache; they travel in its address, of which Go takes a megabyte."""


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What a clean-up took away: names or short ids, and the number of build-cache records."""

    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    cache_records: int = 0
    folders: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many objects it was."""
        named = (self.containers, self.networks, self.volumes, self.images, self.folders)
        return sum(len(names) for names in named) + self.cache_records

    def __str__(self) -> str:
        if not self.total:
            return "Nothing of the course's was left on the engine."
        counted = {
            "container": len(self.containers),
            "network": len(self.networks),
            "volume": len(self.volumes),
            "image": len(self.images),
            "build-cache record": self.cache_records,
            "temporary folder": len(self.folders),
        }
        parts = [f"{count} {noun}{'s' if count > 1 else ''}" for noun, count in counted.items() if count]
        return f"Removed {', '.join(parts)}."


def clean(client: DockerClient, *, everything: bool = False, images: bool = False) -> Removed:
    """Remove what this owner's dead sessions left; `everything` of this owner; its catalogue `images` as well, and the
    volumes that hold such images for the graders.
    """
    sessions = _sessions(client)
    doomed = {one for one in sessions if everything or not labels.is_alive(one)}
    return _remove(client, doomed, catalogue=images)


def clean_session(client: DockerClient) -> Removed:
    """Remove what this process made, the images of the catalogue excepted."""
    return _remove(client, {labels.session()}, catalogue=False)


def _sessions(client: DockerClient) -> set[str]:
    """Every session of this owner that left something here."""
    owned = labels.owned_filter()
    carried = [
        *(container.labels for container in client.containers.list(all=True, filters=owned, ignore_removed=True)),
        *(network.attrs.get("Labels") for network in client.networks.list(filters=owned)),
        *(volume.attrs.get("Labels") for volume in client.volumes.list(filters=owned)),
        *(image.get("Labels") for image in _images(client)),
    ]
    found = {session for one in carried if (session := labels.made_by(one))} | set(record.noted_sessions())
    return found | set(_folders().values())


def _remove(client: DockerClient, sessions: Collection[str], *, catalogue: bool) -> Removed:
    """Remove in passes, until one finds no container and no network, or patience ends: a killed process's last request
    may still make a container, and one that is going holds its network for a moment.
    """
    removed: dict[str, tuple[str, ...]] = dict.fromkeys(("containers", "networks", "volumes", "images"), ())
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        found = _removals(client, sessions, catalogue=catalogue)
        for kind, removals in found.items():
            removed[kind] += remove_each(removals)
        if not (found["containers"] or found["networks"]) or time.monotonic() > deadline:
            break
    # a live session of this owner's still works in its folders, and removes them itself
    folders = [folder for folder, session in _folders().items() if session in sessions and not labels.is_alive(session)]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    gone = tuple(folder.name for folder in folders if not folder.exists())
    return Removed(**removed, cache_records=_remove_cache(client, sessions), folders=gone)


def _removals(
    client: DockerClient, sessions: Collection[str], *, catalogue: bool
) -> dict[str, list[tuple[str, Callable[[], object]]]]:
    """What these sessions made, by kind, each by its name and with how to remove it."""
    owned = labels.owned_filter()

    def ours(carried: dict[str, str] | None) -> bool:
        return labels.made_by(carried) in sessions

    def holds_images(carried: dict[str, str]) -> bool:
        return catalogue and bool(carried.get(labels.IMAGE))

    containers = client.containers.list(all=True, filters=owned, ignore_removed=True)
    networks = [n for n in client.networks.list(filters=owned) if ours(n.attrs.get("Labels"))]
    carriers = [(v, v.attrs.get("Labels") or {}) for v in client.volumes.list(filters=owned)]
    volumes = [v for v, carried in carriers if ours(carried) or holds_images(carried)]
    images = [i for i in _images(client) if ours(i.get("Labels")) or (catalogue and _is_listed(i))]
    tags = [name for image in images for name in _tags(image) or [image["Id"]]]
    return {
        "containers": [
            (c.name or c.short_id, partial(c.remove, force=True, v=True)) for c in containers if ours(c.labels)
        ],
        "networks": [(n.name or n.short_id, n.remove) for n in networks],
        "volumes": [(v.name, partial(v.remove, force=True)) for v in volumes],
        "images": [(name, partial(client.images.remove, name, force=True)) for name in tags],
    }


def _folders() -> dict[Path, str]:
    """This owner's temporary folders, and the sessions that made them."""
    found = {}
    me = os.getuid() if hasattr(os, "getuid") else 0  # Windows gives everyone a folder of their own
    for folder in Path(tempfile.gettempdir()).glob(f"{labels.COURSE}-*"):
        session = labels.folder_session(folder.name)
        with suppress(FileNotFoundError):  # its own process has just removed it
            if session and folder.lstat().st_uid == me and not folder.is_symlink():
                found[folder] = session
    return found


def _images(client: DockerClient) -> list[dict[str, Any]]:
    """This owner's images, in one call; `client.images.list` would ask for each of them (Engine API, ImageList)."""
    found: list[dict[str, Any]] = client.api.images(filters=labels.owned_filter())
    return found


def _tags(image: Mapping[str, Any]) -> list[str]:
    return [tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>"]


def _is_listed(image: Mapping[str, Any]) -> bool:
    return (image.get("Labels") or {}).get(labels.IMAGE) in _tags(image)


def remove_each(removals: Iterable[tuple[str, Callable[[], object]]]) -> tuple[str, ...]:
    """Do each removal and name those that were done; what is gone already, on its way or in use is no trouble."""
    done = []
    for name, remove in removals:
        try:
            remove()
        except APIError as error:
            if error.status_code not in _GONE_OR_BUSY:
                raise
            continue
        done.append(name)
    return tuple(done)


def _remove_cache(client: DockerClient, sessions: Collection[str]) -> int:
    """Remove the cache records that these sessions' builds made, as far as no one else builds on them."""
    engine = docker_host(client)
    every = set(record.noted_sessions())
    noted = set(sessions) & every
    alive = [session for session in every - noted if labels.is_alive(session)]
    generations = record.cache_generations(client, record.notes(engine, noted), spared=record.notes(engine, alive))
    gone = {one for generation in generations for one in generation}
    for generation in generations:
        _prune(client, generation)
    if gone:
        gone -= {one["ID"] for one in record.cache_records(client)}
    record.forget(engine, noted)
    return len(gone)


def _prune(client: DockerClient, ids: Sequence[str]) -> None:
    """`POST /build/prune` for these ids alone; what has children stays.

    The engine takes one `id` filter and reads it as a regular expression (moby/moby builder/builder-next/builder.go,
    toBuildkitPruneInfo), anew for each record that it looks at; each call tries again as long as something went.
    """
    for start in range(0, len(ids), _PRUNED_AT_ONCE):
        pattern = "^(" + "|".join(re.escape(one) for one in ids[start : start + _PRUNED_AT_ONCE]) + ")$"
        answer = post(
            client, "/build/prune", {"all": "1", "filters": json.dumps({"id": {pattern: True}})}, timeout_s=None
        )
        answer.raise_for_status()
