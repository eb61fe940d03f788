"""What `course ps`, `net` and `volumes` print of a world that is set up; they leave it as it is."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from docker import DockerClient
from worlds import SLEEP, WEB, mine

from course.lab import Scratch

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]


@pytest.fixture(scope="module")
def scratch(client: DockerClient) -> Iterator[Scratch]:
    with Scratch(client) as scratch:
        back, data = scratch.network("back", internal=True), scratch.volume("data")
        mounts = {data.name: {"bind": "/data", "mode": "ro"}}
        scratch.run("busybox:stable", SLEEP, name="api", networks=[scratch.network("front"), back], volumes=mounts)
        scratch.run("busybox:stable", WEB, name="db", networks=[back], listens=[80])
        scratch.run("busybox:stable", WEB, name="web", ports={"80/tcp": (scratch.publish_at, 0)})
        scratch.run("busybox:stable", ["false"], name="broken", listens=[80]).wait()
        yield scratch


def course(scratch: Scratch, *words: str) -> str:
    """What the command prints, with this world's names as they are called in it."""
    command = [sys.executable, "-m", "course.cli", *words]
    environment = {**os.environ, "COLUMNS": "250"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.replace(f"-{scratch.id}", "")


def row(printed: str, name: str) -> str:
    """The row that begins with a name, and the lines that go on with it."""
    lines = printed.splitlines()
    found = [next(number for number, line in enumerate(lines) if line.split()[:1] == [name])]
    while found[-1] + 1 < len(lines) and lines[found[-1] + 1].startswith(" "):
        found.append(found[-1] + 1)
    return " ".join(" ".join(lines[number].split()) for number in found)


def test_ps_names_state_networks_ports_and_mounts(scratch: Scratch) -> None:
    printed = course(scratch, "ps")
    assert "busybox:stable running" in row(printed, "api")
    assert "back " in row(printed, "api") and "front " in row(printed, "api")
    assert "data -> /data" in row(printed, "api")
    assert "exited (1)" in row(printed, "broken")
    port = mine(scratch).container(scratch.name("web")).ports[0]
    assert f"{port.address}:{port.host_port} -> 80" in row(printed, "web")


def test_net_names_who_is_on_each_network_at_which_address_and_by_which_name(scratch: Scratch) -> None:
    setup = mine(scratch)
    addresses = {
        (one.name.removesuffix(f"-{scratch.id}"), at.network.removesuffix(f"-{scratch.id}")): at.address
        for one in setup.containers
        for at in one.networks
    }
    printed = course(scratch, "net")
    assert "bridge, internal" in row(printed, "back")
    assert f"api {addresses['api', 'back']} api" in row(printed, "back")
    assert f"db {addresses['db', 'back']} db" in row(printed, "back")
    assert "db" not in row(printed, "front")


def test_volumes_names_who_has_mounted_each_where(scratch: Scratch) -> None:
    assert "local api at /data, read-only" in row(course(scratch, "volumes"), "data")


def test_net_reach_shows_a_matrix_and_then_every_way_with_its_reason(scratch: Scratch) -> None:
    printed = course(scratch, "net", "--reach")
    matrix, _, ways = printed.partition("\n\n")
    heads = matrix.splitlines()[0].split()
    assert [name for name in heads if name in ("broken", "db", "web")] == ["broken", "db", "web"]
    assert "= by name" in row(matrix, "api")
    assert "x name not found" in row(matrix, "api")
    assert "broken has exited. docker start broken" in " ".join(ways.split())
    assert "api and web share no network." in ways
    assert "docker network connect" in ways


def test_all_of_it_is_there_as_json_and_all_includes_what_is_not_the_courses(scratch: Scratch) -> None:
    stranger = scratch.client.containers.create("busybox:stable", SLEEP)
    try:
        own = {one["name"] for one in json.loads(course(scratch, "ps", "--json"))}
        everything = {one["name"] for one in json.loads(course(scratch, "ps", "--all", "--json"))}
        assert {"api", "db", "web", "broken"} <= own <= everything
        assert stranger.name in everything - own
    finally:
        stranger.remove()
    found = {one["name"]: one for one in json.loads(course(scratch, "net", "--json"))}
    assert found["back"]["internal"] is True
    reaches = json.loads(course(scratch, "net", "--reach", "--json"))
    assert {"source", "target", "address", "port", "answer", "seconds"} == set(reaches[0])
    assert {"name": "data", "driver": "local", "anonymous": False} in json.loads(course(scratch, "volumes", "--json"))


def test_looking_changes_nothing(scratch: Scratch) -> None:
    before = mine(scratch)
    for words in (("ps",), ("net",), ("volumes", "--all"), ("net", "--reach")):
        course(scratch, *words)
    assert mine(scratch).containers == before.containers
