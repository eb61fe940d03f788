"""The docker CLI with BuildKit, as the yardstick of tests and benchmarks, and what an image holds.

A CLI from 23 on builds with its plugin buildx, an older one with BuildKit's client of its own (docker/cli#3314); those
that lack the plugin are passed over.
"""

import hashlib
import io
import json
import os
import subprocess
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from docker import DockerClient

from course.engine.http import docker_host

_OWN_CLIENT_UNTIL = 22


@dataclass(frozen=True, kw_only=True)
class Cli:
    """A docker CLI that can build with BuildKit."""

    program: str
    has_buildx: bool

    def run(self, client: DockerClient, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run it on the client's engine."""
        environment = {**os.environ, "DOCKER_HOST": docker_host(client), "DOCKER_BUILDKIT": "1"}
        return subprocess.run(
            [self.program, *arguments], env=environment, capture_output=True, text=True, errors="surrogateescape"
        )

    def build(self, client: DockerClient, folder: Path, *options: str) -> str | None:
        """Build `folder` and return the image's id, None when the build failed."""
        done = self.run(client, "build", "--quiet", *options, str(folder))
        return done.stdout.strip() if done.returncode == 0 else None


@cache
def find_cli() -> Cli:
    """The first CLI on PATH that has BuildKit; raises `LookupError` when there is none."""
    for folder in os.environ["PATH"].split(os.pathsep):
        program = str(Path(folder, "docker"))
        if not os.access(program, os.X_OK):
            continue
        if subprocess.run([program, "buildx", "version"], capture_output=True).returncode == 0:
            return Cli(program=program, has_buildx=True)
        version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        if int(version.split()[2].split(".")[0]) <= _OWN_CLIENT_UNTIL:
            return Cli(program=program, has_buildx=False)
    raise LookupError("no docker CLI with BuildKit is on PATH")


class Inside(NamedTuple):
    """One entry of an image; the times of directories are the engine's own, and left out."""

    kind: str
    mode: int
    owner: tuple[int, int]
    size_bytes: int
    link: str
    seconds: int
    attributes: tuple[tuple[str, str], ...]
    digest: str


def contents(client: DockerClient, image_id: str) -> dict[str, Inside]:
    """What the layers of an image hold, later ones over earlier ones; for images whose layers delete nothing."""
    archive = io.BytesIO(b"".join(client.images.get(image_id).save()))
    found: dict[str, Inside] = {}
    with tarfile.open(fileobj=archive) as outer:
        for name in _member(outer, "manifest.json", as_json=True)[0]["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(_member(outer, name))) as layer:
                for entry in layer:
                    found[entry.name] = _inside(layer, entry)
    return found


def layers(client: DockerClient, image_id: str) -> tuple[str, ...]:
    """The digests of an image's layers."""
    return tuple(client.images.get(image_id).attrs["RootFS"].get("Layers") or ())


def _member(archive: tarfile.TarFile, name: str, *, as_json: bool = False) -> Any:
    file = archive.extractfile(name)
    assert file is not None
    data = file.read()
    return json.loads(data) if as_json else data


def _inside(layer: tarfile.TarFile, entry: tarfile.TarInfo) -> Inside:
    file = layer.extractfile(entry) if entry.isreg() else None
    extended = {k: v for k, v in entry.pax_headers.items() if k.startswith("SCHILY.xattr.")}
    return Inside(
        kind=entry.type.decode(),
        mode=entry.mode & 0o7777,
        owner=(entry.uid, entry.gid),
        size_bytes=entry.size,
        link=entry.linkname,
        seconds=0 if entry.isdir() else int(entry.mtime),
        attributes=tuple(sorted(extended.items())),
        digest=hashlib.sha256(file.read()).hexdigest() if file else "",
    )
