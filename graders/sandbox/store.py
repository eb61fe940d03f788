"""The images of a replay engine: brought in once, and all else taken away after each replay.

Enters: the clients of both engines. Leaves: nothing. All on the engine inside was made by a replay, so all of it goes.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, cast

from docker import DockerClient
from docker.errors import APIError, ImageNotFound

from course.engine.http import post
from course.errors import CourseError

PRUNE_TIMEOUT_S: Final = 120
"""An engine that writes a terabyte of nothing into a layer cannot be stopped, only left."""
BUILTIN_NETWORKS: Final = ("bridge", "host", "none")
_PATIENCE_S: Final = 30
_POLL_S: Final = 0.05
_COMPARED: Final = ("Env", "Cmd", "Entrypoint", "WorkingDir", "User", "Volumes")


def load_images(outer: DockerClient, inner: DockerClient, wanted: Mapping[str, str]) -> dict[str, str]:
    """Make the inner engine hold exactly `wanted`: for each name the outer engine's image of that reference.

    Gives the inner ids by name.
    """
    for name, reference in wanted.items():
        if not _same(outer.images.get(reference).attrs, inner, name):
            for image in inner.images.load(cast(Any, outer.images.get(reference).save(named=reference))):
                image.tag(name)
    return {name: str(inner.images.get(name).id) for name in wanted}


def named_images(inner: DockerClient) -> dict[str, str]:
    """The ids of the images of a clean engine by name."""
    return {tag: str(image.id) for image in inner.images.list() for tag in image.tags}


def reset(inner: DockerClient, bases: Mapping[str, str], pace: float = 1) -> None:
    """Remove every container, network, volume, image and cache record, but for the base images, which get their names
    back: a submission may have given them to images of its own. Raises `ImageNotFound` where one is gone.
    """
    remove_running(inner, anonymous_volumes=True, pace=pace)
    for volume in inner.volumes.list():
        volume.remove(force=True)
    for name, id in bases.items():
        inner.images.get(id).tag(name)
    for image in inner.api.images(all=False):
        given = set(image["RepoTags"] or ()) - set(bases)
        for name in given if image["Id"] in bases.values() else (image["Id"],):
            _remove(inner, name)
    post(inner, "/build/prune", {"all": "1", "filters": json.dumps({})}, timeout_s=PRUNE_TIMEOUT_S).raise_for_status()


def remove_running(inner: DockerClient, *, anonymous_volumes: bool, pace: float = 1) -> None:
    """Remove every container and network, again until there is none: a container that is going holds its network, and
    what a killed command had still asked for comes late. Raises `CourseError` where something stays.
    """
    deadline = time.monotonic() + _PATIENCE_S * pace
    while doomed := _running(inner, anonymous_volumes):
        if time.monotonic() > deadline:
            raise CourseError("What a submission has started cannot be removed.", fix="try again")
        for remove in doomed:
            with suppress(APIError):
                remove()
        time.sleep(_POLL_S)


def _running(inner: DockerClient, anonymous_volumes: bool) -> list[Callable[[], None]]:
    containers = inner.containers.list(all=True, ignore_removed=True)
    networks = [one for one in inner.networks.list() if one.name not in BUILTIN_NETWORKS]
    removals = (partial(one.remove, force=True, v=anonymous_volumes) for one in containers)
    return [*removals, *(one.remove for one in networks)]


def _remove(inner: DockerClient, image: str) -> None:
    try:
        inner.api.remove_image(image, force=True)
    except APIError as error:
        if error.status_code not in (404, 409):
            raise


def _same(expected: Mapping[str, Any], inner: DockerClient, name: str) -> bool:
    """Whether the image has the same layers and settings; ids differ between the stores of engines."""
    try:
        found = inner.images.get(name).attrs
    except ImageNotFound:
        return False
    same_settings = all(found["Config"].get(key) == expected["Config"].get(key) for key in _COMPARED)
    return bool(found["RootFS"] == expected["RootFS"] and same_settings)
