"""The VM engine where something goes wrong around it: a full disk, a kill, a file that is missing."""

import io
import os
import random
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import vm_user
from docker import DockerClient
from docker.errors import DockerException
from ordinary import Ordinary
from vm_user import IMAGE, processes, start, wait_until

pytestmark = [
    pytest.mark.engine,
    vm_user.NEEDED,
]

SPACE_BYTES = 30 << 20


@pytest.fixture
def client(user: Ordinary) -> Iterator[DockerClient]:
    with vm_user.as_built(user) as client:
        yield client


@pytest.mark.long
def test_on_a_full_disk_it_stands_still_until_there_is_space(user: Ordinary) -> None:
    with _full_disk(user) as disk:
        address = start(user)["docker_host"]
        client, hasty = (DockerClient(base_url=address, timeout=seconds) for seconds in (vm_user.ENGINE_TIMEOUT_S, 5))
        fill = f"dd if=/dev/zero of=/large bs=1M count={3 * SPACE_BYTES >> 20} && sync && echo written"
        container = client.containers.run(IMAGE, ["sh", "-c", fill], detach=True)
        wait_until(lambda: not _answers(hasty), timeout_s=120, what="the disk is full")
        assert shutil.disk_usage(disk).free < 1 << 20
        time.sleep(5)  # it stays like this
        assert len(processes(user)) == 2
        (disk / "ballast").unlink()
        assert container.wait(timeout=300)["StatusCode"] == 0
        assert "written" in container.logs().decode()
        wait_until(lambda: abs(vm_user.lag_s(client)) < 3, timeout_s=30, what="the clock is right, which stood still")
        for one in (client, hasty):
            one.close()
        user.course("engine", "reset")


@pytest.mark.long
def test_a_stop_that_fills_the_disk_ends_once_there_is_space(user: Ordinary) -> None:
    with _full_disk(user) as disk:
        client = DockerClient(base_url=start(user)["docker_host"], timeout=vm_user.ENGINE_TIMEOUT_S)
        size = SPACE_BYTES * 2 // 3
        client.api.import_image_from_data(_tar_of(os.urandom(size)), repository="large")  # into the guest's memory
        with (disk / "more").open("wb") as more:
            os.posix_fallocate(more.fileno(), 0, shutil.disk_usage(disk).free - (4 << 20))
        with user.begin("engine", "stop") as stop:
            wait_until(lambda: shutil.disk_usage(disk).free < 1 << 20, timeout_s=60, what="the disk is full")
            time.sleep(5)
            assert stop.poll() is None
            (disk / "ballast").unlink()
            assert stop.wait(timeout=120) == 0
        start(user)
        assert client.images.get("large").attrs["Size"] == size
        client.close()


def _tar_of(content: bytes) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as tar:
        member = tarfile.TarInfo("large")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return written.getvalue()


@contextmanager
def _full_disk(user: Ordinary) -> Iterator[Path]:
    """This user's engine on a disk of its own, which is all but full until the file `ballast` is removed."""
    user.course("engine", "reset")
    image, disk, guest = user.folder / "image", user.folder / "disk", user.course_home / "vm/guest"
    taken = sum(file.stat().st_blocks * 512 for file in guest.rglob("*"))
    with image.open("wb") as file:
        file.truncate(taken + 20 * SPACE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    disk.mkdir()
    subprocess.run(["mount", "-o", "loop", image, disk], check=True)
    before = user.environment["LAYER_BY_LAYER_HOME"]
    try:
        place = vm_user.own_folder(user, vm_user.own_folder(user, disk) / "vm")
        subprocess.run(["cp", "-a", "--sparse=always", guest, place / "guest"], check=True)
        with (disk / "ballast").open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, shutil.disk_usage(disk).free - SPACE_BYTES)
        user.environment["LAYER_BY_LAYER_HOME"] = str(disk)
        yield disk
    finally:
        user.course("engine", "reset")
        user.environment["LAYER_BY_LAYER_HOME"] = before
        wait_until(lambda: not processes(user), timeout_s=20, what="nothing uses the disk")
        subprocess.run(["umount", disk], check=True)
        disk.rmdir()
        image.unlink()


def test_a_guest_that_may_not_be_written_is_restored(user: Ordinary) -> None:
    user.course("engine", "reset")
    files = [file for file in (user.course_home / "vm/guest").rglob("*") if file.is_file()]
    modes = [file.stat().st_mode for file in files]
    for file, mode in zip(files, modes, strict=True):
        file.chmod(mode & 0o555)
    try:
        start(user)
        assert vm_user.engine(user).ping()
        assert vm_user.machine(user)["snapshot"], "it was restored, and has not booted"
    finally:
        user.course("engine", "reset")
        for file, mode in zip(files, modes, strict=True):
            file.chmod(mode)


