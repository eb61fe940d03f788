"""Scratch worlds, what is set up in them, and who reaches whom."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from docker import DockerClient
from worlds import WEB, mine

from course import labels
from course.clean import clean
from course.errors import CourseError
from course.lab import Answer, Reach, Scratch, measure_reach, watch_setup
from course.lab.explain_reach import explain

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]


@pytest.fixture
def scratch(client: DockerClient) -> Iterator[Scratch]:
    with Scratch(client) as scratch:
        yield scratch


def answers(scratch: Scratch, source: str, target: str, reaches: tuple[Reach, ...]) -> dict[str, Answer]:
    names = {scratch.name(source) if source != "the host" else source, scratch.name(target)}
    return {
        one.address.removesuffix(f"-{scratch.id}"): one.answer
        for one in reaches
        if {one.source, one.target} == names and one.target == scratch.name(target) and one.port == 80
    }


def test_on_a_network_of_ones_own_names_and_addresses_get_through(scratch: Scratch) -> None:
    web = scratch.network("web")
    one = scratch.run("busybox:stable", WEB, name="one", networks=[web], listens=[80])
    scratch.run("busybox:stable", ["sleep", "100"], name="two", networks=[web])
    setup = mine(scratch)
    reaches = measure_reach(scratch.client, setup)
    address = setup.container(str(one.name)).networks[0].address
    seen = answers(scratch, "two", "one", reaches)
    assert seen == {"one": "answered", address: "answered", "localhost": "refused"}
    assert answers(scratch, "one", "one", reaches)["localhost"] == "answered"
    assert answers(scratch, "the host", "one", reaches)["one"] == "name not found"
    whys = {reach.address: explain(setup, reach) for reach in reaches if reach.source == scratch.name("two")}
    assert "DNS" in whys["one"].why
    assert "itself" in whys["localhost"].why
    assert "use the name" in whys["localhost"].fix


def test_the_default_bridge_has_addresses_and_no_names(scratch: Scratch) -> None:
    one = scratch.run("busybox:stable", WEB, name="one", listens=[80])
    scratch.run("busybox:stable", ["sleep", "100"], name="two")
    setup = mine(scratch)
    address = setup.container(str(one.name)).networks[0].address
    reaches = measure_reach(scratch.client, setup)
    seen = answers(scratch, "two", "one", reaches)
    assert seen == {"one": "name not found", address: "answered", "localhost": "refused"}
    by_name = next(r for r in reaches if r.source == scratch.name("two") and r.answer is Answer.NAME_NOT_FOUND)
    assert "default bridge" in explain(setup, by_name).why
    assert "docker network create" in explain(setup, by_name).fix


def test_two_networks_are_apart_until_one_container_is_on_both(scratch: Scratch) -> None:
    left, right = scratch.network("left"), scratch.network("right")
    scratch.run("busybox:stable", WEB, name="one", networks=[left], listens=[80])
    scratch.run("busybox:stable", WEB, name="two", networks=[right], listens=[80])
    scratch.run("busybox:stable", WEB, name="both", networks=[left, right], listens=[80])
    setup = mine(scratch)
    reaches = measure_reach(scratch.client, setup, from_host=False)
    assert Answer.ANSWERED not in answers(scratch, "one", "two", reaches).values()
    assert answers(scratch, "one", "both", reaches)["both"] == "answered"
    assert answers(scratch, "two", "both", reaches)["both"] == "answered"
    apart = next(r for r in reaches if (r.source, r.target) == (scratch.name("one"), scratch.name("two")))
    assert "share no network" in explain(setup, apart).why


def test_published_ports_internal_networks_and_none(scratch: Scratch) -> None:
    inner = scratch.network("inner", internal=True)
    public = scratch.run("busybox:stable", WEB, name="public", ports={"80/tcp": ("127.0.0.1", 0)})
    scratch.run("busybox:stable", ["sleep", "100"], name="inside", networks=[inner])
    scratch.run("busybox:stable", ["sleep", "100"], name="alone", network_mode="none")
    setup = mine(scratch)
    published = setup.container(str(public.name)).ports[0]
    reaches = measure_reach(scratch.client, setup)
    host = [r for r in reaches if r.source == "the host" and r.address == "localhost"]
    assert [(r.port, r.answer) for r in host] == [(published.host_port, "answered")]
    for name in ("inside", "alone"):
        assert Answer.ANSWERED not in answers(scratch, name, "public", reaches).values()
    behind = next(r for r in reaches if r.source == r.target == scratch.name("public") and r.port != 80)
    assert "where containers are not" in explain(setup, behind).why
    alone = next(r for r in reaches if r.source == scratch.name("alone"))
    assert "no network" in explain(setup, alone).why
    assert next(network for network in setup.networks if network.name == inner.name).internal


@pytest.mark.differs_in_vm
def test_on_the_host_network_localhost_is_the_host(scratch: Scratch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # a program of the host's own
        port = server.getsockname()[1]
        scratch.run("busybox:stable", ["sleep", "100"], name="host", network_mode="host", ports={})
        scratch.run("busybox:stable", ["sleep", "100"], name="own")
        setup = mine(scratch)
        reaches = measure_reach(scratch.client, setup, outside=[("127.0.0.1", port)])
    found = {reach.source.rpartition("-")[0]: reach.answer for reach in reaches if reach.port == port}
    assert found == {"host": Answer.ANSWERED, "own": Answer.REFUSED}
    assert setup.container(scratch.name("host")).network_mode == "host"


def test_what_is_stopped_or_paused_is_not_asked(scratch: Scratch) -> None:
    web = scratch.network("web")
    dead = scratch.run("busybox:stable", WEB, name="dead", networks=[web], listens=[80])
    paused = scratch.run("busybox:stable", WEB, name="paused", networks=[web], listens=[80])
    scratch.run("busybox:stable", WEB, name="live", networks=[web], listens=[80])
    dead.kill()
    dead.wait()
    paused.pause()
    setup = mine(scratch)
    reaches = measure_reach(scratch.client, setup, from_host=False)
    for name in ("dead", "paused"):
        assert set(answers(scratch, "live", name, reaches).values()) == {Answer.NOT_RUNNING}
        assert set(answers(scratch, name, "live", reaches).values()) == {Answer.NOT_RUNNING}
    to_paused = next(reach for reach in reaches if reach.target == scratch.name("paused"))
    assert explain(setup, to_paused).fix in (
        "docker unpause " + scratch.name("paused"),
        "docker start " + scratch.name("dead"),
    )


def test_clashes_say_what_to_do(scratch: Scratch) -> None:
    first = scratch.run("busybox:stable", WEB, name="one", ports={"80/tcp": ("127.0.0.1", 0)})
    port = int(first.ports["80/tcp"][0]["HostPort"])
    with pytest.raises(CourseError, match=r"allocated|in use") as caught:
        scratch.run("busybox:stable", WEB, name="two", ports={"80/tcp": ("127.0.0.1", port)})
    assert "another port" in caught.value.fix
    with pytest.raises(CourseError, match="in use") as caught:
        scratch.run("busybox:stable", WEB, name="one")
    assert "another name" in caught.value.fix
    with Scratch(scratch.client) as other:
        assert other.run("busybox:stable", WEB, name="one").name != first.name


def test_the_set_up_is_followed_as_it_changes(scratch: Scratch) -> None:
    seen = watch_setup(scratch.client)
    assert not [one for one in next(seen).containers if one.name.endswith(scratch.id)]
    scratch.run("busybox:stable", ["sleep", "100"], name="new")
    deadline = time.monotonic() + 20
    for setup in seen:
        if any(one.name == scratch.name("new") and one.state == "running" for one in setup.containers):
            break
        assert time.monotonic() < deadline
    seen.close()


def test_mounts_and_volumes_are_in_the_set_up(scratch: Scratch) -> None:
    data = scratch.volume("data")
    mounts = {data.name: {"bind": "/data", "mode": "ro"}, str(scratch.folder): {"bind": "/code", "mode": "rw"}}
    scratch.run("busybox:stable", ["sleep", "100"], name="one", volumes=mounts, tmpfs={"/t": ""})
    setup = mine(scratch)
    found = {mount.target: mount for mount in setup.containers[0].mounts}
    assert (found["/data"].kind, found["/data"].source, found["/data"].read_only) == ("volume", data.name, True)
    assert (found["/code"].kind, found["/code"].read_only) == ("bind", False)
    assert data.name in [volume.name for volume in setup.volumes]


def test_a_scratch_world_leaves_nothing_after_an_error(client: DockerClient) -> None:
    with pytest.raises(KeyboardInterrupt), Scratch(client) as scratch:
        scratch.run("busybox:stable", WEB, name="one", networks=[scratch.network("web")])
        scratch.volume("data")
        raise KeyboardInterrupt
    mine = {"label": f"layer-by-layer.scratch={scratch.id}"}
    assert not client.containers.list(all=True, filters=mine)
    assert not client.networks.list(filters=mine)
    assert not client.volumes.list(filters=mine)
    assert not scratch.folder.exists()


def test_a_killed_process_leaves_its_world_to_the_next_clean_up(client: DockerClient) -> None:
    code = (
        "import sys, time\nfrom course.engine import connect\nfrom course.lab import Scratch\n"
        "scratch = Scratch(connect(start=False))\nscratch.volume('data')\n"
        "scratch.run('busybox:stable', ['sleep', '100'], name='one', networks=[scratch.network('web')])\n"
        "print(scratch.id, flush=True)\ntime.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        assert name
        os.kill(process.pid, signal.SIGKILL)
    removed = clean(client)
    assert f"one-{name}" in removed.containers
    assert f"web-{name}" in removed.networks
    assert f"data-{name}" in removed.volumes
    assert not client.containers.list(all=True, filters={"label": [f"{labels.SESSION}={process.pid}"]})


@pytest.mark.differs_in_vm
def test_twenty_containers_on_four_networks_take_less_than_ten_seconds(client: DockerClient, long: bool) -> None:
    count = 20 if long else 8
    with Scratch(client) as scratch:
        networks = [scratch.network(f"net{number}") for number in range(4)]
        for number in range(count):
            on = [networks[number % 4], networks[(number + 1) % 4]] if number % 5 == 0 else [networks[number % 4]]
            scratch.run("busybox:stable", WEB, name=f"c{number}", networks=on, listens=[80])
        for _ in range(3):  # others may keep the machine busy
            began = time.monotonic()
            reaches = measure_reach(client, mine(scratch))
            seconds = time.monotonic() - began
            answered = sum(reach.answer is Answer.ANSWERED for reach in reaches)
            print(f"\n{count} containers on 4 networks: {len(reaches)} ways, {answered} answered, in {seconds:.1f} s")
            assert len(reaches) >= count * (count - 1)
            if seconds < 10:
                break
    assert seconds < 10
