"""The VM engine, as an ordinary user with no capabilities meets it: through the command line and DOCKER_HOST."""

import json
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import pytest
import vm_user
from docker import DockerClient
from docker.errors import APIError
from docker.models.containers import Container
from ordinary import OTHER_UID, Ordinary, command_of
from vm_user import IMAGE, processes, run_folder, start, wait_until

from course.builds import build
from course.lab import Scratch

pytestmark = [
    pytest.mark.engine,
    vm_user.NEEDED,
]

LOOK_AROUND = "\n".join(
    f"wget -T 2 -O - http://{address}:2375/_ping 2>&1" for address in ("10.0.2.15", "127.0.0.1", "172.17.0.1")
)
SERVE = "mkdir /www; echo hello > /www/index.html; httpd -f -p 80 -h /www"


@pytest.fixture
def client(user: Ordinary) -> Iterator[DockerClient]:
    with vm_user.as_built(user) as client:
        yield client


def test_the_guest_says_what_it_was_made_of(user: Ordinary) -> None:
    manifest = json.loads((user.course_home / "vm/guest/manifest.json").read_text())
    assert {"docker.io", "qemu-system-x86", "libc6"} <= set(manifest["packages"])
    assert manifest["images"] == [IMAGE]
    assert "tcg" in manifest["snapshots"]


def test_an_ordinary_user_has_an_engine_that_outlives_its_starter(user: Ordinary, client: DockerClient) -> None:
    status = json.loads(user.course("engine", "status", "--json").stdout)
    assert (status["running"], status["kind"], status["owned"]) == (True, "vm", True)
    assert status["docker_host"] == f"unix://{run_folder(user)}/docker.sock"
    assert [image.tags for image in client.images.list()] == [[IMAGE]]
    assert client.containers.run(IMAGE, ["uname", "-n"], hostname="inside", remove=True) == b"inside\n"
    assert all(process.uids().effective == user.uid for process in processes(user))


def test_its_processor_is_one_that_mongodb_runs_on(client: DockerClient) -> None:
    assert b" avx " in client.containers.run(IMAGE, ["cat", "/proc/cpuinfo"], remove=True)


@pytest.mark.usefixtures("client")
def test_the_graders_say_at_once_that_they_do_not_fit_in(user: Ordinary) -> None:
    folder = user.folder / "handed-in"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"FROM {IMAGE}\n")
    words = [str(user.python_path), "-m", "graders.cli", "check", "layers", str(folder), "--json"]
    done = user.run(*words, timeout_s=120)
    assert done.returncode == 3, done.stderr
    assert "too little memory" in done.stdout


def test_another_user_is_refused(user: Ordinary, client: DockerClient) -> None:
    assert client.ping()
    connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    python = str(user.folder / "python/bin/python3")
    for name in ("docker.sock", "engine.sock", "control.sock"):
        path = run_folder(user) / name
        command = command_of(OTHER_UID, python, "-I", "-c", connect, str(path))
        done = subprocess.run(command, env=user.environment, capture_output=True, text=True, check=False)
        assert "PermissionError" in done.stderr, done
        assert path.stat().st_mode & 0o077 == 0
    assert run_folder(user).stat().st_mode & 0o077 == 0
    listening = [one for process in processes(user) for one in process.net_connections("inet")]
    assert not listening, "nothing of it is to be found on the network"


def test_a_build_that_is_over_keeps_no_processor_busy(user: Ordinary, client: DockerClient, tmp_path: Path) -> None:
    """The engine ends a build's session 10 s after its client did, for which QEMU's network has to wait quietly."""
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN true\n", encoding="utf-8")
    assert build(client, tmp_path).error is None
    machine = max(processes(user), key=lambda process: process.memory_info().rss)
    taken: list[float] = []
    for _ in range(8):  # at first the engine itself has something to do, the longer the busier this machine is
        before = machine.cpu_times()
        time.sleep(1)
        after = machine.cpu_times()
        taken.append(after.user - before.user + after.system - before.system)
    assert min(taken) < 0.25, taken


@pytest.mark.long
@pytest.mark.parametrize("network", ["bridge", "host"])
def test_no_container_reaches_the_api(client: DockerClient, network: str) -> None:
    seen = client.containers.run(
        IMAGE, ["sh", "-c", LOOK_AROUND + "; true"], network_mode=network, remove=True
    ).decode()
    assert "OK" not in seen
    assert seen.count("timed out") + seen.count("refused") + seen.count("unreachable") == 3, seen


@pytest.mark.parametrize("address", ["127.0.0.1", pytest.param("0.0.0.0", marks=pytest.mark.long)])
def test_published_ports_are_there_when_the_container_has_started(client: DockerClient, address: str) -> None:
    container = client.containers.create(IMAGE, ["sh", "-c", SERVE], ports={"80/tcp": (address, None)})
    container.start()
    container.reload()
    url = f"http://127.0.0.1:{container.ports['80/tcp'][0]['HostPort']}"
    wait_until(lambda: _get(url) == b"hello\n", timeout_s=30, what="the port answers")
    container.remove(force=True)
    wait_until(lambda: _get(url) is None, timeout_s=30, what="the port is closed again")


