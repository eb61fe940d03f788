"""Building the guest: from Debian's packages to a snapshot of a running engine.

Enters: a mirror, certificates, and what is to be done within the engine before the snapshot. Leaves: a guest's folder,
complete or not there at all. Starts processes; may import `course.errors` and its neighbours.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from docker import DockerClient
from docker.errors import DockerException
from filelock import FileLock, Timeout

from course.engine.find import CALL_TIMEOUT_S
from course.engine.vm import guest_files, launch, packages
from course.engine.vm.keeper import Task
from course.engine.vm.machine import KVM, PROCESSORS, TCG
from course.engine.vm.place import NOTES, Manifest, Place, make_private, runtime_folder
from course.engine.vm.running import accelerators, check_possible, locked, new_overlay
from course.errors import CourseError

MEMORY_MIB: Final = 512
DISK_BYTES: Final = 10 << 30
_WORKSHOP: Final = "build-"
"""How names begin of what is in work or of no use any more: the next build removes it."""
_END_TIMEOUT_S: Final = 3
"""How long a keeper takes to see that its machine has ended, and to end."""


@dataclass(frozen=True, kw_only=True)
class Booted:
    """The guest while it is made: a client of its engine, its keeper's folder, and one for notes that go with it."""

    client: DockerClient
    run: Path
    notes: Path


def run_something(booted: Booted) -> None:
    """Run a container once, where there is a small image: what it reads is then in the snapshot's memory."""
    small = sorted(booted.client.images.list(), key=lambda image: int(image.attrs["Size"]))
    if small:
        booted.client.containers.run(small[0], "true", remove=True)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a guest holds: `fill` puts images on its engine, and names them; what `warm_up` does last, its snapshots go
    on from. The disk is sparse; `version` goes into the manifest.
    """

    fill: Callable[[Booted], tuple[str, ...]]
    warm_up: Callable[[Booted], None] = run_something
    memory_mib: int = MEMORY_MIB
    disk_bytes: int = DISK_BYTES
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Source:
    """`settings` join the engine's daemon.json; `certificates` are trusted in place of Debian's."""

    mirror: str | None
    certificates: bytes | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def build(here: Place, source: Source, plan: Plan, *, say: Callable[[str], None]) -> Manifest:
    """Build the guest anew and put it in the place of an older one, which is ended. Raises `CourseError`."""
    check_possible()
    with workshop(here) as folder:
        guest = folder / "guest"
        versions = packages.unpack(guest_files.PACKAGES, folder / "packages", mirror=source.mirror, say=say)
        say("putting the guest together")
        unpacked = folder / "packages/root"
        guest_files.make_qemu(unpacked, guest / "qemu")
        guest_files.make_kernel(unpacked, guest)
        guest_files.make_disk(
            unpacked,
            guest,
            size_bytes=plan.disk_bytes,
            certificates=source.certificates,
            settings=source.settings,
        )
        (guest / NOTES).mkdir()
        shutil.rmtree(folder / "packages")
        images = _fill(guest, folder, plan, say)
        snapshots = dict(_take_snapshots(guest, folder, plan, say))
        manifest = Manifest(
            suite=packages.SUITE,
            packages=versions,
            images=images,
            memory_mib=plan.memory_mib,
            snapshots=snapshots,
            version=plan.version,
        )
        (guest / "manifest.json").write_text(json.dumps(manifest.to_json(), indent=1), encoding="utf-8")
        put_in_place(here, guest)
    return manifest


def put_in_place(here: Place, guest: Path) -> None:
    """Make `guest` this user's guest; what an engine of the older one held is forgotten."""
    aside = [here.root / f"{_WORKSHOP}old-{name}" for name in ("kept", "guest")]
    with locked(here):
        launch.end(here.run)
        for old, to in zip((here.kept, here.guest), aside, strict=True):
            shutil.rmtree(to, ignore_errors=True)
            with suppress(FileNotFoundError):
                old.rename(to)  # which needs less than a removal, and can hardly fail half-way
        guest.rename(here.guest)
    for to in aside:
        shutil.rmtree(to, ignore_errors=True)


def _fill(guest: Path, folder: Path, plan: Plan, say: Callable[[str], None]) -> tuple[str, ...]:
    """Boot from the disk itself and put images there."""
    with _running(guest, folder, TCG, plan, disk=guest / "disk.qcow2", say=say) as booted:
        say("filling the engine")
        images = plan.fill(booted)
        say("stopping")
        launch.ask(runtime_folder(folder / "run"), do="power off")
    return images


def _take_snapshots(guest: Path, folder: Path, plan: Plan, say: Callable[[str], None]) -> Iterator[tuple[str, int]]:
    """One for each accelerator that works here. Where KVM is there and does not work, emulation does."""
    for accelerator in accelerators((KVM, TCG)):
        target = guest / accelerator
        target.mkdir()
        new_overlay(guest, guest / "disk.qcow2", target / "disk.qcow2")
        try:
            with _running(
                guest, folder, accelerator, plan, disk=target / "disk.qcow2", memory=target / "ram", say=say
            ) as booted:
                plan.warm_up(booted)
                say("taking a snapshot")
                launch.ask(runtime_folder(folder / "run"), do="suspend", to=str(target))
                (target / "accelerator").unlink()
            yield accelerator, PROCESSORS[accelerator]
        except CourseError:
            shutil.rmtree(target)
            if accelerator == TCG:
                raise


@contextmanager
def _running(
    guest: Path,
    folder: Path,
    accelerator: str,
    plan: Plan,
    *,
    disk: Path,
    say: Callable[[str], None],
    memory: Path | None = None,
) -> Iterator[Booted]:
    run = runtime_folder(folder / "run")
    make_private(run)
    task = Task(
        guest=str(guest),
        run=str(run),
        accelerator=accelerator,
        memory_mib=plan.memory_mib,
        processors=PROCESSORS[accelerator],
        disk=str(disk),
        disk_discarded=False,
        memory=str(memory) if memory else None,
        bound=True,
    )
    with launch.launch(task, say=say) as keeper:
        client = DockerClient(base_url=f"unix://{run / 'docker.sock'}", version="auto", timeout=CALL_TIMEOUT_S)
        try:
            yield Booted(client=client, run=run, notes=guest / NOTES)
        except (CourseError, DockerException, OSError) as error:
            if not _has_ended(keeper):
                raise
            raise CourseError(
                "The machine ended while the guest was made.", fix="see whether the disk is full, then again"
            ) from error
        finally:
            client.close()
            keeper.terminate()


def _has_ended(keeper: subprocess.Popen[str]) -> bool:
    try:
        keeper.wait(_END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return False
    return True


@contextmanager
def workshop(here: Place) -> Iterator[Path]:
    """A folder beside the guest, gone afterwards, for one that makes a guest at a time; raises `CourseError` for
    another: what it made would take the place of an engine that is in use by then.
    """
    here.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(here.root / "building")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CourseError("Another command builds this engine already.", fix="wait for it, or end it") from None
    try:
        for stale in here.root.glob(f"{_WORKSHOP}*"):
            shutil.rmtree(stale, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_WORKSHOP, dir=here.root, ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    finally:
        lock.release()
