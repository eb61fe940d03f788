"""Images under the course's own names, which other rooms make: built once, and again when what they stand on changes.

Enters: docker-py's client and a folder to build. Leaves: an image. Builds on the engine; may import its neighbours.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from docker import DockerClient
from docker.errors import APIError

from course import labels
from course.images.catalogue import debian
from course.images.ensure import ORIGIN, OnProgress, Origin, build_folder, build_recipe, context, get, pass_on
from course.images.machine import read_machine
from course.images.registry import registry_reachable

_PULLED_DEBIAN: Final = "debian:{}-slim"


def ensure_own(
    client: DockerClient,
    name: str,
    fill: Callable[[Path], None],
    *,
    stands_on: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
) -> str:
    """Make the image `name:TAG` present, where TAG tells what it was made of, and give that reference.

    `fill` writes the build context. `stands_on` maps build arguments to images that are there; they count as content.
    Earlier images of this name are removed. Raises `CourseError` when it cannot be built.
    """
    say = on_progress or (lambda progress: None)
    machine = read_machine()
    with context() as folder:
        fill(folder)
        arguments = dict(stands_on or {})
        ids = {argument: str(client.images.get(image).id) for argument, image in arguments.items()}
        wanted = f"{name}:{fingerprint(folder, ids)}"
        if get(client, wanted) is None:
            before = [tag for image in client.images.list(name) for tag in image.tags]
            if machine.npm_registry:
                arguments["npm_config_registry"] = machine.npm_registry
            carried = {labels.IMAGE: wanted, ORIGIN: Origin.RECIPE.value}
            build_folder(client, folder, wanted, arguments={**machine.proxies, **arguments}, carried=carried, say=say)
            for tag in before:
                _remove(client, tag)
    return wanted


def ensure_debian(client: DockerClient, release: str, *, on_progress: OnProgress | None = None) -> str:
    """Make a Debian of this release with this machine's settings present, under a name of the course's own."""
    entry, machine, say = debian(release), read_machine(), on_progress or (lambda progress: None)
    if get(client, entry.name) is None:
        pulled = _PULLED_DEBIAN.format(release)
        if registry_reachable(client, pulled).reachable:
            client.images.pull(pulled).tag(entry.name)
        else:
            build_recipe(client, entry, machine, say)
        pass_on(client, entry.name, machine, say)
    return entry.name


def fingerprint(folder: Path, ids: Mapping[str, str] | None = None) -> str:
    """Tells build contexts apart, and what they stand on: the ids of images by build argument."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_mode}\0".encode() + path.read_bytes())
    for argument, id in sorted((ids or {}).items()):
        digest.update(f"{argument}={id}".encode())
    return digest.hexdigest()[:12]


def _remove(client: DockerClient, tag: str) -> None:
    try:
        client.images.remove(tag)
    except APIError as error:
        if error.status_code not in (404, 409):  # gone, or a container of a neighbour's still runs from it
            raise
