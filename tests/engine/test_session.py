"""What a build's session promises: no stale file, no secret left behind, many at once, and an end in every case."""

import functools
import gc
import hashlib
import io
import os
import random
import signal
import stat
import statistics
import tarfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil
import pytest
from docker import DockerClient
from docker_cli import contents
from faulty import FaultyWay, faulty_way

from course.builds import BuildTrace, Status, build
from course.builds import client as builds_client
from course.builds.record import cache_records
from course.builds.session import FromEnvironment, share
from course.engine import is_emulated
from course.errors import CourseError

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]

EDITS, EDITS_LONG = 40, 200
INTERRUPTS, INTERRUPTS_LONG = 8, 50


def held() -> tuple[int, int]:
    """The threads and the sockets of this process, once what is about to end has ended."""
    gc.collect()
    process = psutil.Process()
    sockets = [fd for fd in Path("/proc/self/fd").iterdir() if _is_socket(fd)] if process.num_fds() else []
    return threading.active_count(), len(sockets)


def _is_socket(fd: Path) -> bool:
    with suppress(OSError):
        return stat.S_ISSOCK(fd.stat().st_mode)
    return False


@contextmanager
def nothing_left(allowed: int = 1) -> Iterator[None]:
    """No thread stays, and no socket but those of docker-py's pool, of which there may be `allowed` more."""
    threads, sockets = held()
    yield
    deadline = time.monotonic() + 10
    while held()[0] > threads and time.monotonic() < deadline:
        time.sleep(0.05)
    assert held()[0] <= threads, threading.enumerate()
    assert held()[1] <= sockets + allowed


def test_an_edit_that_keeps_size_and_time_is_never_missed(client: DockerClient, tmp_path: Path, long: bool) -> None:
    chance = random.Random(1)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    files = [tmp_path / name for name in ("a", "b.txt", "d/e")]
    (tmp_path / "d").mkdir()
    for file in files:
        file.write_bytes(chance.randbytes(1000))
    build(client, tmp_path)
    for _ in range(EDITS_LONG if long else EDITS):
        edited, before = chance.choice(files), edited_status(files)
        place = chance.randrange(1000)
        data = bytearray(edited.read_bytes())
        data[place] = (data[place] + chance.randrange(1, 255)) % 256
        if chance.random() < 0.5:
            edited.write_bytes(data)
        else:  # another file takes its place
            (tmp_path / "new").write_bytes(data)
            (tmp_path / "new").rename(edited)
        for file, status in before.items():
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        trace = build(client, tmp_path)
        assert trace.image_id, trace.error
        inside = contents(client, trace.image_id)
        for file in files:
            assert inside[str(file.relative_to(tmp_path))].digest == hashlib.sha256(file.read_bytes()).hexdigest()


def edited_status(files: list[Path]) -> dict[Path, os.stat_result]:
    return {file: file.stat() for file in files}


def test_interrupts_at_any_moment_stop_the_build_and_the_next_one_works(
    client: DockerClient, tmp_path: Path, long: bool
) -> None:
    chance = random.Random(2)
    mark = f"sleep 41.{time.time_ns()}"
    took: list[float] = []
    build(client, quick(tmp_path))
    with nothing_left(allowed=3):
        for turn in range(INTERRUPTS_LONG if long else INTERRUPTS):
            (tmp_path / "Dockerfile").write_text(
                f"FROM busybox:stable\nCOPY a.txt /\nRUN echo {turn} > /n\nRUN {mark}{turn}\n"
            )
            (tmp_path / "a.txt").write_text(str(time.time_ns()))
            with alarm(chance.uniform(0.001, 1.2)) as began, pytest.raises(KeyboardInterrupt):
                build(client, tmp_path)
            took.append(time.monotonic() - began[0])
            assert build(client, quick(tmp_path)).ok
    assert statistics.median(took) < 1, "cancelled within a second"
    assert max(took) < 10, "not one step was waited for"
    a_step_may_end_itself = is_emulated(client)  # README: where it was just about to begin
    deadline = time.monotonic() + (60 if a_step_may_end_itself else 20)
    while any(one["InUse"] and mark in one.get("Description", "") for one in cache_records(client)):
        assert time.monotonic() < deadline, "a step still runs"
        time.sleep(0.1)


def quick(folder: Path) -> Path:
    (folder / "Dockerfile").write_text("FROM busybox:stable\nCOPY a.txt /\n")
    (folder / "a.txt").write_text("x")
    return folder