@pytest.mark.long
def test_a_published_udp_port_is_there_too(client: DockerClient) -> None:
    container = client.containers.run(IMAGE, ["sleep", "1000"], ports={"5000/udp": None}, detach=True)
    container.reload()
    port = int(container.ports["5000/udp"][0]["HostPort"])

    def arrived() -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"hello", ("127.0.0.1", port))
        names, counts = [line.split() for line in _read(container, "/proc/net/snmp") if line.startswith("Udp:")]
        return int(dict(zip(names, counts, strict=True))["NoPorts"]) > 0  # nobody listens, yet it came

    wait_until(arrived, timeout_s=60, what="a datagram is in the container's network")
    container.remove(force=True)


def test_a_port_that_something_else_has_is_refused_until_it_is_free(client: DockerClient) -> None:
    port = 18_080
    container = client.containers.create(IMAGE, ["sh", "-c", SERVE], ports={"80/tcp": ("127.0.0.1", port)})
    with socket.create_server(("127.0.0.1", port)), pytest.raises(APIError, match="address already in use"):
        container.start()
    container.start()
    wait_until(lambda: _get(f"http://127.0.0.1:{port}") == b"hello\n", timeout_s=30, what="the port answers")
    container.remove(force=True)


@pytest.mark.long
def test_a_port_is_free_again_though_a_client_of_the_last_one_hangs_on(client: DockerClient) -> None:
    port = 18_082
    ports = {"80/tcp": ("127.0.0.1", port)}
    first = client.containers.run(IMAGE, ["nc", "-l", "-p", "80"], ports=ports, detach=True)
    with socket.create_connection(("127.0.0.1", port), timeout=10):
        first.remove(force=True)
        second = client.containers.run(IMAGE, ["sh", "-c", SERVE], ports=ports, detach=True)
        wait_until(lambda: _get(f"http://127.0.0.1:{port}") == b"hello\n", timeout_s=30, what="the port answers")
    second.remove(force=True)


@pytest.mark.long
def test_a_port_is_chosen_that_is_free_here(client: DockerClient) -> None:
    first, many = 32_768, 25
    with ExitStack() as busy, Scratch(client) as scratch:
        for port in range(first, first + many):
            with suppress(OSError):  # another program's
                busy.enter_context(socket.create_server(("127.0.0.1", port)))
        container = scratch.run(IMAGE, ["sleep", "1000"], name="web", ports={"80/tcp": ("127.0.0.1", 0)})
        assert int(container.ports["80/tcp"][0]["HostPort"]) >= first + many


@pytest.mark.long
def test_a_port_that_cannot_be_had_is_left_out_and_said(user: Ordinary, client: DockerClient) -> None:
    ports = {"80/tcp": 80, "81/tcp": None}
    container = client.containers.run(IMAGE, ["sh", "-c", f"{SERVE} -p 81"], ports=ports, detach=True)
    container.reload()
    other = container.ports["81/tcp"][0]["HostPort"]
    wait_until(lambda: _get(f"http://127.0.0.1:{other}") == b"hello\n", timeout_s=30, what="the other port answers")
    assert "port 80/tcp: " in (run_folder(user) / "keeper.log").read_text()
    container.remove(force=True)


@pytest.mark.long
def test_a_port_that_comes_with_a_network_is_there_too(client: DockerClient) -> None:
    inner, outer = client.networks.create("inner", internal=True), client.networks.create("outer")
    ports = {"80/tcp": ("127.0.0.1", 18_081)}
    container = client.containers.run(IMAGE, ["sh", "-c", SERVE], ports=ports, network="inner", detach=True)
    assert _get("http://127.0.0.1:18081") is None
    outer.connect(container)
    wait_until(lambda: _get("http://127.0.0.1:18081") == b"hello\n", timeout_s=30, what="the port answers")
    container.remove(force=True)
    inner.remove()
    outer.remove()


@pytest.mark.parametrize("where", [pytest.param("temporary", marks=pytest.mark.long), "folder/project"])
def test_a_folder_is_mounted_at_its_own_path_and_edits_are_seen(
    user: Ordinary, client: DockerClient, where: str
) -> None:
    first, _, second = where.partition("/")
    folder = vm_user.own_folder(user, getattr(user, first) / second / "mounted")
    (folder / "seen").write_text("before\n")
    watch = 'echo written > /here/new; while [ "$(cat /here/seen)" = before ]; do sleep 0.1; done; cat /here/seen'
    container = client.containers.run(IMAGE, ["sh", "-c", watch], volumes=[f"{folder}:/here"], detach=True)
    wait_until((folder / "new").exists, timeout_s=60, what="what the container wrote is here")
    assert (folder / "new").stat().st_uid == user.uid
    (folder / "seen").write_text("after\n")
    container.wait(timeout=60)
    assert container.logs() == b"after\n"


