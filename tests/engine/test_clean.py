"""Clean-up by label on a real engine: all of ours, nothing else's."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from docker import DockerClient
from docker.errors import NotFound

from course import labels
from course.builds import record
from course.clean import clean, clean_session
from course.engine import docker_host
from course.folders import notebooks_folder
from course.lab import Project

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]

NAME = "layer-by-layer-test"
STRANGER = f"{NAME}-stranger"


@pytest.fixture
def dead_session() -> str:
    code = "from course import labels; print(labels.session())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def strangers(client: DockerClient) -> Iterator[None]:
    """A container, a network and a volume that are not the course's."""
    container = client.containers.create("busybox:stable", "true", name=STRANGER)
    network = client.networks.create(STRANGER)
    volume = client.volumes.create(STRANGER)
    yield
    container.remove()
    network.remove()
    volume.remove()


def leave(client: DockerClient, name: str, carried: dict[str, str]) -> None:
    """One of each kind, with these labels; the container runs."""
    client.networks.create(name, labels=carried)
    client.volumes.create(name, labels=carried)
    volumes = {name: {"bind": "/v"}}
    client.containers.run(
        "busybox:stable", "sleep 300", name=name, labels=carried, network=name, volumes=volumes, detach=True, init=True
    )


def left(client: DockerClient, name: str) -> int:
    found = [
        *client.containers.list(all=True, filters={"name": f"^/?{name}$"}),
        *client.networks.list(names=[f"^{name}$"]),
        *client.volumes.list(filters={"name": f"^{name}$"}),
    ]
    return len(found)


@pytest.mark.usefixtures("strangers")
def test_a_dead_sessions_leftovers_go_and_strangers_and_living_sessions_stay(
    client: DockerClient, dead_session: str
) -> None:
    leave(client, f"{NAME}-dead", {**labels.labels(), labels.SESSION: dead_session})
    leave(client, f"{NAME}-live", labels.labels())
    removed = clean(client)
    assert f"{NAME}-dead" in removed.containers
    assert left(client, f"{NAME}-dead") == 0
    assert left(client, f"{NAME}-live") == 3
    assert left(client, STRANGER) == 3
    clean_session(client)
    assert left(client, f"{NAME}-live") == 0
    assert left(client, STRANGER) == 3


@pytest.fixture
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner with nothing but what the test makes: lessons that run beside it keep theirs."""
    monkeypatch.setattr(labels, "owner", lambda: "clean-up@tests")


def test_another_owners_objects_stay(client: DockerClient, dead_session: str, nobody_else: None) -> None:
    theirs = {**labels.labels(), labels.OWNER: "someone@elsewhere", labels.SESSION: dead_session}
    volume = client.volumes.create(f"{NAME}-theirs", labels=theirs)
    try:
        clean(client, everything=True)
        assert left(client, f"{NAME}-theirs") == 1
    finally:
        volume.remove()


def test_a_second_clean_up_finds_nothing(client: DockerClient, dead_session: str) -> None:
    leave(client, f"{NAME}-twice", {**labels.labels(), labels.SESSION: dead_session})
    assert clean(client).total >= 3
    again = clean(client)
    assert again.total == 0
    assert str(again).startswith("Nothing")


def test_what_a_learner_makes_from_an_image_of_the_course_stays(
    client: DockerClient, dead_session: str, nobody_else: None
) -> None:
    carried = {**labels.labels(), labels.SESSION: dead_session, labels.IMAGE: f"{NAME}/listed:1"}
    base = client.containers.create("busybox:stable", "true", labels=labels.labels())
    listed = base.commit(f"{NAME}/listed", "1", conf={"Labels": carried})
    theirs = client.containers.create(f"{NAME}/listed:1", "true", name=STRANGER)
    image = theirs.commit(f"{NAME}-stranger", "1")
    try:
        assert theirs.labels.items() >= carried.items()
        clean(client, everything=True)
        assert left(client, STRANGER) == 1
        assert client.images.get(f"{NAME}-stranger:1").id == image.id
        assert client.images.get(f"{NAME}/listed:1").id == listed.id
    finally:
        theirs.remove()
        client.images.remove(f"{NAME}-stranger:1")
        client.images.remove(f"{NAME}/listed:1")


def test_volumes_with_images_for_the_graders_go_with_the_images(client: DockerClient, nobody_else: None) -> None:
    name = f"{NAME}-replay"
    volume = client.volumes.create(name, labels=labels.labels(**{labels.IMAGE: "replay"}))
    user = client.containers.create("busybox:stable", "true", volumes={name: {"bind": "/v"}})
    try:
        assert name not in clean(client, everything=True).volumes
        assert name not in clean(client, images=True).volumes, "it is in use"
        user.remove()
        assert clean(client, images=True).volumes == (name,)
        assert left(client, name) == 0
    finally:
        with suppress(NotFound):
            user.remove()
        with suppress(NotFound):
            volume.remove()


def test_cache_of_a_moment_in_which_a_living_session_built_too_stays(client: DockerClient, dead_session: str) -> None:
    with Project(notebooks_folder() / "apps/poem", client=client) as project:
        project.edit("verses/1.txt")
        project.build()
        for note in record.notes(docker_host(client), [labels.session()]):
            record.remember(replace(note, session=dead_session))
        assert dead_session in record.noted_sessions()
        clean(client)
        assert dead_session not in record.noted_sessions()
        assert {step.status for step in project.build().steps} == {"REUSED", "METADATA"}
    assert clean_session(client).cache_records
