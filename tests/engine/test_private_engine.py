"""The course's own engine, through the command line: started, killed, filled and reset.

Each test has an engine in a network namespace and a data folder of its own, so that nothing else is disturbed.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import private
import psutil
import pytest
from docker import DockerClient

from course.builds import BuildTrace, Status, build
from course.errors import CourseError
from course.folders import HOME_VARIABLE
from course.labels import session_of

pytestmark = [
    pytest.mark.engine,
    private.NEEDED,
]


class Home:
    """A data folder, and the commands that use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, HOME_VARIABLE: str(folder), "HOME": str(folder)}
        self.environment.pop("DOCKER_HOST", None)

    def course(self, *words: str, alone: bool = False) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "course.cli", *words]
        return self.run(["unshare", "--net", *command] if alone else command)

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)

    def start(self) -> dict[str, Any]:
        done = self.course("engine", "start", "--kind", "native", "--json", alone=True)
        assert done.returncode == 0, done.stderr
        status: dict[str, Any] = json.loads(done.stdout)
        return status

    @property
    def pid(self) -> int:
        return int((self.folder / "engine/dockerd.pid").read_text())

    def client(self) -> DockerClient:
        return DockerClient(base_url=f"unix://{self.folder}/engine/docker.sock", version="auto")


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("own")
    home = Home(folder)
    yield home
    home.course("engine", "stop")
    home.course("engine", "reset")


@pytest.fixture
def with_busybox(home: Home, client: DockerClient, busybox: None) -> DockerClient:
    """A client of the private engine, which has busybox."""
    home.start()
    own = home.client()
    own.images.load(b"".join(client.images.get("busybox:stable").save(named=True)))
    return own


def test_it_starts_outlives_its_starter_and_stops(home: Home) -> None:
    status = home.start()
    assert status["running"]
    assert (status["kind"], status["owned"], status["tls"]) == ("native", True, False)
    assert home.client().ping()
    first = home.pid
    assert home.start()["docker_host"] == status["docker_host"]
    assert home.pid == first, "a second start joins the engine that runs"
    assert home.course("engine", "stop").returncode == 0
    assert session_of(first).endswith("gone")
    assert "No engine" in home.course("engine", "stop").stdout


def test_it_stops_while_the_process_that_started_it_still_runs(home: Home) -> None:
    code = (
        "import time; from course import engine; engine.start(kind='native'); print('up', flush=True); time.sleep(100)"
    )
    command = ["unshare", "--net", sys.executable, "-c", code]
    with subprocess.Popen(command, env=home.environment, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        stopped = home.course("engine", "stop")
        starter.kill()
    assert (stopped.returncode, stopped.stdout) == (0, "The course's engine has stopped.\n"), stopped.stderr


def test_it_starts_in_a_folder_too_deep_for_sockets(tmp_path: Path) -> None:
    home = Home(tmp_path / ("deep" * 10) / ("deeper" * 10))
    home.folder.mkdir(parents=True)
    try:
        socket = home.start()["docker_host"]
        assert DockerClient(base_url=socket).ping()
    finally:
        home.course("engine", "stop")
        home.course("engine", "reset")
    assert not Path(socket.removeprefix("unix://")).parent.exists()


def test_two_starters_at_once_get_the_same_engine(home: Home) -> None:
    one = f"{sys.executable} -m course.cli engine start --kind native --json"
    both = home.run(["unshare", "--net", "sh", "-c", f"{one} & {one} & wait"])
    assert both.stdout.count('"running": true') == 2, both.stderr
    assert home.client().ping()


def test_after_it_was_killed_it_starts_again(home: Home) -> None:
    home.start()
    killed = home.pid
    os.kill(killed, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(killed)] if psutil.pid_exists(killed) else [], timeout=10)
    home.start()
    assert home.pid != killed
    assert home.client().ping()


@pytest.mark.long
def test_the_addresses_of_an_engine_that_was_killed_are_free_for_the_next_one(
    home: Home, tmp_path_factory: pytest.TempPathFactory, client: DockerClient, busybox: None
) -> None:
    other = Home(tmp_path_factory.mktemp("next"))
    with network_namespace() as inside:
        assert ask_new_web_server(home, client, inside) == (0, "Hello")
        kill_everything(home)
        assert str(home.folder) in Path("/proc/self/mounts").read_text(), "its container's network is still mounted"
        try:
            assert ask_new_web_server(other, client, inside) == (0, "Hello")
            assert str(other.folder) in Path("/proc/self/mounts").read_text()
        finally:
            other.course("engine", "stop")
            assert str(other.folder) not in Path("/proc/self/mounts").read_text()
            other.course("engine", "reset")


