"""This user's VM engine: started, stopped, emptied.

Enters: nothing but the user's data folder. Leaves: an engine that answers on a socket in it, and survives its starter.
Starts and ends processes; may import `course.errors` and its neighbours.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from docker import DockerClient
from docker.errors import APIError
from filelock import FileLock, Timeout

from course.engine.find import Address, Silent, try_address
from course.engine.vm import launch
from course.engine.vm.keeper import Task
from course.engine.vm.machine import KVM, PROCESSORS, SHARES, TCG, qemu_program
from course.engine.vm.place import Manifest, Place, make_private, place, read_manifest
from course.errors import CourseError

_LOCK_TIMEOUT_S: Final = 1000
_STOP_TIMEOUT_S: Final = 2
_PROBE_TIMEOUT_S: Final = 60
_IN_THE_GUEST: Final = (
    *("/bin", "/sbin", "/usr", "/lib", "/lib64", "/etc", "/dev", "/proc", "/sys"),
    *("/var/lib", "/var/log", "/var/run", "/run/docker", "/run/containerd"),
)
_HOLDING_THOSE: Final = ("/", "/var", "/run")
_ACCELERATOR: Final = "accelerator"
"""With what the machine ran that was stopped; there until it runs again."""
BUILD: Final = "course engine build-vm --images"

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class _Shared:
    """What containers may mount: folders, and by which links they are reached here as well."""

    folders: list[str]
    links: dict[str, str]


def obstacle() -> str | None:
    """Why no VM engine can run here even when it is built, or None."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "the VM engine needs Linux on x86-64"
    return None


def check_possible() -> None:
    """Raise `CourseError` where no VM engine can run."""
    if reason := obstacle():
        raise CourseError(f"No VM engine: {reason}.", fix="an engine of your own: Docker Desktop, Colima, Podman")


def is_built() -> bool:
    """Whether there is a guest to start."""
    return read_manifest(place().guest) is not None


def is_emulated() -> bool:
    """Whether the engine that runs has to do without KVM."""
    noted = launch.record(place().run)
    return noted is not None and noted["accelerator"] == TCG


def find_running() -> DockerClient | None:
    """A client of the VM engine, when it runs and answers."""
    here = place()
    if obstacle() or launch.record(here.run) is None:
        return None
    found = _try(here)
    return None if isinstance(found, Silent) else found


def _find_whole(here: Place) -> DockerClient | None:
    """Like `find_running`; raises `CourseError` for an engine that was ready once, and does not answer now: to end it
    would be to lose what it holds.
    """
    client = find_running()
    if client is None and launch.record(here.run) is not None and (here.run / "docker.sock").exists():
        raise CourseError(
            "The VM engine runs and does not answer.",
            fix=f"see whether the disk of {here.root} is full, and try again; `course engine reset` forgets all in it",
        )
    return client


def start(shares: Sequence[Path] = (), *, say: Say = lambda doing: None) -> DockerClient:
    """Restore this user's VM engine, or join it where it runs. `shares` are folders that containers may mount.

    What it held when it was stopped is there again. Raises `CourseError`.
    """
    here = place()
    with locked(here):
        running = _find_whole(here)
        if running is not None:
            return running
        manifest = startable(here)
        launch.end(here.run)
        make_private(here.run)
        _start(here, manifest, _shared(shares), say)
    found = _try(here)
    if isinstance(found, Silent):
        raise CourseError(f"The VM engine does not answer: {found.reason}.", fix=f"read the logs in {here.run}")
    return found


def stop() -> bool:
    """Stop the containers and the engine, and keep what it holds for the next start; whether it ran.

    Raises `CourseError` where that cannot be kept, and then it still runs.
    """
    if obstacle():
        return False
    here = place()
    with locked(here):
        client = _find_whole(here)
        if client is not None:
            for container in client.containers.list(ignore_removed=True):
                with suppress(APIError):
                    container.stop(timeout=_STOP_TIMEOUT_S)
            client.close()
            launch.ask(here.run, do="suspend", to=str(here.kept))
        return launch.end(here.run) or client is not None


