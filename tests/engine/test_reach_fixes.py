"""Why a connection failed, and that the one change which is proposed makes it work: typed as it stands."""

from collections.abc import Callable, Iterator

import pytest
from docker import DockerClient
from docker_cli import find_cli
from worlds import SLEEP, WEB, mine

from course.lab import Answer, Reach, Scratch, Setup, measure_reach
from course.lab.explain_reach import explain

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]


@pytest.fixture
def scratch(client: DockerClient) -> Iterator[Scratch]:
    with Scratch(client) as scratch:
        yield scratch


def apart(scratch: Scratch) -> None:
    scratch.run("busybox:stable", SLEEP, name="a", networks=[scratch.network("left")])
    scratch.run("busybox:stable", WEB, name="b", networks=[scratch.network("right")], listens=[80])


def both_on_the_default_bridge(scratch: Scratch) -> None:
    scratch.run("busybox:stable", SLEEP, name="a")
    scratch.run("busybox:stable", WEB, name="b", listens=[80])


def from_the_default_bridge(scratch: Scratch) -> None:
    scratch.run("busybox:stable", SLEEP, name="a")
    scratch.run("busybox:stable", WEB, name="b", networks=[scratch.network("right")], listens=[80])


def to_the_default_bridge(scratch: Scratch) -> None:
    scratch.run("busybox:stable", SLEEP, name="a", networks=[scratch.network("left")])
    scratch.run("busybox:stable", WEB, name="b", listens=[80])


def from_no_network(scratch: Scratch) -> None:
    scratch.run("busybox:stable", SLEEP, name="a", network_mode="none")
    scratch.run("busybox:stable", WEB, name="b", networks=[scratch.network("right")], listens=[80])


def to_no_network(scratch: Scratch) -> None:
    scratch.run("busybox:stable", SLEEP, name="a")
    scratch.run("busybox:stable", WEB, name="b", network_mode="none", listens=[80])


def to_a_stopped_one(scratch: Scratch) -> None:
    web = scratch.network("web")
    scratch.run("busybox:stable", SLEEP, name="a", networks=[web])
    scratch.run("busybox:stable", WEB, name="b", networks=[web], listens=[80]).stop(timeout=0)


def to_a_paused_one(scratch: Scratch) -> None:
    web = scratch.network("web")
    scratch.run("busybox:stable", SLEEP, name="a", networks=[web])
    scratch.run("busybox:stable", WEB, name="b", networks=[web], listens=[80]).pause()


def from_anothers_network(scratch: Scratch) -> None:
    owner = scratch.run("busybox:stable", SLEEP, name="owner", networks=[scratch.network("left")])
    scratch.run("busybox:stable", SLEEP, name="a", network_mode=f"container:{owner.id}")
    scratch.run("busybox:stable", WEB, name="b", networks=[scratch.network("right")], listens=[80])


WORLDS = (
    apart,
    both_on_the_default_bridge,
    from_the_default_bridge,
    to_the_default_bridge,
    from_no_network,
    to_no_network,
    to_a_stopped_one,
    to_a_paused_one,
    from_anothers_network,
)


def by_name(scratch: Scratch) -> tuple[Setup, Reach]:
    """How `a` reaches `b` by its name."""
    setup = mine(scratch)
    reaches = measure_reach(scratch.client, setup, from_host=False)
    wanted = (scratch.name("a"), scratch.name("b"), scratch.name("b"))
    return setup, next(one for one in reaches if (one.source, one.target, one.address) == wanted)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.__name__)
def test_the_command_that_is_proposed_makes_it_work(scratch: Scratch, world: Callable[[Scratch], None]) -> None:
    world(scratch)
    setup, before = by_name(scratch)
    assert before.answer is not Answer.ANSWERED
    fix = explain(setup, before).fix
    made = scratch.name("web") if "network create web" in fix else None
    try:
        for command in fix.split(" && "):
            words = [made if made and word == "web" else word for word in command.split()]
            assert words[0] == "docker", fix
            done = find_cli().run(scratch.client, *words[1:])
            assert done.returncode == 0, done.stderr
        assert by_name(scratch)[1].answer is Answer.ANSWERED, fix
    finally:
        scratch.close()
        if made:
            scratch.client.networks.get(made).remove()