@pytest.mark.long
def test_a_folder_is_mounted_by_a_link_that_leads_to_it(user: Ordinary, client: DockerClient) -> None:
    folder = vm_user.own_folder(user, user.temporary / "shared")
    (folder / "seen").write_text("the right one\n")
    link = user.folder / "linked"
    link.symlink_to(user.temporary)
    mounted = [f"{link}/shared:/here"]
    client.containers.run(IMAGE, ["ls", "/here"], volumes=mounted, remove=True)  # which makes empty folders there
    share = ("--share", str(link / "shared"))
    refused = user.course("engine", "start", "--kind", "vm", *share)
    assert "does not share" in refused.stderr
    for words in (("stop",), ("stop",), ("reset",)):  # in the place of those folders, where it is already, and anew
        user.course("engine", *words)
        start(user, *share)
        again = vm_user.engine(user)
        assert again.containers.run(IMAGE, ["cat", "/here/seen"], volumes=mounted, remove=True) == b"the right one\n"
        again.close()
    user.course("engine", "reset")
    link.unlink()


@pytest.mark.long
def test_two_accounts_of_one_machine_have_an_engine_each(user: Ordinary, client: DockerClient) -> None:
    client.volumes.create("of-the-first")
    with vm_user.another_user(user) as other:
        start(other)
        theirs = vm_user.engine(other)
        assert not theirs.volumes.list()
        theirs.volumes.create("of-the-second")
        for number, engine in enumerate((client, theirs)):
            serve = SERVE.replace("hello", f"engine {number}")
            container = engine.containers.run(IMAGE, ["sh", "-c", serve], ports={"80/tcp": None}, detach=True)
            container.reload()
            url = f"http://127.0.0.1:{container.ports['80/tcp'][0]['HostPort']}"
            wait_until(partial(_answers, url), timeout_s=30, what="it answers")
            assert _get(url) == f"engine {number}\n".encode()
        assert other.course("engine", "stop").returncode == 0
        theirs.close()
    assert [volume.name for volume in client.volumes.list()] == ["of-the-first"]


@pytest.mark.long
def test_the_clock_is_right_and_no_two_restored_engines_are_alike(user: Ordinary, long: bool) -> None:
    seconds, seen = [], set()
    count = 50 if long else 3
    for _ in range(count):
        user.course("engine", "reset")
        began = time.monotonic()
        start(user)
        seconds.append(time.monotonic() - began)
        client = vm_user.engine(user)
        assert abs(vm_user.lag_s(client)) < 3
        container = client.containers.run(IMAGE, ["cat", "/proc/sys/kernel/random/uuid"], detach=True)
        container.wait(timeout=60)
        seen |= {container.id, uuid.UUID(container.logs().decode().strip())}
        client.close()
    assert len(seen) == 2 * count
    figures = f"{min(seconds):.2f} / {statistics.median(seconds):.2f} / {max(seconds):.2f} s"
    print(f"start of the command to its end, least / median / most: {figures}, {count} restores")


def test_stop_keeps_what_reset_forgets(user: Ordinary, client: DockerClient) -> None:
    client.volumes.create("kept")
    client.containers.run(IMAGE, ["sleep", "1000"], name="sleeper", detach=True)
    assert user.course("engine", "stop").returncode == 0
    assert not processes(user)
    assert not vm_user.sockets_left(user)
    start(user)
    assert [volume.name for volume in client.volumes.list()] == ["kept"]
    sleeper = client.containers.get("sleeper")
    assert sleeper.status == "exited"
    sleeper.start()
    assert user.course("engine", "reset").returncode == 0
    assert not processes(user)
    start(user)
    assert not client.volumes.list()


@pytest.mark.long
def test_without_a_snapshot_that_works_the_machine_boots(user: Ordinary) -> None:
    user.course("engine", "reset")
    with vm_user.missing(user.course_home / "vm/guest/tcg/state"):
        start(user)
        client = vm_user.engine(user)
        assert client.containers.run(IMAGE, ["echo", "hello"], remove=True) == b"hello\n"
        client.close()
        user.course("engine", "reset")


@pytest.mark.long
def test_a_folder_that_is_not_shared_is_said_not_to_be(user: Ordinary) -> None:
    start(user)
    other = user.folder / "not-shared"
    other.mkdir(exist_ok=True)
    refused = user.course("engine", "start", "--kind", "vm", "--share", str(other))
    assert refused.returncode != 0
    assert "does not share" in refused.stderr


@pytest.mark.long
def test_two_starts_at_once_give_one_engine(user: Ordinary) -> None:
    user.course("engine", "reset")
    both = [user.begin("engine", "start", "--kind", "vm") for _ in range(2)]
    assert [one.wait(timeout=120) for one in both] == [0, 0]
    assert len([process for process in processes(user) if "layer-by-layer" in process.cmdline()]) == 1


def _read(container: Container, path: str) -> list[str]:
    text: str = container.exec_run(["cat", path]).output.decode()
    return text.splitlines()


def _get(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            body: bytes = answer.read()
            return body
    except (urllib.error.URLError, OSError):
        return None


def _answers(url: str) -> bool:
    return _get(url) is not None
