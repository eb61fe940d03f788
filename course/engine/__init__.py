"""Finding or starting a Docker engine: `connect() -> docker.DockerClient`.

Enters: what kind of engine is wanted. Leaves: docker-py's client, which IS the engine's handle everywhere.
May import `course.errors`, `course.folders`, `course.labels`.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from docker import DockerClient

from course.engine import native
from course.engine.find import Silent, addresses, try_address
from course.engine.http import docker_host, get_json
from course.engine.install import ENGINE_PACKAGES, allowed, engine_is_installed, install
from course.engine.vm import running as vm
from course.engine.vm.place import place as vm_place
from course.errors import CourseError
from course.folders import notebooks_folder

__all__ = ["KINDS", "EngineStatus", "connect", "docker_host", "is_emulated", "is_owned", "restart", "start", "status"]

KINDS: Final = ("auto", "native", "vm")


@dataclass(frozen=True, kw_only=True)
class EngineStatus:
    """The object that `course engine status --json` prints."""

    running: bool
    kind: str | None = None
    docker_host: str | None = None
    version: str | None = None
    api: str | None = None
    owned: bool = False
    tls: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def connect(*, kind: str = "auto", start: bool = True) -> DockerClient:
    """A client of the first engine that answers: the learner's, one of the course's, else a private one, started now.

    `kind` native or vm asks for an engine of the course's own. Raises `CourseError` that says where it looked.
    """
    _check(kind)
    found, silent = _find(kind)
    if found is not None:
        return found
    if start and kind in ("auto", "native") and native.obstacle() is None and engine_is_installed():
        return native.start()
    if start and kind in ("auto", "vm") and vm.obstacle() is None and vm.is_built():
        return vm.start(default_shares())
    raise _nothing(kind, silent)


def start(
    *,
    kind: str = "auto",
    install_agreed: bool = False,
    shares: Sequence[Path] = (),
    say: Callable[[str], None] = lambda doing: None,
) -> DockerClient:
    """Like `connect`, and installs dockerd first where that is agreed to (a person at a terminal is asked).

    `shares` are the folders that containers of a VM engine may mount.
    """
    _check(kind)
    found, silent = _find(kind)
    if found is not None:
        if own_kind(found) == "vm":
            vm.check_shared(shares)
        return found
    if kind == "vm" or (kind == "auto" and native.obstacle() is not None and vm.is_built()):
        return vm.start(shares or default_shares(), say=say)
    if native.obstacle() is not None:
        raise _nothing(kind, silent)
    if not engine_is_installed():
        if not allowed(ENGINE_PACKAGES, agreed=install_agreed):
            raise CourseError(
                "No Docker engine answers, and dockerd is not installed.", fix="course engine start --install"
            )
        install(ENGINE_PACKAGES)
        found, _ = _find(kind)  # the package starts the system's engine where there is an init to do so
        if found is not None:
            return found
    return native.start()


def status(client: DockerClient | None) -> EngineStatus:
    """What `client` talks to, or that nothing runs."""
    if client is None:
        return EngineStatus(running=False)
    version = get_json(client, "/version")
    return EngineStatus(
        running=True,
        kind=own_kind(client) or "existing",
        docker_host=docker_host(client),
        version=version["Version"],
        api=client.api.api_version,
        owned=is_owned(client),
        tls=str(client.api.base_url).startswith("https://"),
    )


def is_owned(client: DockerClient) -> bool:
    """Whether the course started this engine, and so may give its images public names."""
    return own_kind(client) is not None


def own_kind(client: DockerClient) -> str | None:
    """`native` or `vm` where the course started this engine."""
    own = {native.place().docker_host: "native", vm_place().docker_host: "vm"}
    return own.get(docker_host(client))


def is_emulated(client: DockerClient) -> bool:
    """Whether this is the course's VM engine, and its processor is emulated."""
    return own_kind(client) == "vm" and vm.is_emulated()


def default_shares() -> tuple[Path, ...]:
    """What containers of a VM engine may mount: this project, and temporary folders, where lessons keep theirs."""
    temporary = Path(tempfile.gettempdir())
    try:
        return vm.shareable((notebooks_folder().parent, temporary))
    except CourseError:  # the course was not installed from a clone
        return vm.shareable((temporary,))


def restart(client: DockerClient) -> None:
    """Stop the course's own engine and start it again; its containers stop with it. Raises `CourseError` when it is
    somebody else's.
    """
    kind = own_kind(client)
    if kind is None:
        raise CourseError("This engine is not the course's own, and is not restarted.", fix="course engine start")
    if kind == "native":
        native.stop()
        native.start()
    else:
        vm.stop()
        vm.start(default_shares())


def _check(kind: str) -> None:
    if kind not in KINDS:
        raise CourseError(f"There is no engine of kind {kind!r}.", fix=f"one of {', '.join(KINDS)}")


def _find(kind: str) -> tuple[DockerClient | None, list[Silent]]:
    """The first engine that answers, and the addresses before it that did not."""
    silent: list[Silent] = []
    if kind == "auto":
        for address in addresses():
            found = try_address(address)
            if not isinstance(found, Silent):
                return found, silent
            silent.append(found)
    own = native.find_running() if kind in ("auto", "native") else None
    return own or (vm.find_running() if kind in ("auto", "vm") else None), silent


def _nothing(kind: str, silent: list[Silent]) -> CourseError:
    if kind == "vm":
        return CourseError("No VM engine runs.", fix=f"course engine start --kind vm, after {vm.BUILD}")
    tried = "".join(f"\n  {one.address.source}: {one.reason}" for one in silent)
    reason = native.obstacle()
    own = f" The course can start none here: {reason}." if reason else ""
    fix = "start Docker Desktop, Colima, OrbStack or Podman, or set DOCKER_HOST"
    if vm.obstacle() is None:
        other = "course engine start --kind vm" if vm.is_built() else vm.BUILD
        fix += f"; or have one that needs neither Docker nor root: {other}"
    return CourseError(f"No Docker engine answers.{own}{tried}", fix=fix if reason else "course engine start --install")
