"""The ordinary user of the tests of the VM engine, and that user's guest.

The guest is built once for all these tests, by that user: from Debian's packages, with busybox in it. With
LAYER_BY_LAYER_TEST_GUEST a folder is named that keeps it from one run to the next.
"""

import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from docker import DockerClient
from ordinary import OTHER_UID, UID, Ordinary

from course.engine.vm import running
from course.engine.vm.keeper import FILES

KEPT_GUEST: Final = "LAYER_BY_LAYER_TEST_GUEST"
IMAGE: Final = "busybox:stable"
ENGINE_TIMEOUT_S: Final = 300
BUILD_TIMEOUT_S: Final = 3600


@contextmanager
def loopback_server() -> Iterator[int]:
    """A web server on this machine's loopback, which nothing in a machine of the graders may reach; its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def obstacle() -> str | None:
    """Why these tests cannot be run here."""
    if sys.platform != "linux" or os.geteuid() != 0 or running.obstacle() or shutil.which("apt-get") is None:
        return "acting as other users needs root, and the VM engine needs Linux on x86-64 and apt"
    return None


NEEDED: Final = pytest.mark.skipif(
    obstacle() is not None and not os.environ.get("LAYER_BY_LAYER_REQUIRE_ENGINE"), reason=obstacle() or ""
)
"""Skips the tests where they cannot be run, unless they have to be, as in CI: there they fail."""


@contextmanager
def ordinary_user(images: Sequence[str] = (IMAGE,), *, uid: int = UID) -> Iterator[Ordinary]:
    """A user with a guest that holds these images, or all of the course's for an empty list."""
    with _user(lambda folder: Ordinary(folder, uid)) as user:
        give_guest(user, images)
        yield user


@contextmanager
def as_built(user: Ordinary) -> Iterator[DockerClient]:
    """A client of that user's engine, which has forgotten everything but what is built in."""
    user.course("engine", "reset")
    start(user)
    client = engine(user)
    yield client
    client.close()


@contextmanager
def another_user(first: Ordinary) -> Iterator[Ordinary]:
    """A second account, with the same guest as the first one's."""
    with _user(lambda folder: Ordinary(folder, OTHER_UID)) as user:
        _take_guest(user, first.course_home / "vm/guest")
        yield user


@contextmanager
def _user(make: Callable[[Path], Ordinary]) -> Iterator[Ordinary]:
    """A user whose folder and processes are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="vm-", dir="/tmp"))  # not pytest's, which no other user can enter
    folder.chmod(0o755)
    user = make(folder)
    try:
        yield user
    finally:
        user.course("engine", "reset")
        left = processes(user)
        for process in left:
            process.kill()
        shutil.rmtree(folder)
        assert not left, f"left over: {left}"


def give_guest(user: Ordinary, images: Sequence[str]) -> None:
    """Build the guest as this user, or take the one that was kept from an earlier run."""
    kept = Path(os.environ[KEPT_GUEST] + ("" if images else "-all")) if KEPT_GUEST in os.environ else None
    if kept and kept.exists():
        _take_guest(user, kept)
        return
    built = user.course("engine", "build-vm", "--images", *images, timeout_s=BUILD_TIMEOUT_S)
    assert built.returncode == 0, built.stderr
    if kept:
        subprocess.run(["cp", "-a", "--sparse=always", str(user.course_home / "vm/guest"), str(kept)], check=True)


def _take_guest(user: Ordinary, other: Path) -> None:
    guest = user.course_home / "vm/guest"
    user.run("mkdir", "-p", str(guest.parent), timeout_s=10)
    subprocess.run(["cp", "-a", "--sparse=always", str(other), str(guest)], check=True)
    subprocess.run(["chown", "-R", f"{user.uid}:{user.uid}", str(guest)], check=True)


def start(user: Ordinary, *words: str) -> dict[str, Any]:
    """`course engine start --kind vm`; what it prints."""
    done = user.course("engine", "start", "--kind", "vm", "--json", *words)
    assert done.returncode == 0, done.stderr
    status: dict[str, Any] = json.loads(done.stdout)
    return status


def engine(user: Ordinary) -> DockerClient:
    """A client of the running engine; the tests' own user may use every socket."""
    return DockerClient(base_url=f"unix://{run_folder(user)}/docker.sock", version="auto", timeout=ENGINE_TIMEOUT_S)


def lag_s(client: DockerClient) -> float:
    """By how many seconds the engine's clock is behind."""
    stamp = client.info()["SystemTime"]  # with nanoseconds
    return (datetime.now(UTC) - datetime.fromisoformat(stamp[:26].rstrip("Z") + "+00:00")).total_seconds()


def run_folder(user: Ordinary) -> Path:
    """Where the running engine's sockets are."""
    return user.course_home / "vm/run"


def processes(user: Ordinary) -> list[psutil.Process]:
    """The living processes of this user."""
    found = []
    for process in psutil.process_iter(["uids", "status"]):
        uids = process.info["uids"]
        if uids and uids.real == user.uid and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def machine(user: Ordinary) -> dict[str, Any]:
    """What the keeper noted of itself."""
    noted: dict[str, Any] = json.loads((run_folder(user) / "keeper.json").read_text())
    return noted


def sockets_left(user: Ordinary) -> list[str]:
    """Files of a running engine that are there."""
    return [name for name in FILES if (run_folder(user) / name).exists()]


def own_folder(user: Ordinary, folder: Path) -> Path:
    """A folder that is that user's, made where it is not there."""
    folder.mkdir(exist_ok=True)
    os.chown(folder, user.uid, user.uid)
    return folder


@contextmanager
def missing(file: Path) -> Iterator[None]:
    """A file that is not there for a while."""
    aside = file.rename(file.with_name("aside"))
    try:
        yield
    finally:
        aside.rename(file)


def wait_until(true: Callable[[], bool], *, timeout_s: float, what: str) -> None:
    """Poll; an `AssertionError` says `what` did not become true."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
