"""The graders' look into a container, on a real engine: one that ends under it is an answer, not a fault."""

import http.client
import time
from collections.abc import Iterator
from typing import Any

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


def test_a_command_inside_has_a_status_and_says_something(client: DockerClient, container: Container) -> None:
    assert run_inside(client, container, ["sh", "-c", "echo said; exit 3"]) == (3, "said\n")


def test_what_comes_together_with_the_head_of_the_answer_is_read(
    client: DockerClient, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = http.client.HTTPResponse.begin

    def begin_late(answer: http.client.HTTPResponse) -> None:
        time.sleep(1)
        begin(answer)

    monkeypatch.setattr(http.client.HTTPResponse, "begin", begin_late)
    status, printed = run_inside(client, container, ["sh", "-c", "echo one; echo two >&2"])
    assert (status, sorted(printed.split())) == (0, ["one", "two"])  # these are two streams


def test_a_container_that_has_ended_gives_no_status(client: DockerClient, container: Container) -> None:
    container.kill()
    container.wait()
    assert run_inside(client, container, ["echo", "said"]) == (None, "")


def test_a_container_that_ends_before_its_command_begins_gives_no_status(
    client: DockerClient, container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = client.api.exec_create

    def create_late(*words: Any, **options: Any) -> Any:
        created = create(*words, **options)
        container.kill()
        container.wait()
        return created

    monkeypatch.setattr(client.api, "exec_create", create_late)
    assert run_inside(client, container, ["echo", "said"]) == (None, "")
