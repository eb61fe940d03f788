"""Whether the course can run here, line by line, and what would mend it.

Enters: the machine as it is. Leaves: `Finding`s. Asks the engine; changes nothing.
"""

import importlib.metadata
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from docker import DockerClient
from docker.errors import DockerException

from course import engine, images
from course.engine.find import addresses
from course.errors import CourseError
from course.folders import data_folder, notebooks_folder

LEAST_FREE_BYTES: Final = 5 * 10**9
"""The catalogue takes about 1.5 GB, a lesson's builds as much again."""


class State(StrEnum):
    """How bad it is; only BROKEN keeps the course from running."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the doctor's: what was looked at, what was seen, and what to do about it."""

    name: str
    state: State
    seen: str
    fix: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def examine() -> tuple[Finding, ...]:
    """Look at everything that the course needs, in the order in which a person would mend it."""
    try:
        client = engine.connect(start=False)
    except CourseError as error:
        found = [Finding(name="engine", state=State.BROKEN, seen=error.message, fix=error.fix)]
    else:
        looks: list[Callable[[DockerClient], Finding]] = [_engine, _buildkit, _images, _engine_disk, _registry, _quota]
        found = [_guarded(look, client) for look in looks]
        client.close()
    return (*found, _cli(), _disk(), _jupyterlab(), _notebooks())


def can_run(findings: tuple[Finding, ...]) -> bool:
    """Whether nothing is broken."""
    return all(finding.state is not State.BROKEN for finding in findings)


def _guarded(look: Callable[[DockerClient], Finding], client: DockerClient) -> Finding:
    """An engine that fails in mid-question is a finding, too."""
    try:
        return look(client)
    except (DockerException, OSError, KeyError) as error:
        name = look.__name__.removeprefix("_").replace("_", " ")
        return Finding(
            name=name, state=State.BROKEN, seen=f"the engine did not answer: {error}", fix="course engine status"
        )


def _engine(client: DockerClient) -> Finding:
    status = engine.status(client)
    seen = f"Docker {status.version} (API {status.api}) at {status.docker_host}"
    seen += ", the course's own" if status.owned else ""
    passed_over = next(
        (a for a in addresses() if a.source == "DOCKER_HOST" and a.docker_host != status.docker_host), None
    )
    if passed_over:
        fix = "start that engine, or unset DOCKER_HOST"
        return Finding(name="engine", state=State.WARNING, seen=f"{seen}; DOCKER_HOST does not answer", fix=fix)
    return Finding(name="engine", state=State.OK, seen=seen)


def _buildkit(client: DockerClient) -> Finding:
    """Docker's own engine has had BuildKit since 18.09, and reports its trace over the Engine API; others do not."""
    components = [part["Name"] for part in client.version().get("Components", [])]
    if "Engine" not in components:
        seen = (
            f"this is not Docker's own engine ({components[0]}): steps are read from what it prints, its cache follows "
        )
        seen += "rules of its own, and secrets, ssh and predictions do not work"
        return Finding(name="BuildKit", state=State.WARNING, seen=seen, fix="use a Docker engine for lessons 01 to 03")
    system = client.info()["OSType"]
    if system != "linux":
        return Finding(
            name="BuildKit", state=State.BROKEN, seen=f"{system} containers", fix="switch to Linux containers"
        )
    return Finding(name="BuildKit", state=State.OK, seen="builds report every step")


def _images(client: DockerClient) -> Finding:
    listed = images.listing(client)
    missing = [row.name for row in listed if not row.present]
    stand_ins = [row.name for row in listed if row.present and row.stand_in]
    seen = f"{len(listed) - len(missing)} of {len(listed)} are here"
    if stand_ins:
        seen += f"; {', '.join(stand_ins)} is a stand-in"
    if missing:
        return Finding(
            name="images", state=State.WARNING, seen=f"{seen}; not {', '.join(missing)}", fix="course images ensure"
        )
    return Finding(name="images", state=State.OK, seen=seen)


def _engine_disk(client: DockerClient) -> Finding:
    root = Path(client.info()["DockerRootDir"])
    here = engine.docker_host(client).startswith("unix://") and engine.own_kind(client) != "vm"
    local = here and root.is_dir()
    if not local:
        return Finding(name="engine's disk", state=State.OK, seen="on another machine or in a VM, not looked at")
    return _space("engine's disk", root)


def _registry(client: DockerClient) -> Finding:
    registry = images.registry_reachable(client)
    if registry.reachable:
        return Finding(name="registry", state=State.OK, seen="can be reached")
    seen = f"cannot be reached ({registry.reason}); images come from recipes or a bundle"
    return Finding(
        name="registry", state=State.WARNING, seen=seen, fix="course images ensure, or course images load FILE"
    )


def _quota(client: DockerClient) -> Finding:
    left = images.pull_quota(client)
    if left is None:
        return Finding(name="pull quota", state=State.OK, seen="the registry names none")
    if left < len(images.CATALOGUE):
        fix = "docker login, or wait, or course images load FILE"
        return Finding(name="pull quota", state=State.WARNING, seen=f"{left} pulls left", fix=fix)
    return Finding(name="pull quota", state=State.OK, seen=f"{left} pulls left")


def _cli() -> Finding:
    if shutil.which("docker"):
        return Finding(name="docker CLI", state=State.OK, seen="installed")
    seen = "not installed; the notebooks work without, `docker ...` at a terminal does not"
    return Finding(name="docker CLI", state=State.WARNING, seen=seen, fix="install docker-cli")


def _disk() -> Finding:
    folder = data_folder()
    while not folder.exists():
        folder = folder.parent
    return _space("disk", folder)


def _space(name: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    seen = f"{free / 1e9:.0f} GB free"
    if free < LEAST_FREE_BYTES:
        fix = f"free some space; the course wants {LEAST_FREE_BYTES / 1e9:.0f} GB. `course clean` removes what it left"
        return Finding(name=name, state=State.WARNING, seen=seen, fix=fix)
    return Finding(name=name, state=State.OK, seen=seen)


def _jupyterlab() -> Finding:
    try:
        version = importlib.metadata.version("jupyterlab")
    except importlib.metadata.PackageNotFoundError:
        return Finding(name="JupyterLab", state=State.BROKEN, seen="not installed", fix="pip install -e .")
    return Finding(name="JupyterLab", state=State.OK, seen=version)


def _notebooks() -> Finding:
    try:
        found = len(list(notebooks_folder().glob("*.ipynb")))
    except CourseError as error:
        return Finding(name="notebooks", state=State.BROKEN, seen=error.message, fix=error.fix)
    return Finding(name="notebooks", state=State.OK, seen=f"{found} lesson(s)")