@contextmanager
def alarm(after_s: float) -> Iterator[list[float]]:
    """Ctrl-C after so long; leaves the moment when it came."""
    moments: list[float] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        moments.append(time.monotonic())
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, after_s)
    try:
        yield moments
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize("source", ["bytes", "file", "environment"])
def test_a_secret_reaches_its_step_and_stays_nowhere(
    source: str, client: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = f"the-secret-{time.time_ns()}"
    monkeypatch.setenv("THE_SECRET", value)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/secret").write_text(value)
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(
        "FROM busybox:stable\nRUN --mount=type=secret,id=one,required=true sha256sum < /run/secrets/one\n"
        "RUN test ! -s /run/secrets/one && ! grep -r the-secret /run\n"
    )
    secret = {
        "bytes": value.encode(),
        "file": tmp_path / "kept/secret",
        "environment": FromEnvironment(variable="THE_SECRET"),
    }
    events: list[BuildTrace] = []
    trace = build(client, context, secrets={"one": secret[source]}, no_cache=True, on_snapshot=events.append)
    assert trace.ok, trace.error
    assert hashlib.sha256(value.encode()).hexdigest() in trace.step(2).log
    assert value not in repr(events) + repr(trace)
    image = client.images.get(str(trace.image_id))
    assert value not in repr(image.attrs) + repr(image.history()) + repr(cache_records(client))
    assert value.encode() not in unpacked(b"".join(image.save()))


def unpacked(archive: bytes) -> bytes:
    """All bytes of an archive and of the archives in it, one after the other."""
    found = [archive]
    with suppress(tarfile.ReadError), tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for entry in tar:
            file = tar.extractfile(entry) if entry.isreg() else None
            if file:
                found.append(unpacked(file.read()))
    return b"".join(found)


def test_a_secret_that_is_missing_is_an_error_of_its_line(client: DockerClient, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox:stable\nRUN --mount=type=secret,id=one,required=true cat /run/secrets/one\n"
    )
    error = build(client, tmp_path, secrets={"other": b"x"}).error
    assert error is not None
    assert error.line == 2
    assert "one" in error.message


def test_eight_builds_at_once_on_one_client(client: DockerClient, tmp_path: Path) -> None:
    folders = []
    for number in range(8):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "who").write_text(f"{number} {time.time_ns()}")
        (folder / "Dockerfile").write_text("FROM busybox:stable\nCOPY who /\nRUN cat /who\nRUN sleep 1\n")
        folders.append(folder)
    with nothing_left(allowed=10), ThreadPoolExecutor(8) as pool:
        traces = list(pool.map(lambda folder: build(client, folder), folders))
    for folder, trace in zip(folders, traces, strict=True):
        assert trace.ok, trace.error
        assert trace.step(3).log == (folder / "who").read_text()


@pytest.fixture
def way(client: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FaultyWay, DockerClient]]:
    with faulty_way(client, tmp_path_factory.mktemp("way")) as found:
        yield found


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds give up on a silent engine after 8 s; its health checks come every 5."""
    monkeypatch.setattr(builds_client, "share", functools.partial(share, silence_s=8))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("failure", [pytest.param("fall_silent", marks=pytest.mark.long), "break_off"])
def test_a_connection_that_fails_ends_the_build_with_an_error(
    failure: str, way: tuple[FaultyWay, DockerClient], tmp_path: Path
) -> None:
    faulty, client = way
    (tmp_path / "Dockerfile").write_text("FROM busybox:stable\nRUN sleep 30\n")
    failed_at: list[float] = []

    def fail(trace: BuildTrace) -> None:
        if trace.steps[1].status is Status.RUNNING and not failed_at:
            failed_at.append(time.monotonic())
            getattr(faulty, failure)()

    with pytest.raises(CourseError, match=r"went away|lost touch") as caught:
        build(client, tmp_path, no_cache=True, on_snapshot=fail)
    assert time.monotonic() - failed_at[0] < 25
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("build-session")]
    assert "course engine" in caught.value.fix
    faulty.close()


def test_a_session_that_is_never_asked_says_so(client: DockerClient, tmp_path: Path) -> None:
    told = threading.Event()
    failures: list[CourseError] = []

    def note(error: CourseError) -> None:
        failures.append(error)
        told.set()

    with nothing_left(), share(client, tmp_path, on_failure=note, first_call_s=1) as shared:
        assert told.wait(5)
        assert shared.failure is failures[0]
    assert "lost touch" in str(failures[0])
