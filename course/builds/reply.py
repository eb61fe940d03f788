"""The engine's reply to `POST /build`: a JSON stream that can be stopped from any thread.

Enters: the query and perhaps a body. Leaves: the stream's events. Talks to the engine; may import `course.engine` and
`course.errors`.
"""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from typing import IO, Any, Final

import requests
import urllib3
from docker import DockerClient

from course.engine.http import post, registry_headers
from course.errors import CourseError

_BROKEN: Final = (
    requests.exceptions.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
    OSError,
    ValueError,  # what is left of a line when the connection ends in it, or is closed in mid-read
)
_CANCEL_TIMEOUT_S: Final = 5
_HANG_UP_S: Final = 15
"""An engine that is storing a layer hears of no cancel until it has."""


class Reply:
    """One build on the engine. A context manager: leaving it before the stream has ended stops the build."""

    def __init__(
        self,
        client: DockerClient,
        parameters: dict[str, str],
        body: IO[bytes] | None,
        *,
        timeout_s: float | None = None,
    ) -> None:
        self._client = client
        self._parameters = parameters
        self._body = body
        self._answer: requests.Response | None = None
        self._broken: CourseError | None = None
        self._ended = False
        self._timer = threading.Timer(timeout_s, self._run_out) if timeout_s else None
        self.out_of_time = False

    def __enter__(self) -> "Reply":
        if self._timer:
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer:
            self._timer.cancel()
        if not self._ended:
            self.cancel()
        if self._answer is not None:
            self._answer.close()

    def events(self) -> Iterator[dict[str, Any]]:
        """Each event as it comes; the engine's refusal to begin is an `errorDetail` as well.

        Raises `CourseError` when the connection breaks.
        """
        headers = {"Content-Type": "application/x-tar", **registry_headers(self._client)}
        try:
            self._answer = post(
                self._client, "/build", self._parameters, body=self._body, headers=headers, stream=True, timeout_s=None
            )
            if self._broken:
                raise self._broken
            if self._answer.status_code >= 400:
                yield {"errorDetail": {"message": _refusal(self._answer)}}
            else:
                for line in self._answer.iter_lines(chunk_size=None):
                    if line:
                        yield json.loads(line)
        except _BROKEN as error:
            if self.out_of_time and self._broken is None:
                return
            raise self._broken or gone() from error
        if self._broken:
            raise self._broken
        self._ended = True

    def fail(self, error: CourseError) -> None:
        """Give up on the reply, which may never end, with this error; callable from any thread."""
        self._broken = error
        answer = self._answer
        if answer is not None:
            _shut(self._client, answer)

    def cancel(self) -> None:
        """Stop the build on the engine (Engine API, BuildCancel); hanging up alone may not."""
        query = {"id": self._parameters["buildid"]}
        with contextlib.suppress(requests.exceptions.RequestException):  # the engine is gone, and the build with it
            post(self._client, "/build/cancel", query, timeout_s=_CANCEL_TIMEOUT_S)

    def _run_out(self) -> None:
        self.out_of_time = True
        self._timer = threading.Timer(_HANG_UP_S, self._hang_up)
        self._timer.start()
        self.cancel()

    def _hang_up(self) -> None:
        if self._answer is not None:
            _shut(self._client, self._answer)


def gone() -> CourseError:
    """What is said when the engine ends in mid-build."""
    fix = "`course engine status`, then `course engine start`, then build again"
    return CourseError("The engine went away in the middle of the build.", fix=fix)


def _shut(client: DockerClient, answer: requests.Response) -> None:
    """Wake the thread that reads the answer: closing a socket does not, shutting it down does (shutdown(2))."""
    api: Any = client.api
    with contextlib.suppress(OSError, AttributeError, ValueError):
        raw = api._get_raw_response_socket(answer)
        getattr(raw, "_sock", raw).shutdown(socket.SHUT_RDWR)


def _refusal(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError):
        return f"the engine refused the build: {answer.status_code} {answer.reason}"
