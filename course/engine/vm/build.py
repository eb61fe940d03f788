"""Building the guest: from Debian's packages to a snapshot of a running engine.

Enters: a mirror, certificates, and what is to be done within the engine before the snapshot. Leaves: a guest's folder,
complete or not there at all. Starts processes; may import `course.errors` and its neighbours.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from docker import DockerClient
from filelock import FileLock

from course.engine.find import CALL_TIMEOUT_S
from course.engine.vm import guest_files, launch, packages
from course.engine.vm.keeper import Task
from course.engine.vm.machine import KVM, TCG
from course.engine.vm.place import Manifest, Place, make_private, runtime_folder
from course.engine.vm.running import accelerators, locked, new_overlay
from course.errors import CourseError

MEMORY_MIB: Final = 1024
PROCESSORS: Final = {TCG: 1, KVM: 2}
"""Emulated processors wait for each other more than they help."""

Prepare = Callable[[DockerClient], tuple[str, ...]]
"""Puts images on the engine, and names them."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """`settings` join the engine's daemon.json; `certificates` are trusted in place of Debian's."""

    mirror: str | None
    certificates: bytes | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def build(here: Place, source: Source, prepare: Prepare, *, say: Callable[[str], None]) -> Manifest:
    """Build the guest anew and put it in the place of an older one, which must not run. Raises `CourseError`."""
    with _workshop(here) as folder:
        guest = folder / "guest"
        versions = packages.unpack(guest_files.PACKAGES, folder / "packages", mirror=source.mirror, say=say)
        say("putting the guest together")
        unpacked = folder / "packages/root"
        guest_files.make_qemu(unpacked, guest / "qemu")
        guest_files.make_kernel(unpacked, guest)
        guest_files.make_disk(unpacked, guest, certificates=source.certificates, settings=source.settings)
        shutil.rmtree(folder / "packages")
        images = _fill(guest, folder, prepare, say)
        snapshots = dict(_take_snapshots(guest, folder, say))
        manifest = Manifest(
            suite=packages.SUITE,
            packages=versions,
            images=images,
            memory_mib=MEMORY_MIB,
            snapshots=snapshots,
        )
        (guest / "manifest.json").write_text(json.dumps(manifest.to_json(), indent=1), encoding="utf-8")
        put_in_place(here, guest)
    return manifest


def put_in_place(here: Place, guest: Path) -> None:
    """Make `guest` this user's guest; what an engine of the older one held is forgotten."""
    with locked(here):
        launch.end(here.run)
        for old in (here.kept, here.guest):
            shutil.rmtree(old, ignore_errors=True)
        guest.rename(here.guest)


def _fill(guest: Path, folder: Path, prepare: Prepare, say: Callable[[str], None]) -> tuple[str, ...]:
    """Boot from the disk itself and let `prepare` put images there."""
    with _running(guest, folder, TCG, disk=guest / "disk.qcow2", say=say) as client:
        say("filling the engine")
        images = prepare(client)
        say("stopping")
        launch.ask(runtime_folder(folder / "run"), do="power off")
    return images


def _take_snapshots(guest: Path, folder: Path, say: Callable[[str], None]) -> Iterator[tuple[str, int]]:
    """One for each accelerator that works here. Where KVM is there and does not work, emulation does."""
    for accelerator in accelerators((KVM, TCG)):
        target = guest / accelerator
        target.mkdir()
        new_overlay(guest, guest / "disk.qcow2", target / "disk.qcow2")
        try:
            with _running(
                guest, folder, accelerator, disk=target / "disk.qcow2", memory=target / "ram", say=say
            ) as one:
                _warm_up(one)
                say("taking a snapshot")
                launch.ask(runtime_folder(folder / "run"), do="suspend", to=str(target))
                (target / "accelerator").unlink()
            yield accelerator, PROCESSORS[accelerator]
        except CourseError:
            shutil.rmtree(target)
            if accelerator == TCG:
                raise


def _warm_up(client: DockerClient) -> None:
    """Run a container once, where there is a small image: what it reads is then in the snapshot's memory."""
    small = sorted(client.images.list(), key=lambda image: int(image.attrs["Size"]))
    if small:
        client.containers.run(small[0], "true", remove=True)


@contextmanager
def _running(
    guest: Path, folder: Path, accelerator: str, *, disk: Path, say: Callable[[str], None], memory: Path | None = None
) -> Iterator[DockerClient]:
    run = runtime_folder(folder / "run")
    make_private(run)
    task = Task(
        guest=str(guest),
        run=str(run),
        accelerator=accelerator,
        memory_mib=MEMORY_MIB,
        processors=PROCESSORS[accelerator],
        disk=str(disk),
        disk_discarded=False,
        memory=str(memory) if memory else None,
        bound=True,
    )
    with launch.launch(task, say=say) as keeper:
        client = DockerClient(base_url=f"unix://{run / 'docker.sock'}", version="auto", timeout=CALL_TIMEOUT_S)
        try:
            yield client
        finally:
            client.close()
            keeper.terminate()


@contextmanager
def _workshop(here: Place) -> Iterator[Path]:
    """A folder beside the guest, gone afterwards."""
    here.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(here.root / "building"):
        for stale in here.root.glob("build-*"):
            shutil.rmtree(stale, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="build-", dir=here.root, ignore_cleanup_errors=True) as folder:
            yield Path(folder)
