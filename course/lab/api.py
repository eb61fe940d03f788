"""The lessons' API spoken to over HTTP: its tasks, and from when on it answers.

Enters: an engine and the name of a container whose port 3000 is published. Leaves: titles, `Reply`s, an `Opening`. Asks
and writes; may import `course.engine`, `course.errors` and its neighbour `scratch`.

The container is looked up by its name for each request: another one may have taken its place, with another port.
"""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Final

from docker import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container

from course.engine.http import docker_host
from course.errors import CourseError
from course.lab.scratch import engine_host

_PORT: Final = "3000/tcp"
_READY_S: Final = 60.0
_ANSWER_S: Final = 10.0
_POLL_S: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a request got: HTTP's status, and the body."""

    status: int
    text: str

    @property
    def ok(self) -> bool:
        """Whether it is no error."""
        return self.status < 400


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How an API began to answer: its first reply, the errors before the first good one, and when the two came, in
    seconds since it was first asked.
    """

    first: Reply
    first_seconds: float
    errors: int
    good_seconds: float


class Api:
    """The API in the container of this name; every method but `ask` waits until it answers."""

    def __init__(self, client: DockerClient, name: str) -> None:
        self._client, self._name = client, name

    def __repr__(self) -> str:
        return f"Api({self._name!r})"

    def ask(self, path: str, body: object = None) -> Reply | None:
        """GET a path, or POST a `body` as JSON; None when nobody answers."""
        container = self._container()
        bindings = container.ports.get(_PORT) if container else None
        if not bindings:
            return None
        host = engine_host(docker_host(self._client))
        connection = http.client.HTTPConnection(host, int(bindings[0]["HostPort"]), timeout=_ANSWER_S)
        sent = None if body is None else json.dumps(body)
        try:
            connection.request("POST" if sent else "GET", path, sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return Reply(status=answer.status, text=answer.read().decode(errors="replace"))
        except (OSError, http.client.HTTPException):  # nobody listens behind the published port yet
            return None
        finally:
            connection.close()

    def opening(self, path: str = "/tasks") -> Opening:
        """Ask again and again from now on, until a reply is no error. Raises `CourseError` when none comes."""
        began = time.monotonic()
        first: tuple[Reply, float] | None = None
        errors = 0
        while (seconds := time.monotonic() - began) < _READY_S:
            reply = self.ask(path)
            if reply is not None:
                first = first or (reply, time.monotonic() - began)
                if reply.ok:
                    seconds = time.monotonic() - began
                    return Opening(first=first[0], first_seconds=first[1], errors=errors, good_seconds=seconds)
                errors += 1
            elif (container := self._container()) is None or container.status in ("exited", "dead"):
                break
            time.sleep(_POLL_S)
        raise CourseError(f"The API has not answered for {seconds:.0f} s: {self._said()}", fix="the cells above, again")

    def add(self, title: str) -> None:
        """Store a task."""
        self.opening()
        reply = self.ask("/tasks", {"title": title})
        if reply is None or not reply.ok:
            raise CourseError(f"The API took no task: {self._said()}", fix="the cells above, again")

    def tasks(self) -> tuple[str, ...]:
        """The titles of all tasks."""
        self.opening()
        reply = self.ask("/tasks")
        return tuple(one["title"] for one in json.loads(reply.text)) if reply and reply.ok else ()

    def _container(self) -> Container | None:
        try:
            return self._client.containers.get(self._name)
        except NotFound:
            return None

    def _said(self) -> str:
        container = self._container()
        if container is None:
            return "there is no such container"
        return container.logs(tail=3).decode(errors="replace").strip() or f"it is {container.status}"
