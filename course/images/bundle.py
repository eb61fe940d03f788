"""A bundle: the catalogue's images in one file, to be carried to a machine that can reach no registry.

Enters: docker-py's client and a file. Leaves: a tar of `docker save`, compressed, or its images on the engine.
May import its neighbours.
"""

import gzip
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

from docker import DockerClient
from docker.errors import APIError

from course.engine.http import stream
from course.errors import CourseError
from course.images.ensure import OnProgress, Progress, find, listing

_CHUNK_BYTES: Final = 1 << 20
_NOT_ONE: Final = "make one with `course images bundle FILE` on a machine that has the images"


def bundle(
    client: DockerClient, file: Path, names: Sequence[str] = (), *, on_progress: OnProgress | None = None
) -> tuple[str, ...]:
    """Write the images to `file`; the names that went in. A file that could not be finished is removed."""
    wanted = {entry.name for entry in find(names)}
    present = [row for row in listing(client) if row.present and row.name in wanted]
    missing = wanted - {row.name for row in present}
    if missing:
        raise CourseError(f"Not on this engine: {', '.join(sorted(missing))}.", fix="course images ensure")
    total = sum(row.size_bytes or 0 for row in present)
    partial = file.with_name(file.name + ".partial")
    try:
        with gzip.open(partial, "wb", compresslevel=1) as packed:
            written = 0
            for chunk in stream(client, "/images/get", {"names": [row.name for row in present]}):
                packed.write(chunk)
                written += len(chunk)
                if on_progress:
                    on_progress(Progress(name=file.name, doing="packing", done=written, total=total))
        partial.replace(file)
    except OSError as error:
        raise CourseError(
            f"{file} cannot be written: {error.strerror}.", fix="another place with more space"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return tuple(row.name for row in present)


def load(client: DockerClient, file: Path) -> tuple[str, ...]:
    """Put the images of a bundle on the engine; refuses one for another architecture, and what is no bundle."""
    names, architectures = _look_inside(file)
    engine = client.version()["Arch"]
    if architectures - {engine}:
        other = ", ".join(sorted(architectures))
        raise CourseError(
            f"{file} is for {other}, and this engine is {engine}.", fix=f"a bundle from a machine of {engine}"
        )
    try:
        with gzip.open(file, "rb") as packed:
            client.images.load(packed)
    except APIError as error:
        raise CourseError(f"The engine refused {file}: {error.explanation}", fix=_NOT_ONE) from error
    return names


def _look_inside(file: Path) -> tuple[tuple[str, ...], set[str]]:
    """The images' names and architectures, from the manifest that `docker save` writes (moby/moby image/tarexport)."""
    try:
        with tarfile.open(file, "r:gz") as tar:
            images = json.load(_member(tar, "manifest.json"))
            names = tuple(name for image in images for name in image["RepoTags"] or ())
            return names, {json.load(_member(tar, image["Config"]))["architecture"] for image in images}
    except OSError as error:
        if error.errno is None:  # gzip's own complaint
            raise CourseError(f"{file} is no bundle of the course's.", fix=_NOT_ONE) from None
        raise CourseError(f"{file} cannot be read: {error.strerror}.", fix="give the path of a bundle") from None
    except (tarfile.TarError, EOFError, KeyError, ValueError, TypeError):
        raise CourseError(f"{file} is no bundle of the course's, or it is cut short.", fix=_NOT_ONE) from None


def _member(tar: tarfile.TarFile, name: str) -> IO[Any]:
    file = tar.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file