@contextmanager
def network_namespace() -> Iterator[list[str]]:
    """The beginning of a command line that runs the rest in a network namespace which outlives it."""
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
        finally:
            holder.kill()


def ask_new_web_server(home: Home, client: DockerClient, inside: list[str]) -> tuple[int, str]:
    """Start an engine and a web server on its default bridge, and ask it by its address: curl's status and answer."""
    started = home.run([*inside, sys.executable, "-m", "course.cli", "engine", "start", "--kind", "native"])
    assert started.returncode == 0, started.stderr
    own = home.client()
    own.images.load(b"".join(client.images.get("busybox:stable").save(named=True)))
    own.containers.run("busybox:stable", "true", network_mode="host", remove=True)
    web = own.containers.run("busybox:stable", ["sh", "-c", "echo Hello > index.html; httpd -f -p 80"], detach=True)
    web.reload()
    address = web.attrs["NetworkSettings"]["IPAddress"]
    said = home.run([*inside, "curl", "--silent", "--retry", "5", "--retry-connrefused", "--noproxy", "*", address])
    return said.returncode, said.stdout.strip()


def kill_everything(home: Home) -> None:
    """Kill the engine, its containerd and its containers at once, as the end of a virtual machine or container does."""
    own = [one for one in psutil.process_iter(["cmdline"]) if str(home.folder) in " ".join(one.info["cmdline"] or [])]
    processes = {child for one in own for child in (one, *one.children(recursive=True))}
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=10)


def test_reset_forgets_everything_in_it(home: Home, with_busybox: DockerClient) -> None:
    assert with_busybox.images.list()
    assert home.course("engine", "reset").returncode == 0
    home.start()
    assert home.client().images.list() == []


def test_it_does_not_start_beside_another_daemon(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path)
    one = f"{HOME_VARIABLE}={{}} {sys.executable} -m course.cli engine start --kind native"
    done = home.run(["unshare", "--net", "sh", "-c", f"{one.format(home.folder)} && {one.format(other.folder)}"])
    assert done.returncode == 1
    assert "another Docker daemon" in done.stderr
    assert home.client().ping()
    assert not (other.folder / "engine/docker.sock").exists()


def test_an_engine_that_dies_in_mid_build_gives_one_clear_message(
    home: Home, with_busybox: DockerClient, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM busybox:stable\nRUN sleep 60\n")

    def kill(trace: BuildTrace) -> None:
        if trace.steps[1].status is Status.RUNNING:
            os.kill(home.pid, signal.SIGKILL)

    with pytest.raises(CourseError, match=r"went away|lost touch") as caught:
        build(with_busybox, tmp_path, on_snapshot=kill)
    assert "course engine" in caught.value.fix


def test_a_full_disk_gives_one_clear_message_and_the_engine_lives_on(
    home: Home, client: DockerClient, busybox: None, tmp_path: Path
) -> None:
    data = home.folder / "engine/data"
    data.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "small", str(data)], check=True)
    try:
        home.start()
        own = home.client()
        own.images.load(b"".join(client.images.get("busybox:stable").save(named=True)))
        (tmp_path / "Dockerfile").write_text("FROM busybox:stable\nRUN dd if=/dev/zero of=/big bs=1M count=200\n")
        trace = build(own, tmp_path)
        assert trace.error is not None
        assert trace.error.line == 2
        assert "No space left" in trace.step(2).log
        (tmp_path / "Dockerfile").write_text("FROM busybox:stable\nRUN true\n")
        assert build(own, tmp_path).ok
    finally:
        home.course("engine", "stop")
        subprocess.run(["umount", str(data)], check=True)


def test_root_without_the_rights_that_containers_need_gets_another_engine() -> None:
    code = "from course.engine import native; print(native.obstacle())"
    without = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-all"]
    done = subprocess.run([*without, sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "too few rights" in done.stdout
