"""A world of a lesson's or a grader's own on an engine: containers, networks, volumes and a folder, gone afterwards.

Enters: docker-py's client. Leaves: docker-py's own objects. Creates and removes on the engine; may import
`course.builds`, `course.clean`, `course.errors`, `course.labels` and its neighbour `setup`.

    with Scratch(client) as scratch:
        web = scratch.network("web")
        db = scratch.run("mongo:8", name="db", networks=[web])

Names get a suffix on the engine, so that two notebooks side by side do not collide; on its networks a container also
has the plain name. A process that is killed leaves its objects to the next start, which finds them by their labels.
"""

import secrets
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from docker import DockerClient
from docker.errors import APIError, DockerException
from docker.models.containers import Container
from docker.models.networks import Network
from docker.models.volumes import Volume
from docker.types import Mount

from course import labels
from course.builds import BuildTrace, build
from course.clean import clean, clean_session, remove_each
from course.engine.http import docker_host
from course.errors import CourseError
from course.lab.setup import Setup, read_setup

SCRATCH: Final = f"{labels.COURSE}.scratch"
_STARTS: Final = 20


class Scratch:
    """A context manager; everything that it made is removed at its end, also after an error or an interrupt."""

    _open: ClassVar[set[str]] = set()

    def __init__(self, client: DockerClient) -> None:
        self.client = client
        self.id = secrets.token_hex(3)
        self._images = 0
        if not self._open:
            clean(client)
        self._folder = tempfile.TemporaryDirectory(prefix=labels.folder_prefix(), ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self._open.add(self.id)

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def name(self, name: str) -> str:
        """The name on the engine of what is called `name` here."""
        return f"{name}-{self.id}"

    def labels(self) -> dict[str, str]:
        """What marks an object as made here."""
        return labels.labels(**{SCRATCH: self.id})

    def network(self, name: str, *, internal: bool = False) -> Network:
        """Make a network of one's own, a bridge."""
        return self.client.networks.create(self.name(name), driver="bridge", internal=internal, labels=self.labels())

    def volume(self, name: str, **options: str) -> Volume:
        """Make a named volume; `options` are those of the engine's local driver: type, o, device."""
        return self.client.volumes.create(self.name(name), driver_opts=options or None, labels=self.labels())

    def anonymous_volume(self, target: str) -> Mount:
        """For `mounts` of `run`: a volume that the engine will name, with a label by which it is found again."""
        return Mount(target, None, type="volume", labels=self.labels())

    def image(self, folder: Path) -> str:
        """Build `folder` and give the image's id. Raises `CourseError` when it does not build."""
        self._images += 1
        trace: BuildTrace = build(self.client, folder)
        if trace.error or not trace.image_id:
            raise CourseError(f"{folder.name} could not be built: {trace.error}", fix="`course doctor`")
        return trace.image_id

    def run(
        self,
        image: str,
        command: str | list[str] | None = None,
        *,
        name: str,
        networks: Sequence[Network] = (),
        listens: Sequence[int] = (),
        ports: Mapping[str, int | tuple[str, int] | None] | None = None,
        **options: Any,
    ) -> Container:
        """Start a container in the background, on `networks` or where `network_mode` says. `listens` declares TCP ports
        (EXPOSE), `ports` publishes some; they and `options` are docker-py's. Raises `CourseError` when it cannot start.
        """
        published: dict[str, Any] = {f"{port}/tcp": [] for port in listens}  # bound to nothing: declared only
        published |= ports or {}
        if networks:
            options["network"] = networks[0].name
            configuration = self.client.api.create_endpoint_config(aliases=[name])
            options["networking_config"] = {networks[0].name: configuration}
        try:
            container = self.client.containers.create(
                image, command, name=self.name(name), labels=self.labels(), ports=published, **options
            )
            for network in networks[1:]:
                network.connect(container, aliases=[name])
            named = [port[1] if isinstance(port, tuple) else port for port in (ports or {}).values()]
            start_container(container, names_ports=any(named))
            container.reload()
        except APIError as error:
            raise CourseError(f"{name} could not be started: {error.explanation}", fix=_fix(str(error))) from error
        return container

    def setup(self) -> Setup:
        """What is there now: all that has a name of this world."""
        return read_setup(self.client).part(f"-{self.id}")

    @property
    def publish_at(self) -> str:
        """The engine's own address at which a port is published, for this machine alone where that is possible."""
        return "127.0.0.1" if self.engine_host == "127.0.0.1" else "0.0.0.0"

    @property
    def engine_host(self) -> str:
        """Where this machine finds the engine's published ports."""
        return engine_host(docker_host(self.client))

    def close(self) -> None:
        """Remove what was made here; after builds, with the last scratch world of this process, also what they left."""
        self._open.discard(self.id)
        self._folder.cleanup()
        with suppress(DockerException):  # the engine is gone, and all of it with it or left to the next clean-up
            self._remove()
            if self._images and not self._open:
                clean_session(self.client)

    def _remove(self) -> None:
        mine: dict[str, str | list[str] | bool] = {"label": f"{SCRATCH}={self.id}"}
        containers = self.client.containers.list(all=True, filters=mine, ignore_removed=True)
        remove_each((one.short_id, partial(one.remove, force=True, v=True)) for one in containers)
        remove_each((one.short_id, one.remove) for one in self.client.networks.list(filters=mine))
        remove_each((one.name, partial(one.remove, force=True)) for one in self.client.volumes.list(filters=mine))


def engine_host(address: str) -> str:
    """The host's name in an engine's address; an engine behind a socket or a pipe is on this machine."""
    url = urlsplit(address)
    return (url.hostname or "127.0.0.1") if url.scheme in ("tcp", "http", "https", "ssh") else "127.0.0.1"


def start_container(container: Container, *, names_ports: bool = False) -> None:
    """Start it. Of the ports that it may choose an engine tries ten (moby, portallocator), and then the next ten: where
    the container `names_ports` of its own, trying again is of no use. Raises docker-py's `APIError`.
    """
    for tries_left in reversed(range(_STARTS)):
        try:
            container.start()
            return
        except APIError as error:
            if "address already in use" not in str(error) or names_ports or not tries_left:
                raise


def _fix(message: str) -> str:
    if "is already in use by container" in message:
        return "another name: `course ps --all` shows which container has this one"
    if "port is already allocated" in message or "address already in use" in message:
        return "another port: `course ps --all` shows which container has this one"
    if "No such image" in message:
        return "course images ensure"
    return "the container's own message says what is wrong"
