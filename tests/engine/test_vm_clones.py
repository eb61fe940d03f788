"""Disposable VM engines for work that is not trusted, made by an ordinary user, and what a hostile container can do."""

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import vm_user
from ordinary import Ordinary
from vm_user import IMAGE, processes, wait_until

pytestmark = [
    pytest.mark.engine,
    pytest.mark.long,
    vm_user.NEEDED,
]

BEGIN = """
import json, os, sys, time
from docker.errors import APIError
from course.engine.vm.clones import Clone
def run(clone, script, **options):
    command = ["sh", "-c", script + "; true"]
    return clone.client.containers.run("busybox:stable", command, remove=True, stderr=True, **options).decode()
def say(**what):
    print(json.dumps(what), flush=True)
"""
REACH = """
from concurrent.futures import ThreadPoolExecutor
port = sys.argv[1]
addresses = [f"10.0.2.2:{port}", "10.0.2.15:2375", "172.17.0.1:2375", "10.0.2.4:445"]
with Clone() as clone:
    look = "; ".join(f"wget -T 3 -O - http://{one}/ 2>&1" for one in addresses)
    look += "; nslookup -timeout=2 example.com 2>&1"
    mounts = clone.client.containers.run("busybox:stable", ["cat", "/proc/1/mounts"], pid_mode="host", remove=True)
    share = "mkdir /m; mount -t 9p -o trans=virtio share0 /m && ls -A /m; touch /m/x && echo written"
    say(share=run(clone, share, privileged=True))
    say(seen=run(clone, look), on_the_host_network=run(clone, look, network_mode="host"), mounts=mounts.decode())
"""
DAMAGE = """
with Clone() as clone:
    bomb = "bomb() { bomb | bomb & }; bomb; sleep 5"
    container = clone.client.containers.run("busybox:stable", ["sh", "-c", bomb], detach=True, pids_limit=200)
    container.wait(timeout=120)
    say(after_the_bomb=clone.client.ping())
    clone.client.volumes.create("mine")
    # its log would be on the full disk: only its status tells
    fill = ["dd", "if=/dev/zero", "of=/big", "bs=1M", "count=20000"]
    filler = clone.client.containers.run("busybox:stable", fill, detach=True)
    say(status=filler.wait(timeout=900)["StatusCode"])
    began = time.monotonic()
    clone.reset()
    seconds = time.monotonic() - began
    left = clone.client.containers.list(all=True), clone.client.volumes.list()
    say(seconds=seconds, left=[len(one) for one in left], full=run(clone, "df -m / | tail -1").split()[4])
    clone.client.containers.run("busybox:stable", ["sh", "-c", bomb], detach=True)  # and now without a limit
    time.sleep(10)
    began = time.monotonic()
    clone.reset()
    say(seconds=time.monotonic() - began, again=run(clone, "echo alive"))
"""
MANY = """
clones = [Clone() for _ in range(3)]
for number, clone in enumerate(clones):
    clone.client.volumes.create(f"of-{number}")
say(volumes=[[volume.name for volume in clone.client.volumes.list()] for clone in clones])
if sys.argv[1] == "die":
    os.kill(os.getpid(), 9)
for clone in clones:
    clone.close()
"""

KEEPER = """
import psutil, tempfile
from pathlib import Path
with Clone() as clone:
    (keeper,) = psutil.Process().children()
    keeper.kill()
    keeper.wait()
    (left,) = Path(tempfile.gettempdir()).glob("layer-by-layer.clone-*")
    os.utime(left, (0, 0))  # long ago: a young one may belong to a keeper that is just starting
    with Clone() as other:
        say(left=left.exists(), other=run(other, "echo alive"))
    clone.reset()
    say(again=run(clone, "echo alive"))
"""
DISK = """
import psutil
with Clone() as clone:
    clone.client.volumes.create("written")
    (machine,) = psutil.Process().children()[0].children()
    opened = [os.readlink(f"/proc/{machine.pid}/fd/{number}") for number in os.listdir(f"/proc/{machine.pid}/fd")]
    say(nameless=[file for file in opened if file.startswith("/") and file.endswith(" (deleted)")])
"""


@pytest.fixture(scope="module", autouse=True)
def nothing_else(user: Ordinary) -> None:
    """No process of this user's but those of clones."""
    user.course("engine", "reset")


@pytest.fixture
def server() -> Iterator[int]:
    with vm_user.loopback_server() as port:
        yield port


def test_a_clone_reaches_nothing(user: Ordinary, server: int) -> None:
    share, said = _said(user, BEGIN + REACH, str(server))
    assert "Read-only file system" in share["share"]
    assert "written" not in share["share"]
    for seen in (said["seen"], said["on_the_host_network"]):
        assert "<html" not in seen.lower(), seen
        assert "OK" not in seen
        assert seen.count("timed out") + seen.count("refused") + seen.count("unreachable") >= 4, seen
    assert " 9p " not in said["mounts"]


def test_what_was_done_to_a_clone_is_gone_with_its_reset(user: Ordinary, long: bool) -> None:
    code = DAMAGE if long else DAMAGE.replace("count=20000", "count=200")
    bomb, full, reset, again = _said(user, BEGIN + code)
    assert bomb["after_the_bomb"]
    assert (full["status"] != 0) == long
    assert reset["left"] == [0, 0]
    assert int(reset["full"].rstrip("%")) < 50
    assert again["again"] == "alive\n"
    assert max(reset["seconds"], again["seconds"]) < 15
    print(f"reset and restored in {reset['seconds']:.2f} s")


def test_a_clone_writes_beside_its_guest_to_a_file_without_a_name(user: Ordinary) -> None:
    (said,) = _said(user, BEGIN + DISK)
    (file,) = said["nameless"]
    assert file.startswith(f"{user.course_home}/vm/"), "and not to the temporary folder, which is memory in places"


@pytest.mark.parametrize("end", ["close", "die"])
def test_clones_are_independent_and_end_with_their_maker(user: Ordinary, end: str) -> None:
    (said,) = _said(user, BEGIN + MANY, end)
    assert said["volumes"] == [["of-0"], ["of-1"], ["of-2"]]
    wait_until(lambda: not processes(user), timeout_s=20, what="no process is left")
    wait_until(lambda: not list(user.temporary.glob("layer-by-layer.clone-*")), timeout_s=5, what="no file is left")


def test_a_clone_whose_keeper_was_killed_leaves_nothing_and_can_be_reset(user: Ordinary) -> None:
    first, second = _said(user, BEGIN + KEEPER)
    assert first == {"left": False, "other": "alive\n"}
    assert second["again"] == "alive\n"
    wait_until(lambda: not processes(user), timeout_s=20, what="no process is left")


def test_a_clone_leaves_the_users_own_engine_alone(user: Ordinary) -> None:
    vm_user.start(user)
    client = vm_user.engine(user)
    client.volumes.create("own")
    _said(user, BEGIN + "with Clone() as clone: say(volumes=len(clone.client.volumes.list()))")
    assert [volume.name for volume in client.volumes.list()] == ["own"]
    assert client.containers.run(IMAGE, ["echo", "alive"], remove=True) == b"alive\n"


def _said(user: Ordinary, code: str, *words: str) -> list[dict[str, Any]]:
    done = user.python(code, *words, timeout_s=600)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return said
