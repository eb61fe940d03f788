"""The replay engine in a virtual machine: what was submitted meets neither this machine, nor its engine, nor a network.

Enters: the guest that `build_guest` made. Leaves: `ReplayEngine`s, each as the guest was built and gone at the end.
Starts and ends processes; may import `course` and its neighbours.

The guest's snapshot is of a replay engine that runs already, with its base images and packages: a reset is a restore.
"""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from docker import DockerClient
from docker.models.containers import Container
from docker.tls import TLSConfig

from course import labels
from course.builds import record
from course.engine import docker_host
from course.engine.http import load, stream
from course.engine.vm import launch
from course.engine.vm.build import Booted, Plan, Source, build
from course.engine.vm.clones import Clone
from course.engine.vm.place import Manifest, Place, read_manifest
from course.engine.vm.running import check_possible
from course.errors import CourseError
from course.folders import data_folder
from course.images import OnProgress
from graders.sandbox.container import API_PORT, Keys, connect, create, stop
from graders.sandbox.engine import EMULATED_PACE, ReplayEngine
from graders.sandbox.image import ensure_offline_images, ensure_replay_image, recipe_digest
from graders.sandbox.store import load_images, named_images

BUILD: Final = "graders build-vm"
MEMORY_MIB: Final = 4096
DISK_BYTES: Final = 24 << 30
_VOLUME: Final = "replay"
_KEYS: Final = f"{labels.COURSE}.keys"
_HOST: Final = "127.0.0.1"
_PORT: Final = int(API_PORT.partition("/")[0])


def guest_place() -> Place:
    """Where the graders' guest is, which is not the one that learners use."""
    return Place(root=data_folder() / "graders-vm")


def is_built() -> bool:
    """Whether there is a guest to grade in, made of today's recipe."""
    return _manifest() is not None


def _manifest() -> Manifest | None:
    manifest = read_manifest(guest_place().guest)
    return manifest if manifest is not None and manifest.version == recipe_digest() else None


def build_guest(
    source: Source,
    donor: DockerClient,
    names: Sequence[str],
    *,
    say: Callable[[str], None],
    on_progress: OnProgress | None = None,
) -> Manifest:
    """Build the guest, with these catalogue images, from what is made on the `donor` engine. Raises `CourseError`."""
    check_possible()
    image = ensure_replay_image(donor, on_progress=on_progress)
    wanted = ensure_offline_images(donor, names, on_progress=on_progress)
    keys = Keys.make(_HOST)

    def fill(booted: Booted) -> tuple[str, ...]:
        load(booted.client, stream(donor, "/images/get", {"names": [image]}))
        booted.client.volumes.create(_VOLUME)
        with _started(booted, image, keys) as engine:
            load_images(donor, engine.client, wanted)
            stop(engine.container)
        return tuple(wanted)

    def warm_up(booted: Booted) -> None:
        with _started(booted, image, keys) as engine:
            engine.images = named_images(engine.client)
            engine.await_packages()
            engine.reset()

    plan = Plan(fill=fill, warm_up=warm_up, memory_mib=MEMORY_MIB, disk_bytes=DISK_BYTES, version=recipe_digest())
    return build(guest_place(), source, plan, say=say)


@contextmanager
def _started(booted: Booted, image: str, keys: Keys) -> Iterator[ReplayEngine]:
    """The replay engine in a guest that is being built; it runs on afterwards."""
    carried = {_KEYS: json.dumps(asdict(keys))}
    container = create(booted.client, image, _VOLUME, keys, publish_at=("0.0.0.0", _PORT), carried=carried)
    port = int(launch.ask(booted.run, do="forward", port=_PORT)["port"])
    with tempfile.TemporaryDirectory(prefix=labels.folder_prefix()) as folder:
        client = connect(container, keys.write(Path(folder)), _HOST, port=port, pace=EMULATED_PACE)
        try:
            yield ReplayEngine(client=client, container=container, outer=booted.client, images={}, pace=EMULATED_PACE)
        finally:
            client.close()


@dataclass(kw_only=True)
class IsolatedEngine(ReplayEngine):
    """A replay engine in a `clone` of the guest."""

    clone: Clone
    tls: TLSConfig

    def reset(self) -> None:
        """Make it clean again: the machine begins anew."""
        self.client.close()
        record.forget(docker_host(self.client), {labels.session()})
        self.clone.reset()
        self.outer = self.clone.client
        self.container, _ = _find(self.clone)
        self.client = _enter(self.clone, self.container, self.tls, self.pace, self.client.api.api_version)


@contextmanager
def isolated_engine(images: Sequence[str] = ()) -> Iterator[ReplayEngine]:
    """A clean engine in a machine of its own, gone at the end; as many at once as there is memory for.

    Raises `CourseError` where the guest is not built, or without one of these catalogue images.
    """
    manifest = _manifest()
    if manifest is None:
        raise CourseError(
            "The virtual machine to grade in is not built yet, or for another version of the graders.", fix=BUILD
        )
    if lacking := set(images).difference(manifest.images):
        raise CourseError(f"The virtual machine to grade in was built without {', '.join(sorted(lacking))}.", fix=BUILD)
    with Clone(guest_place()) as clone, tempfile.TemporaryDirectory(prefix=labels.folder_prefix()) as folder:
        container, keys = _find(clone)
        tls, pace = keys.write(Path(folder)), EMULATED_PACE if clone.emulated else 1
        client = _enter(clone, container, tls, pace)
        engine = IsolatedEngine(
            client=client,
            container=container,
            outer=clone.client,
            images=named_images(client),
            pace=pace,
            clone=clone,
            tls=tls,
        )
        try:
            yield engine
        finally:
            engine.client.close()
            record.forget(docker_host(engine.client), {labels.session()})


def _find(clone: Clone) -> tuple[Container, Keys]:
    (container,) = clone.client.containers.list()
    return container, Keys(**json.loads(container.labels[_KEYS]))


def _enter(clone: Clone, container: Container, tls: TLSConfig, pace: float, version: str = "auto") -> DockerClient:
    return connect(container, tls, _HOST, port=clone.forward(_PORT), pace=pace, version=version)
