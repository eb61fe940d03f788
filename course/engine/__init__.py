"""Finding or starting a Docker engine: `connect() -> docker.DockerClient`.

Enters: what kind of engine is wanted. Leaves: docker-py's client, which IS the engine's handle everywhere.
May import `course.errors`, `course.folders`, `course.labels`.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

from docker import DockerClient

from course.engine import native
from course.engine.find import Silent, addresses, try_address
from course.engine.http import docker_host, get_json
from course.engine.install import ENGINE_PACKAGES, allowed, engine_is_installed, install
from course.errors import CourseError

__all__ = ["KINDS", "EngineStatus", "connect", "docker_host", "is_owned", "restart", "start", "status"]

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
    raise _nothing(kind, silent)


def start(*, kind: str = "auto", install_agreed: bool = False) -> DockerClient:
    """Like `connect`, and installs dockerd first where that is agreed to (a person at a terminal is asked)."""
    _check(kind)
    found, silent = _find(kind)
    if found is not None:
        return found
    if native.obstacle() is not None or kind == "vm":
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
    owned = is_owned(client)
    return EngineStatus(
        running=True,
        kind="native" if owned else "existing",
        docker_host=docker_host(client),
        version=version["Version"],
        api=client.api.api_version,
        owned=owned,
        tls=str(client.api.base_url).startswith("https://"),
    )


def is_owned(client: DockerClient) -> bool:
    """Whether the course started this engine, and so may give its images public names."""
    return docker_host(client) == native.place().docker_host


def restart(client: DockerClient) -> None:
    """Stop the course's own engine and start it again; its containers stop with it. Raises `CourseError` when it is
    somebody else's.
    """
    if not is_owned(client):
        raise CourseError("This engine is not the course's own, and is not restarted.", fix="course engine start")
    native.stop()
    native.start()


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
    return (native.find_running() if kind in ("auto", "native") else None), silent


def _nothing(kind: str, silent: list[Silent]) -> CourseError:
    if kind == "vm":
        return CourseError(
            "The VM engine is not part of this version yet.", fix="--kind native, or an engine of your own"
        )
    tried = "".join(f"\n  {one.address.source}: {one.reason}" for one in silent)
    reason = native.obstacle()
    own = f" The course can start none here: {reason}." if reason else ""
    fix = "start Docker Desktop, Colima, OrbStack or Podman, or set DOCKER_HOST"
    return CourseError(f"No Docker engine answers.{own}{tried}", fix=fix if reason else "course engine start --install")
