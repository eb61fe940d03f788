"""A lesson on a real engine: opened, opened again, closed; commands as a person types them; the course's own CLI."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from course.errors import CourseError
from course.lab.scratch import SCRATCH
from course.lessons import Lesson, docker_cli, open_lesson

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]


@pytest.fixture
def lesson(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lesson]:
    for name in ("PATH", "DOCKER_HOST", "DOCKER_CONFIG", "MINE", "ID"):  # they are put back afterwards
        monkeypatch.setenv(name, os.environ.get(name, ""))
        if not os.environ[name]:
            monkeypatch.delenv(name)
    lesson = open_lesson("01-layers", "busybox:stable")
    yield lesson
    assert Lesson._current is not None
    Lesson._current.close()


def shell(command: str) -> str:
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def left(lesson: Lesson) -> list[str]:
    mine = {"label": f"{SCRATCH}={lesson.scratch.id}"}
    return [
        *(str(one.name) for one in lesson.client.containers.list(all=True, filters=mine)),
        *(str(one.name) for one in lesson.client.volumes.list(filters=mine)),
        *(str(one.name) for one in lesson.client.networks.list(filters=mine)),
    ]


def test_what_is_typed_with_MINE_is_gone_when_the_lesson_is_closed(lesson: Lesson) -> None:
    shell("docker volume create $MINE data-$ID")
    shell("docker network create $MINE net-$ID")
    shell("docker run --detach $MINE --name box-$ID --volume data-$ID:/d --network net-$ID busybox:stable sleep 100")
    assert len(left(lesson)) == 3
    lesson.close()
    assert left(lesson) == []


def test_a_containers_own_things_stay(lesson: Lesson) -> None:
    name = f"own-{lesson.scratch.id}"
    shell(f"docker run --detach --name {name} busybox:stable sleep 100")
    try:
        lesson.close()
        assert lesson.client.containers.get(name).status == "running"
    finally:
        lesson.client.containers.get(name).remove(force=True)


def test_opened_again_it_starts_afresh(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    shell("docker run --detach $MINE --name box-$ID busybox:stable sleep 100")
    again = open_lesson("01-layers", "busybox:stable")
    assert left(lesson) == []
    assert os.environ["ID"] == again.scratch.id != lesson.scratch.id
    assert "removed when its kernel ends" in capsys.readouterr().out


def test_guesses_that_nobody_made_hold_nothing_up(lesson: Lesson) -> None:
    lesson.guess("seconds", "How long?", unit="seconds")
    lesson.guess("which", "Which?", ["a", "b"])
    assert lesson.reveal("seconds", 3.2).text == "Not guessed. It is 3.2 seconds."
    assert "not measured yet" in lesson.score().text
    with pytest.raises(CourseError, match="Nothing was asked"):
        lesson.reveal("other", 1)


def test_a_link_goes_by_the_hub_where_there_is_one(lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    assert lesson.link(8080, "/tasks").text == f"http://{lesson.scratch.engine_host}:8080/tasks"
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    assert lesson.link(8080, "/tasks").text == "/user/ada/proxy/8080/tasks"


def test_a_published_port_is_seen_through_the_jupyter_server(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = lesson.scratch.publish_at
    shell(
        f"docker run --detach $MINE --name web-$ID --publish {host}::80 busybox:stable "
        "sh -c 'echo hello from a container > index.html && httpd -f -p 80'"
    )
    published = int(shell("docker port web-$ID 80").rpartition(":")[2])
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    path = lesson.link(published).text
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(
            sys.executable,
            "-m",
            "jupyter",
            "server",
            "--no-browser",
            "--allow-root",
            f"--ServerApp.root_dir={tmp_path}",
        ),
        *(f"--port={port}", "--ServerApp.base_url=/user/ada/", "--IdentityProvider.token=t"),
    ]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        assert fetched(f"http://127.0.0.1:{port}{path}?token=t") == "hello from a container\n", (
            tmp_path / "log"
        ).read_text()
    finally:
        server.terminate()
        server.wait(timeout=30)


def fetched(address: str) -> str:
    """What is there within a minute."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError as error:
            if time.monotonic() > deadline:
                return str(error)
            time.sleep(0.2)


def test_a_kernel_that_was_killed_leaves_its_things_to_the_next_lesson(client: DockerClient) -> None:
    code = (
        "import os, signal, subprocess\n"
        "from course import open_lesson\n"
        "lesson = open_lesson('00-start', 'busybox:stable')\n"
        "subprocess.run('docker run -d $MINE --name box-$ID busybox:stable sleep 100', shell=True, check=True)\n"
        "print(lesson.scratch.id, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    name = f"box-{done.stdout.split()[-1]}"
    assert client.containers.list(filters={"name": name})
    done = subprocess.run(
        [sys.executable, "-c", "from course import open_lesson; open_lesson('00-start')"],
        capture_output=True,
        check=True,
    )
    assert not client.containers.list(all=True, filters={"name": name})


def test_without_a_docker_command_the_course_brings_the_real_one(
    client: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not docker_cli.apt_mirror():
        pytest.fail("this test needs a Debian's apt")
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in (path for folder in ("/usr/bin", "/bin") for path in Path(folder).iterdir()):
        if not tool.name.startswith("docker") and not (tools / tool.name).exists():
            (tools / tool.name).symlink_to(tool)
    monkeypatch.setattr(docker_cli, "data_folder", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "theirs"))
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/config.json").write_text('{"psFormat": "{{.Image}}"}')
    environment = docker_cli.cli_environment(client, ("compose", "buildx"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert shutil.which("docker") == str(tmp_path / "docker-cli/usr/bin/docker")
    version = json.loads(shell("docker version --format '{{json .}}'"))
    assert version["Server"]["Version"] == client.version()["Version"]
    assert shell("docker compose version").startswith("Docker Compose version")
    assert json.loads(Path(environment["DOCKER_CONFIG"], "config.json").read_text()) == {"psFormat": "{{.Image}}"}
    assert not {"PATH", "DOCKER_CONFIG"} & set(docker_cli.cli_environment(client, ("compose",)))


def test_where_none_can_be_fetched_it_says_what_to_install(
    client: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_cli, "data_folder", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CourseError, match="no docker command"):
        docker_cli.cli_environment(client)
