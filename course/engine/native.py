"""A private dockerd of the course's own, on Linux as root.

Enters: nothing but the user's data folder. Leaves: an engine that answers on a socket in it, and survives its starter.
Starts and stops processes; may import `course.errors`, `course.folders` and `course.labels`.

It shares nothing with another engine but the kernel: own data, exec root, socket, pid file, configuration and
containerd namespaces. Two daemons in one network namespace would rewrite each other's packet filter rules
(moby/moby#26989), so it is not started beside another one.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from docker import DockerClient
from filelock import FileLock

from course import labels
from course.engine.find import Address, Silent, try_address
from course.errors import CourseError
from course.folders import data_folder

START_TIMEOUT_S: Final = 60
STOP_TIMEOUT_S: Final = 30
_SOCKET_LIMIT: Final = 107
"""The bytes of a Unix socket's path (unix(7))."""
_LONGEST_SOCKET: Final = "exec/containerd/containerd.sock.ttrpc"
_NAMESPACE: Final = "layer-by-layer"
_NEEDED_CAPABILITIES: Final = 1 << 12 | 1 << 21
"""CAP_NET_ADMIN and CAP_SYS_ADMIN, by their numbers in linux/capability.h."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """The files of the private engine, all below `root` but for sockets that would be too deep there."""

    root: Path

    @property
    def runtime(self) -> Path:
        """Where its sockets are: in `root`, or where that is too deep, in a short folder of this user's."""
        fits = len(os.fsencode(self.root / _LONGEST_SOCKET)) <= _SOCKET_LIMIT
        return self.root if fits else Path("/run") / f"{_NAMESPACE}-{_fingerprint(self.root)}"

    @property
    def socket(self) -> Path:
        """The engine's socket."""
        return self.runtime / "docker.sock"

    @property
    def exec_root(self) -> Path:
        """The state of running containers, and containerd's sockets."""
        return self.runtime / "exec"

    @property
    def docker_host(self) -> str:
        """The address of the engine."""
        return f"unix://{self.socket}"

    @property
    def pid_file(self) -> Path:
        """Where dockerd notes its pid."""
        return self.root / "dockerd.pid"

    @property
    def log(self) -> Path:
        """What dockerd prints."""
        return self.root / "dockerd.log"

    @property
    def process(self) -> Path:
        """Which process is ours, as `labels.session` names processes."""
        return self.root / "process"


def place() -> Place:
    """Where this user's private engine lives, running or not."""
    return Place(root=data_folder() / "engine")


def find_running() -> DockerClient | None:
    """A client of the private engine, when it runs and answers."""
    here = place()
    if _pid(here) is None:
        return None
    found = try_address(Address(source="the course's own engine", docker_host=here.docker_host))
    return None if isinstance(found, Silent) else found


def obstacle() -> str | None:
    """Why no private engine can be started here even with dockerd installed, or None."""
    if sys.platform != "linux":
        return "a private engine needs Linux"
    if os.geteuid() != 0:
        return "a private engine needs root"
    if not _may_mount():
        return "root has too few rights here for a private engine, as in a container that is not privileged"
    other = _other_daemon()
    if other is not None:
        return f"another Docker daemon (pid {other}) runs in this network namespace, and two would disturb each other"
    return None


def _may_mount() -> bool:
    """Whether this process has the capabilities without which no container can be set up (capabilities(7))."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    return effective & _NEEDED_CAPABILITIES == _NEEDED_CAPABILITIES


def start() -> DockerClient:
    """Start the private engine, or join the one that runs; raises `CourseError` with dockerd's own words if it ends."""
    here = place()
    with _locked(here):
        running = find_running()
        if running is not None:
            return running
        reason = obstacle()
        if reason:
            raise CourseError(f"No private engine: {reason}.", fix="`course doctor`, and use the engine that is there")
        program = shutil.which("dockerd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
        if program is None:
            raise CourseError("dockerd is not installed.", fix="course engine start --install")
        _clear_stale_files(here)
        release_addresses()
        return _launch(here, program)


def stop() -> bool:
    """Stop the private engine and its containers; whether it ran."""
    here = place()
    with _locked(here):
        pid = _pid(here)
        if pid is not None:
            _end(pid)
            _unmount_below(here.exec_root)  # a network namespace is left by a container on the host's network
        _clear_stale_files(here)
    return pid is not None


def reset() -> bool:
    """Stop the private engine and forget everything in it; whether there was anything to forget."""
    here = place()
    stop()
    with _locked(here):
        found = (here.root / "data").exists()
        for folder in (here.root / "data", here.exec_root):
            _unmount_below(folder)
            if folder.exists():
                shutil.rmtree(folder)
        here.log.unlink(missing_ok=True)
        if here.runtime != here.root and here.runtime.exists():
            shutil.rmtree(here.runtime)
    return found


def _launch(here: Place, program: str) -> DockerClient:
    here.socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    configuration = here.root / "daemon.json"
    configuration.write_text(json.dumps(machine_settings()), encoding="utf-8")
    command = [
        program,
        *("--config-file", str(configuration)),
        *("--data-root", str(here.root / "data")),
        *("--exec-root", str(here.exec_root)),
        *("--host", here.docker_host),
        *("--pidfile", str(here.pid_file)),
        *("--containerd-namespace", _NAMESPACE),
        *("--containerd-plugins-namespace", f"{_NAMESPACE}-plugins"),
        *_mtu_option(),
    ]
    with here.log.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )
    here.process.write_text(labels.session_of(process.pid), encoding="utf-8")
    deadline = time.monotonic() + START_TIMEOUT_S
    address = Address(source="the course's own engine", docker_host=here.docker_host)
    try:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise CourseError(f"dockerd ended at once: {_last_words(here.log)}", fix=f"read {here.log}")
            found = try_address(address) if here.socket.exists() else None
            if isinstance(found, DockerClient):
                return found
            time.sleep(0.05)
        raise CourseError(f"dockerd did not answer within {START_TIMEOUT_S} s.", fix=f"read {here.log}")
    except BaseException:
        _end(process.pid)
        _clear_stale_files(here)
        raise


