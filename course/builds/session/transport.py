"""One connection to the engine that carries a session: docker-py's own connection, upgraded.

Enters: docker-py's client. Leaves: a `Pipe` of raw bytes. Talks to the engine; may import `course.errors`.

docker-py knows how to reach an engine (Unix socket, Windows pipe, TCP, TLS, ssh); its connections are used, not its
requests: one header of `POST /session` repeats, which requests cannot say, and after the answer the connection is no
longer HTTP/1 (moby/buildkit session/manager.go, HandleHTTPRequest).
"""

import json
import os
import select
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import requests
import urllib3
from docker import DockerClient

from course.errors import CourseError

_CHUNK_BYTES: Final = 1 << 18
_HEAD_LIMIT_BYTES: Final = 1 << 16
_UPGRADE_TIMEOUT_S: Final = 30.0
_STALLED_S: Final = 60.0
_FIX: Final = "`course engine status`, then build again"


class NoSession(CourseError):
    """The engine answers, but has no sessions: it is too old, or not Docker's."""


class Pipe(Protocol):
    """Bytes to and from the engine. One thread receives while others send; all raise `OSError` once it is broken."""

    def receive(self, timeout_s: float) -> bytes | None:
        """Some bytes; empty when the engine hung up, None when nothing came in time."""

    def send(self, data: bytes, *, wait: bool = True) -> int:
        """Send `data` and return its size; without `wait` perhaps less, where the connection can tell."""

    def hang_up(self) -> None:
        """End the connection; threads that wait in `receive` or `send` wake."""

    def close(self) -> None:
        """Free what the connection holds, once no thread uses it any more."""


