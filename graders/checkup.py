"""What grading a class needs, line by line, and how many workers the machine bears.

Enters: the machine as it is. Leaves: `course.doctor`'s `Finding`s. Asks the engine; changes nothing.
"""

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path
from typing import Final

import psutil
from docker import DockerClient
from docker.errors import DockerException, ImageNotFound

from course.doctor import Finding, State
from course.engine import connect, own_kind
from course.errors import CourseError
from graders.autograde.place import class_folder
from graders.levels import choose, obstacle
from graders.rubric import Level
from graders.sandbox import isolated
from graders.sandbox.container import MEMORY_BYTES
from graders.sandbox.image import check_room

LEAST_FREE_BYTES: Final = 12 * 10**9
"""For the disk of one replay engine, which is filled only by who fills it, and for images."""


def advised_workers(level: Level) -> int:
    """One for each two processors, and no more than the memory bears: replays have deadlines."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(processors // 2, psutil.virtual_memory().available // _memory_of(level)))


def _memory_of(level: Level) -> int:
    return isolated.MEMORY_MIB << 20 if level is Level.ISOLATED else MEMORY_BYTES


def examine() -> tuple[Finding, ...]:
    """Look at everything, in the order in which a person would mend it."""
    try:
        client = connect(start=False)
    except CourseError as error:
        found = [Finding(name="engine", state=State.BROKEN, seen=error.message, fix=error.fix)]
    else:
        found = [_engine(client), _replay_image(client)]
        client.close()
    return (*found, _level(), _nbgrader(), _disk(), _memory(), _workers(), _cluster())


def _engine(client: DockerClient) -> Finding:
    if obstacle(Level.ISOLATED):
        try:
            check_room(client)
        except CourseError as error:
            return Finding(name="engine", state=State.BROKEN, seen=error.message, fix=error.fix)
    kind = own_kind(client) or "an existing one"
    return Finding(name="engine", state=State.OK, seen=f"Docker {client.version()['Version']}, {kind}")


def _replay_image(client: DockerClient) -> Finding:
    """The image holds the engine of replays, `docker compose`, and the packages that submissions may install."""
    try:
        tags = [tag for one in client.images.list() for tag in one.tags if tag.startswith("layer-by-layer/replay:")]
    except (DockerException, ImageNotFound) as error:
        return Finding(name="replay image", state=State.BROKEN, seen=str(error), fix="`course doctor`")
    if tags:
        return Finding(
            name="replay image", state=State.OK, seen=f"{tags[0]}, with docker compose and its package cache"
        )
    return Finding(name="replay image", state=State.WARNING, seen="not made yet: the first replay takes some minutes")


def _level() -> Finding:
    chosen = choose("auto", None)
    if chosen is Level.ISOLATED:
        return Finding(name="level", state=State.OK, seen=f"{chosen}")
    return Finding(name="level", state=State.WARNING, seen=f"{chosen}: {obstacle(Level.ISOLATED)}")


def _nbgrader() -> Finding:
    version = importlib.metadata.version("nbgrader")
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    if shutil.which("alembic", path=places) is None:
        fix = "pip install --force-reinstall alembic"
        return Finding(name="nbgrader", state=State.BROKEN, seen=f"{version}, without alembic", fix=fix)
    return Finding(name="nbgrader", state=State.OK, seen=f"{version}, with alembic; the class is in {class_folder()}")


def _disk() -> Finding:
    written = isolated.guest_place().root if choose("auto", None) is Level.ISOLATED else class_folder()
    folder = next(path for path in (written, *written.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    state = State.OK if free > LEAST_FREE_BYTES else State.WARNING
    return Finding(name="disk", state=state, seen=f"{free / 1e9:.0f} GB free; a replay may take 10")


def _memory() -> Finding:
    free, taken = psutil.virtual_memory().available, _memory_of(choose("auto", None))
    state = State.OK if free > taken else State.WARNING
    return Finding(name="memory", state=state, seen=f"{free / 1e9:.1f} GB free; a replay may take {taken >> 30}")


def _workers() -> Finding:
    return Finding(
        name="workers", state=State.OK, seen=f"{advised_workers(choose('auto', None))} advised for this machine"
    )


def _cluster() -> Finding:
    try:
        seen = f"dask.distributed {importlib.metadata.version('distributed')}"
    except importlib.metadata.PackageNotFoundError:
        seen = "without dask.distributed, which `--scheduler` needs: pip install -e '.[cluster]'"
    return Finding(name="cluster", state=State.OK, seen=seen)