@pytest.mark.long
def test_a_machine_that_cannot_start_says_why(user: Ordinary) -> None:
    user.course("engine", "reset")
    with vm_user.missing(user.course_home / "vm/guest/vmlinuz"):
        failed = user.course("engine", "start", "--kind", "vm")
    assert failed.returncode == 1
    assert "could not open kernel file" in " ".join(failed.stderr.split()).lower(), failed.stderr


@pytest.mark.long
def test_a_machine_that_has_hardly_begun_ends_with_its_keeper(user: Ordinary) -> None:
    for _ in range(5):
        user.course("engine", "reset")
        starter = user.begin("engine", "start", "--kind", "vm")
        _keeper_of_a_beginning_machine(starter.pid).kill()
        starter.terminate()
        starter.wait(timeout=60)
        wait_until(lambda: not processes(user), timeout_s=10, what="nothing is left")
    user.course("engine", "reset")


def _keeper_of_a_beginning_machine(starter: int) -> psutil.Process:
    """The keeper that a process has started, in the moment in which its machine begins."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in psutil.Process(starter).children():
            with suppress(psutil.NoSuchProcess):  # it was another program, and over at once
                if child.children():
                    return child
    raise AssertionError("no machine has begun")


@pytest.mark.long
def test_an_engine_that_cannot_be_kept_goes_on(user: Ordinary, client: DockerClient) -> None:
    folder = vm_user.own_folder(user, user.temporary / "mounted")
    (folder / "seen").write_text("still there\n")
    client.volumes.create("kept")
    kept = user.course_home / "vm/kept"
    kept.chmod(0o500)  # as on a full disk
    try:
        stopped = user.course("engine", "stop")
    finally:
        kept.chmod(0o700)
    assert stopped.returncode == 1
    assert "ermission denied" in stopped.stderr
    mounted = [f"{folder}:/here"]
    assert client.containers.run(IMAGE, ["cat", "/here/seen"], volumes=mounted, remove=True) == b"still there\n"
    assert user.course("engine", "stop").returncode == 0
    start(user)
    assert [volume.name for volume in client.volumes.list()] == ["kept"]


@pytest.mark.long
def test_what_was_kept_outlives_a_start_that_fails(user: Ordinary, client: DockerClient) -> None:
    client.volumes.create("kept")
    assert user.course("engine", "stop").returncode == 0
    failed = user.course("engine", "start", "--kind", "vm", "--share", str(user.temporary / "no-such-folder"))
    assert failed.returncode != 0
    assert "no folder" in failed.stderr
    state = user.course_home / "vm/kept/state"
    state.write_bytes(state.read_bytes()[:1000])  # as a full disk leaves it
    start(user)
    assert [volume.name for volume in client.volumes.list()] == ["kept"]
    assert client.containers.run(IMAGE, ["echo", "hello"], remove=True) == b"hello\n"
    assert user.course("engine", "stop").returncode == 0
    start(user)
    assert [volume.name for volume in client.volumes.list()] == ["kept"]
    assert user.course("engine", "reset").returncode == 0


@pytest.mark.long
def test_nothing_is_left_after_a_kill_at_any_moment(user: Ordinary, long: bool) -> None:
    for seed in range(20 if long else 4):
        chance = random.Random(seed)
        user.course("engine", "reset")
        starter = user.begin("engine", "start", "--kind", "vm")
        time.sleep(chance.uniform(0, 4))  # this is no waiting: the moment is the experiment
        victims = [p for p in processes(user) if p.pid != starter.pid] + [psutil.Process(starter.pid)]
        victim = chance.choice(victims)
        victim.send_signal(signal.SIGKILL)
        starter.wait(timeout=120)
        if victim.pid != starter.pid:  # a machine that is killed while it is restored is booted instead
            wait_until(
                lambda: not processes(user) or _has_engine(user), timeout_s=20, what=f"kill {seed} leaves no half"
            )
        start(user)
        assert vm_user.engine(user).ping(), seed


def _has_engine(user: Ordinary) -> bool:
    try:
        return _answers(vm_user.engine(user))
    except DockerException:
        return False


def _answers(client: DockerClient) -> bool:
    try:
        return bool(client.ping())
    except (DockerException, OSError):
        return False


@pytest.mark.long
def test_what_was_in_a_killed_engine_is_gone_with_it(user: Ordinary, client: DockerClient) -> None:
    client.volumes.create("lost")
    psutil.Process(vm_user.machine(user)["qemu"]).kill()
    wait_until(lambda: not processes(user), timeout_s=20, what="the keeper ends with its machine")
    assert not vm_user.sockets_left(user)
    start(user)
    assert not client.volumes.list()
