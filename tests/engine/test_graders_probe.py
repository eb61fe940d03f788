"""The graders' look into a container, on a real engine: one that ends under it is an answer, not a fault."""

from collections.abc import Iterator

import pytest
from docker import DockerClient
from docker.models.containers import Container

from course import labels
from graders.evidence.probe import run_inside

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]


@pytest.fixture
def container(client: DockerClient) -> Iterator[Container]:
    container = client.containers.run("busybox:stable", ["sleep", "600"], detach=True, labels=labels.labels())
    yield container
    container.remove(force=True)


def test_a_command_inside_has_a_status_and_says_something(container: Container) -> None:
    assert run_inside(container, ["sh", "-c", "echo said; exit 3"]) == (3, "said\n")


def test_a_container_that_has_ended_gives_no_status(container: Container) -> None:
    container.kill()
    container.wait()
    assert run_inside(container, ["echo", "said"]) == (None, "")