def reset() -> bool:
    """Stop the engine and forget everything in it but what was built in; whether there was anything to forget."""
    if obstacle():
        return False
    here = place()
    with locked(here):
        ran = launch.end(here.run)
        found = here.kept.exists()
        if found:
            shutil.rmtree(here.kept)
    return ran or found


def accelerators(snapshots: Sequence[str]) -> list[str]:
    """Those of `snapshots` that can be restored by this user here, the best first."""
    return [one for one in (KVM, TCG) if one in snapshots and (one == TCG or os.access("/dev/kvm", os.R_OK | os.W_OK))]


def new_overlay(guest: Path, base: Path, target: Path) -> None:
    """A disk at `target` that holds what changes on top of `base`, which is never written."""
    command = [*qemu_program(guest, "qemu-img"), "create", "-q", "-f", "qcow2", "-F", "qcow2"]
    within = target.is_relative_to(guest)  # and so the guest may be moved
    backing = os.path.relpath(base, target.parent) if within else base
    done = subprocess.run([*command, "-b", str(backing), str(target)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise CourseError(f"qemu-img failed: {done.stderr.strip()}", fix="is the disk full?")


def _shared(shares: Sequence[Path]) -> _Shared:
    chosen = checked_shares(shares)
    return _Shared(folders=[str(path) for path in chosen], links=links_to(_names(shares), chosen))


def _names(shares: Sequence[Path]) -> tuple[Path, ...]:
    """By which a person may call what is shared: as it was given, from home, and from where the shell stands."""
    return (*shares, *(Path(os.environ[name]) for name in ("HOME", "PWD") if name in os.environ))


def _start(here: Place, manifest: Manifest, shared: _Shared, say: Say) -> None:
    """From where it was stopped; else as it was built, in the first of the ways that works here."""
    if (here.kept / _ACCELERATOR).is_file():
        _resume(here, manifest, shared, say)
        return
    ways = list(_ways(here.guest, manifest))
    for accelerator, snapshot in ways:
        shutil.rmtree(here.kept, ignore_errors=True)
        here.kept.mkdir(mode=0o700)
        new_overlay(here.guest, (snapshot or here.guest) / "disk.qcow2", here.kept / "disk.qcow2")
        try:
            launch.launch(_task(here, manifest, accelerator, shared, snapshot), say=say)
            return
        except CourseError:
            if (accelerator, snapshot) == ways[-1]:
                raise


def _ways(guest: Path, manifest: Manifest) -> Iterator[tuple[str, Path | None]]:
    """Each accelerator that this user has here, the best first: restoring its snapshot, then booting without one."""
    for accelerator in accelerators((KVM, TCG)):
        if accelerator in manifest.snapshots:
            yield accelerator, guest / accelerator
        yield accelerator, None


def _resume(here: Place, manifest: Manifest, shared: _Shared, say: Say) -> None:
    """From where it was stopped; where that does not work, by a boot from its disk, as after a power cut."""
    noted, state, used = here.kept / _ACCELERATOR, here.kept / "state", here.kept / "resumed"
    accelerator = noted.read_text(encoding="utf-8")
    able = accelerators((KVM, TCG))
    resumes = state.is_file() and accelerator in able
    if resumes:  # once only: what then is written to the disk, the state knows nothing of
        shutil.rmtree(used, ignore_errors=True)
        used.mkdir(mode=0o700)
        state.rename(used / "state")
        try:
            launch.launch(_task(here, manifest, accelerator, shared, used), say=say)
        except CourseError:
            resumes = False
    if not resumes:
        say("booting from the disk that was kept")
        proven = accelerator if accelerator in able else able[0]
        try:
            launch.launch(_task(here, manifest, proven, shared, None), say=say)
        except CourseError as error:
            raise CourseError(
                f"{error.message} What it holds is kept.", fix="try again; `course engine reset` forgets it"
            ) from error
    noted.unlink()
    shutil.rmtree(used, ignore_errors=True)


def _task(here: Place, manifest: Manifest, accelerator: str, shared: _Shared, snapshot: Path | None) -> Task:
    return Task(
        guest=str(here.guest),
        run=str(here.run),
        accelerator=accelerator,
        memory_mib=manifest.memory_mib,
        processors=manifest.snapshots.get(accelerator, PROCESSORS[accelerator]),
        disk=str(here.kept / "disk.qcow2"),
        disk_discarded=False,
        snapshot=str(snapshot) if snapshot else None,
        shares=shared.folders,
        links=shared.links,
    )


def _try(here: Place) -> DockerClient | Silent:
    """Its client; a machine that is emulated and has much to do is slow to answer."""
    address = Address(source="the course's VM engine", docker_host=here.docker_host)
    return try_address(address, timeout_s=_PROBE_TIMEOUT_S)


def startable(here: Place) -> Manifest:
    """The manifest of a guest that can be started; raises `CourseError`."""
    check_possible()
    manifest = read_manifest(here.guest)
    if manifest is None:
        raise CourseError("The VM engine is not built yet.", fix=BUILD)
    return manifest


def checked_shares(shares: Sequence[Path]) -> list[Path]:
    """The folders to share, none of them within another; raises `CourseError` for one that the guest has itself."""
    chosen: list[Path] = []
    for path in sorted({path.resolve() for path in shares}):
        if not path.is_dir():
            raise CourseError(
                f"There is no folder {path} to share with the VM engine.", fix="course engine start --share DIR"
            )
        if not _is_outside(path):
            raise CourseError(f"{path} cannot be shared with the VM engine: it has one itself.", fix="another folder")
        if not any(path.is_relative_to(one) for one in chosen):
            chosen.append(path)
    if len(chosen) > SHARES:
        raise CourseError(f"The VM engine shares {SHARES} folders at most.", fix="a folder that holds the others")
    return chosen


def links_to(names: Sequence[Path], folders: Sequence[Path]) -> dict[str, str]:
    """The symbolic links on the way along `names` that lead to one of `folders` or to what holds it: link and target.

    A home is such a link where homes lie on another disk: a shell there calls a folder by a path that has one in it.
    """
    found = {}
    for name in names:
        for step in (one for one in (*reversed(name.absolute().parents), name.absolute()) if one.is_symlink()):
            target = step.resolve()
            shared = any(step.parent.resolve().is_relative_to(folder) for folder in folders)  # it is there anyway
            if not shared and _is_outside(step) and any(folder.is_relative_to(target) for folder in folders):
                found[str(step)] = str(target)
    return found


def shareable(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Those of these folders that a VM engine can share."""
    return tuple(path for path in paths if path.is_dir() and _is_outside(path.resolve()))


def _is_outside(path: Path) -> bool:
    return str(path) not in _HOLDING_THOSE and not any(path.is_relative_to(one) for one in _IN_THE_GUEST)


def check_shared(shares: Sequence[Path]) -> None:
    """Raise `CourseError` where the engine that runs does not share one of these folders."""
    noted = launch.record(place().run) or {}
    for path in shares:
        (real,) = checked_shares([path])
        shared = any(real.is_relative_to(one) for one in noted.get("shares", ()))
        if not shared or not links_to([path], [real]).items() <= noted.get("links", {}).items():
            raise CourseError(
                f"The VM engine runs and does not share {path}.", fix="course engine stop, then start it again"
            )


@contextmanager
def locked(here: Place) -> Iterator[None]:
    """Nobody else starts or stops this engine meanwhile."""
    here.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(here.root / "lock")
    try:
        lock.acquire(timeout=_LOCK_TIMEOUT_S)
    except Timeout:
        raise CourseError("Another command starts or stops this engine.", fix="wait for it, or end it") from None
    try:
        yield
    finally:
        lock.release()
