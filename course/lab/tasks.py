"""The lessons' API spoken to over HTTP: its tasks, and from when on it answers.

Enters: a container whose port 3000 is published. Leaves: titles, `Reply`s, or an `Opening`. Asks and writes; may import
`course.engine`, `course.errors` and its neighbour `scratch`.
"""

import http.client
import json
import time
from dataclasses import asdict, dataclass
from typing import Any, Final

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
    """What a request got: HTTP's status, and the body's text."""

    status: int
    text: str

    @property
    def ok(self) -> bool:
        """Whether it is no error."""
        return self.status < 400


@dataclass(frozen=True, kw_only=True)
class Opening:
    """How an API began to answer: its first reply, and how many seconds after `opening` was called it and the first
    good one came; `errors` is how many replies before that were none."""

    first: Reply
    first_seconds: float
    errors: int
    good_seconds: float

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def ask(container: Container, path: str, body: object = None) -> Reply | None:
    """GET a path, or POST a `body` as JSON; None when nobody answers."""
    try:
        container.reload()
    except NotFound:
        return None
    bindings = container.ports.get(_PORT)
    if not bindings:
        return None
    assert container.client is not None
    host = engine_host(docker_host(container.client))
    connection = http.client.HTTPConnection(host, int(bindings[0]["HostPort"]), timeout=_ANSWER_S)
    sent = None if body is None else json.dumps(body)
    try:
        connection.request("POST" if sent else "GET", path, sent, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return Reply(status=answer.status, text=answer.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def opening(container: Container, path: str = "/tasks") -> Opening:
    """Ask again and again from now on, until there is a good reply. Raises `CourseError` when there is none."""
    began = time.monotonic()
    first, first_seconds, errors = None, 0.0, 0
    while time.monotonic() - began < _READY_S:
        reply = ask(container, path)
        seconds = time.monotonic() - began
        if reply and first is None:
            first, first_seconds = reply, seconds
        if first and reply and reply.ok:
            return Opening(first=first, first_seconds=first_seconds, errors=errors, good_seconds=seconds)
        errors += reply is not None
        if reply is None and container.status in ("exited", "dead"):
            break
        time.sleep(_POLL_S)
    said = container.logs(tail=3).decode(errors="replace").strip()
    raise CourseError(
        f"The API does not answer: {said or container.status}", fix=f"docker logs {container.name}, and the cells above"
    )


def write_task(container: Container, title: str) -> None:
    """Post a task, as soon as the API takes any."""
    opening(container)
    reply = ask(container, "/tasks", {"title": title})
    if reply is None or not reply.ok:
        raise CourseError("The API took no task.", fix=f"docker logs {container.name}")


def read_tasks(container: Container) -> tuple[str, ...]:
    """The titles of all tasks, as soon as the API lists them."""
    opening(container)
    reply = ask(container, "/tasks")
    return tuple(one["title"] for one in json.loads(reply.text)) if reply and reply.ok else ()