def test_an_address_of_another_network_is_told_from_one_that_is_shared(scratch: Scratch) -> None:
    left, right = scratch.network("left"), scratch.network("right")
    scratch.run("busybox:stable", SLEEP, name="a", networks=[left])
    scratch.run("busybox:stable", WEB, name="b", networks=[left, right], listens=[80])
    setup = mine(scratch)
    found = {one.address: one for one in measure_reach(scratch.client, setup) if one.source == scratch.name("a")}
    other = next(at.address for at in setup.container(scratch.name("b")).networks if at.network == right.name)
    assert found[other].answer is Answer.TIMED_OUT
    said = explain(setup, found[other])
    assert str(right.name) in said.why
    assert said.fix == f"use the name {scratch.name('b')}"
    assert found[scratch.name("b")].answer is Answer.ANSWERED


@pytest.mark.differs_in_vm
def test_a_program_that_listens_on_localhost_alone_is_named_as_the_cause(scratch: Scratch) -> None:
    web = scratch.network("web")
    scratch.run("busybox:stable", SLEEP, name="a", networks=[web])
    local = [*WEB[:-1], "127.0.0.1:80"]
    scratch.run("busybox:stable", local, name="b", networks=[web], ports={"80/tcp": (scratch.publish_at, 0)})
    setup = mine(scratch)
    to_b = [one for one in measure_reach(scratch.client, setup) if one.target == scratch.name("b")]
    by_name = next(one for one in to_b if (one.source, one.address) == (scratch.name("a"), scratch.name("b")))
    assert by_name.answer is Answer.REFUSED
    assert "0.0.0.0:80" in explain(setup, by_name).fix
    by_address = next(one for one in to_b if one.source == "the host" and one.port == 80 and one.address[0].isdigit())
    assert by_address.answer is Answer.REFUSED
    assert "0.0.0.0:80" in explain(setup, by_address).fix


def test_on_the_hosts_network_addresses_get_through_and_names_do_not(scratch: Scratch) -> None:
    web = scratch.network("web")
    scratch.run("busybox:stable", SLEEP, name="a", network_mode="host")
    scratch.run("busybox:stable", WEB, name="b", networks=[web], listens=[80])
    setup = mine(scratch)
    address = setup.container(scratch.name("b")).networks[0].address
    found = {one.address: one for one in measure_reach(scratch.client, setup) if one.source == scratch.name("a")}
    assert found[address].answer is Answer.ANSWERED
    assert str(web.name) in explain(setup, found[address]).why
    assert found[scratch.name("b")].answer is Answer.NAME_NOT_FOUND
    assert explain(setup, found[scratch.name("b")]).fix == f"use its address, {address}"


@pytest.mark.differs_in_vm
def test_a_published_port_is_reached_through_the_gateway_and_an_alias_by_its_name(scratch: Scratch) -> None:
    web, other = scratch.network("web"), scratch.network("other")
    scratch.run("busybox:stable", WEB, name="b", networks=[web], ports={"80/tcp": ("0.0.0.0", 0)})
    scratch.run("busybox:stable", SLEEP, name="a", networks=[other])
    scratch.run("busybox:stable", SLEEP, name="neighbour", networks=[web])
    setup = mine(scratch)
    port = setup.container(scratch.name("b")).ports[0].host_port
    gateway = next(one.gateway for one in setup.networks if one.name == other.name)
    reaches = measure_reach(scratch.client, setup, from_host=False)
    through = next(one for one in reaches if (one.source, one.address) == (scratch.name("a"), gateway))
    assert (through.port, through.answer) == (port, Answer.ANSWERED)
    assert f"Port {port} of the host is published" in explain(setup, through).why
    alias = next(one for one in reaches if (one.source, one.address) == (scratch.name("neighbour"), "b"))
    assert alias.answer is Answer.ANSWERED