def upgrade(client: DockerClient, headers: Sequence[tuple[str, str]]) -> tuple[Pipe, bytes]:
    """Open a connection and ask for a session on it; also returns the bytes that came behind the engine's answer.

    Raises `NoSession` when the engine has none, `CourseError` when it cannot be reached.
    """
    api: Any = client.api
    url = api._url("/session")
    try:
        pipe = _dial(api, url)
    except (OSError, requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise CourseError(f"The engine cannot be reached: {error}.", fix=_FIX) from error
    try:
        pipe.send(_request(url, headers))
        return pipe, _await_upgrade(pipe)
    except (OSError, ValueError) as error:
        pipe.close()
        raise CourseError(f"The engine did not open a build session: {error}.", fix=_FIX) from error
    except BaseException:
        pipe.close()
        raise


def _dial(api: Any, url: str) -> Pipe:
    """A connection of docker-py's own, that its pool will not see again."""
    settings = api.merge_environment_settings(url, {}, None, None, None)
    request = requests.Request("POST", url).prepare()
    adapter = api.get_adapter(url)
    pool = adapter.get_connection_with_tls_context(request, settings["verify"], cert=settings["cert"])
    connection = pool._new_conn()
    connection.connect()
    raw = connection.sock
    if hasattr(raw, "proc"):
        return _CommandPipe(raw)
    return _SocketPipe(raw) if isinstance(raw, socket.socket) else _CallPipe(raw)


def _request(url: str, headers: Sequence[tuple[str, str]]) -> bytes:
    address = urllib.parse.urlsplit(url)
    host = address.netloc.rpartition("@")[2] or "localhost"
    lines = [
        f"POST {address.path} HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: h2c",
        "Content-Length: 0",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _await_upgrade(pipe: Pipe) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        data = pipe.receive(_UPGRADE_TIMEOUT_S)
        if data is None:
            raise TimeoutError(f"no answer within {_UPGRADE_TIMEOUT_S:.0f} s")
        if not data:
            raise ConnectionError("it hung up")
        head += data
        if len(head) > _HEAD_LIMIT_BYTES:
            raise ConnectionError("its answer is not HTTP")
    head, _, rest = head.partition(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(status) < 2 or status[1] != b"101":
        reason = _reason(rest) or head.split(b"\r\n", 1)[0].decode("latin-1")
        raise NoSession(f"The engine has no build sessions ({reason}).", fix="use Docker Engine 20.10 or newer")
    return rest


def _reason(body: bytes) -> str:
    """The engine's own words; an error's body is JSON with a `message`, and short enough to come with the head."""
    try:
        return str(json.loads(body[body.find(b"{") : body.rfind(b"}") + 1])["message"])
    except (ValueError, KeyError, TypeError):
        return ""


class _SocketPipe:
    """A socket, plain or with TLS. No call on it blocks, so that TLS can be read and written under one lock."""

    def __init__(self, raw: socket.socket) -> None:
        self._socket = raw
        self._socket.setblocking(False)
        self._lock = threading.Lock()

    def receive(self, timeout_s: float) -> bytes | None:
        while True:
            try:
                with self._lock:
                    return self._socket.recv(_CHUNK_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                ready = _wait(self._socket, timeout_s)
            except ssl.SSLWantWriteError:
                ready = _wait(self._socket, timeout_s, write=True)
            if not ready:
                return None

    def send(self, data: bytes, *, wait: bool = True) -> int:
        rest = memoryview(data)
        while rest:
            try:
                with self._lock:
                    rest = rest[self._socket.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError) as wanted:
                if not wait:
                    break
                if not _wait(self._socket, _STALLED_S, write=not isinstance(wanted, ssl.SSLWantReadError)):
                    raise TimeoutError(f"the engine took nothing for {_STALLED_S:.0f} s") from None
        return len(data) - len(rest)

    def hang_up(self) -> None:
        with suppress(OSError):  # the engine hung up first
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()


class _CommandPipe:
    """docker-py's ssh command (docker.transport.sshconn.SSHSocket): its `recv` waits for as much as was asked for."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._output = raw.proc.stdout

    def receive(self, timeout_s: float) -> bytes | None:
        if os.name != "nt" and not _wait(self._output, timeout_s):  # Windows cannot wait for a pipe
            return None
        return os.read(self._output.fileno(), _CHUNK_BYTES)

    def send(self, data: bytes, *, wait: bool = True) -> int:
        self._raw.sendall(data)
        return len(data)

    def hang_up(self) -> None:
        self._raw.proc.terminate()

    def close(self) -> None:
        self._raw.proc.terminate()
        self._raw.proc.wait()
        for stream in (self._raw.proc.stdin, self._output):
            with suppress(OSError):  # unsent bytes for an ssh that is gone
                stream.close()
        socket.socket.close(self._raw)


class _CallPipe:
    """What only resembles a socket: docker-py's Windows pipe, and a channel of paramiko."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def receive(self, timeout_s: float) -> bytes | None:
        self._raw.settimeout(timeout_s)
        try:
            if not hasattr(self._raw, "recv_into"):
                return bytes(self._raw.recv(_CHUNK_BYTES))
            buffer = bytearray(_CHUNK_BYTES)  # docker-py's NpipeSocket: only this of its reads knows a timeout
            return bytes(buffer[: self._raw.recv_into(buffer)])
        except TimeoutError:
            return None

    def send(self, data: bytes, *, wait: bool = True) -> int:
        self._raw.sendall(data)
        return len(data)

    def hang_up(self) -> None:
        self._raw.close()

    def close(self) -> None:
        self._raw.close()


def _wait(stream: Any, timeout_s: float | None, *, write: bool = False) -> bool:
    """Wait until `stream` can be read or written, or is broken; whether it is."""
    if stream.fileno() < 0:
        raise ConnectionAbortedError("the session was closed")
    if not hasattr(select, "poll"):  # Windows, where select takes a socket of any number
        return any(select.select([] if write else [stream], [stream] if write else [], [], timeout_s))
    poll = select.poll()
    poll.register(stream, select.POLLOUT if write else select.POLLIN)
    return bool(poll.poll(None if timeout_s is None else timeout_s * 1000))
