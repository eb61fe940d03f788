"""What is heard of an API that is not there yet, then fails, then answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker import DockerClient
from docker.errors import NotFound

from course.errors import CourseError
from course.lab.api import Api, Reply


class FakeApi(BaseHTTPRequestHandler):
    """Fails `failures` times, then keeps tasks as the API does."""

    failures = 0
    titles: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        if FakeApi.failures:
            FakeApi.failures -= 1
            self.reply(500, "no database")
        else:
            self.reply(200, json.dumps([{"title": title} for title in FakeApi.titles]))

    def do_POST(self) -> None:
        FakeApi.titles.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["title"])
        self.reply(201, "{}")

    def reply(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    FakeApi.failures, FakeApi.titles = 0, []
    with HTTPServer(("127.0.0.1", 0), FakeApi) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def api(port: int | None, status: str = "running") -> Api:
    """In a container that publishes this port; None: there is no container."""

    def get(name: str) -> object:
        if port is None:
            raise NotFound(name)
        ports = {"3000/tcp": [{"HostPort": str(port)}]} if port else {}
        return SimpleNamespace(ports=ports, status=status, logs=lambda tail: b"said\n")

    return Api(cast(DockerClient, SimpleNamespace(containers=SimpleNamespace(get=get))), "api")


@pytest.fixture(autouse=True)
def local_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("course.lab.api.docker_host", lambda client: "unix:///engine.sock")


def test_a_task_that_was_added_is_listed(port: int) -> None:
    api(port).add("water the plants")
    assert api(port).tasks() == ("water the plants",)


def test_the_first_reply_and_the_first_good_one_are_told_apart(port: int) -> None:
    FakeApi.failures = 3
    opening = api(port).opening()
    assert opening.first == Reply(status=500, text="no database")
    assert (opening.first.ok, opening.errors) == (False, 3)
    assert opening.first_seconds < opening.good_seconds


def test_an_api_that_is_there_at_once_has_no_errors(port: int) -> None:
    opening = api(port).opening()
    assert opening.first.ok
    assert opening.errors == 0


def test_nobody_answers_without_a_container_or_a_published_port() -> None:
    assert api(None).ask("/tasks") is None
    assert api(0).ask("/tasks") is None


def test_an_api_that_has_ended_or_was_never_made_is_not_waited_for() -> None:
    with pytest.raises(CourseError, match="no such container"):
        api(None).opening()
    with pytest.raises(CourseError, match="said"):
        api(0, status="exited").opening()
