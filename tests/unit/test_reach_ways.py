"""The ways that are tried between containers, from what the engine says of them."""

from course.lab.reach import all_ways
from course.lab.setup import Attachment, Container, Setup


def container(name: str, container_id: str, names: tuple[str, ...]) -> Container:
    return Container(
        id=container_id,
        name=name,
        image="busybox:stable",
        state="running",
        exit_code=0,
        network_mode="web",
        listens=(80,),
        networks=(Attachment(network="web", address="172.20.0.2", names=names),),
        mounts=(),
        ports=(),
    )


def test_an_alias_is_tried_though_the_containers_id_begins_with_it_and_the_short_id_is_not() -> None:
    short = "db0123456789"
    world = (container("app-1", "f" * 64, ("app",)), container("world-db-1", short + "0" * 52, ("db", short)))
    ways = all_ways(Setup(containers=world, networks=(), volumes=()), from_host=False)
    tried = [way.address for way in ways if (way.source, way.target) == ("app-1", "world-db-1")]
    assert tried == ["world-db-1", "db", "172.20.0.2"]