def machine_settings() -> dict[str, object]:
    """The registry settings of the machine's own daemon.json, and nothing else of it: its folders are not ours."""
    try:
        machine = json.loads(Path("/etc/docker/daemon.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: machine[key] for key in ("registry-mirrors", "insecure-registries", "dns") if key in machine}


def _mtu_option() -> tuple[str, ...]:
    """The MTU of the default route: larger packets of containers would be lost on their way out."""
    for line in Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]:
        interface, destination = line.split()[:2]
        if destination == "00000000":
            return "--mtu", str(psutil.net_if_stats()[interface].mtu)
    return ()


def _other_daemon() -> int | None:
    """The pid of a dockerd in this network namespace that is not ours."""
    mine = os.readlink("/proc/self/ns/net")
    ours = _pid(place())
    for process in psutil.process_iter(["name"]):
        if process.info["name"] != "dockerd" or process.pid == ours:
            continue
        try:
            if os.readlink(f"/proc/{process.pid}/ns/net") == mine:
                return process.pid
        except OSError:
            continue
    return None


def _pid(here: Place) -> int | None:
    """The pid of our dockerd while that very process lives."""
    try:
        process = here.process.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return int(process.partition("-")[0]) if labels.is_alive(process) else None


def _end(pid: int) -> None:
    """Ask dockerd to stop, then insist; it takes its containerd and containers with it."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.send_signal(signal.SIGTERM)
        if not _has_ended(process):
            process.kill()
            _has_ended(process)


def _has_ended(process: psutil.Process) -> bool:
    """Wait for the end; a process that its parent, perhaps a JupyterLab, has not asked for yet has ended as well."""
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _clear_stale_files(here: Place) -> None:
    for path in (here.process, here.pid_file, here.socket):
        path.unlink(missing_ok=True)


def release_addresses() -> None:
    """Unmount the containers' network namespaces that private engines, of any home, left behind when they were killed.

    Such a namespace has no process any more, but it stays a port of the bridge `docker0` and refuses whatever is sent
    to its address, which the next engine gives to a container of its own (moby mounts them below `<exec root>/netns`,
    libnetwork/osl).
    """
    for point in _mounts():
        folder = point.parent
        for engine in (place(), Place(root=folder.parent.parent)):
            if folder == engine.exec_root / "netns" and engine.log.exists() and _pid(engine) is None:
                _unmount(point)
                break


def _unmount_below(folder: Path) -> None:
    """What an engine that is no more left mounted in our own folder, deepest first."""
    for point in sorted((p for p in _mounts() if p.is_relative_to(folder)), key=lambda p: len(p.parts), reverse=True):
        _unmount(point)


def _unmount(point: Path) -> None:
    done = subprocess.run(["umount", "--lazy", point], check=False, capture_output=True, text=True)
    if done.returncode and point in _mounts():  # somebody else may have been faster
        raise CourseError(f"{point} cannot be unmounted: {done.stderr.strip()}", fix=f"umount {point}")


def _mounts() -> list[Path]:
    """What is mounted in this namespace."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    return [Path(line.split()[1].replace("\\040", " ")) for line in lines]


def _last_words(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


@contextmanager
def _locked(here: Place) -> Iterator[None]:
    here.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(here.root / "lock", timeout=START_TIMEOUT_S + STOP_TIMEOUT_S):
        yield
