"""The gRPC server of a session: the engine calls, over HTTP/2, on the connection that the client opened.

Enters: a `Pipe` and a handler for each method. Leaves: `Call`s, each on a thread of its own. May import
`course.builds.session.transport` and `.wire` only.

Sources: grpc/grpc doc/PROTOCOL-HTTP2.md; moby/buildkit session/grpc.go (the engine is the client here, and asks for the
session's health every few seconds, so silence means a broken connection).
"""

import queue
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Final

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from course.builds.session.transport import Pipe
from course.builds.session.wire import Frames, frame, number

SILENCE_S: Final = 40.0
"""How long the engine may say nothing. It asks for the session's health every 5 s, or when busy at least every 15 s."""
FIRST_CALL_S: Final = 60.0
"""How long the engine may take to call for anything; it begins a build by asking for the Dockerfile."""
HEALTH: Final = "/grpc.health.v1.Health/Check"
_SERVING: Final = number(1, 1)
"""grpc/grpc src/proto/grpc/health/v1/health.proto, HealthCheckResponse."""
_JOIN_S: Final = 5.0
_RETRY_S: Final = 0.05
_WINDOW_BYTES: Final = 1 << 22
_CONNECTION_WINDOW_BYTES: Final = 1 << 24
_HEADERS_BYTES: Final = 1 << 20
"""A long .dockerignore travels in the headers; Go's own server takes as much (net/http DefaultMaxHeaderBytes)."""

NOT_FOUND: Final = 5
UNIMPLEMENTED: Final = 12
INTERNAL: Final = 13

_OPENING: Final = ((":status", "200"), ("content-type", "application/grpc"))


class Refusal(Exception):
    """A call is answered with this gRPC status code and message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Gone(ConnectionError):
    """The engine gave up this call, or the connection is broken."""


Handler = Callable[["Call"], None]


class Server:
    """Serves one connection until it breaks or is closed."""

    def __init__(
        self,
        pipe: Pipe,
        handlers: Mapping[str, Handler],
        *,
        on_broken: Callable[[str], None],
        silence_s: float = SILENCE_S,
        first_call_s: float = FIRST_CALL_S,
    ) -> None:
        """`on_broken` is told once why the connection ended, unless `close` ended it; from the reading thread."""
        self._pipe, self._on_broken = pipe, on_broken
        self._handlers = {HEALTH: _report_health, **handlers}
        self._silence_s, self._first_call_s = silence_s, first_call_s
        self._was_called = False
        self._changed = threading.Condition()
        self._calls: dict[int, Call] = {}
        self._threads: list[threading.Thread] = []
        self._unsent = bytearray()
        self._sending = threading.Lock()
        self._closing = self._ended = False
        configuration = h2.config.H2Configuration(
            client_side=False, header_encoding=None, validate_inbound_headers=False
        )
        self._http = h2.connection.H2Connection(configuration)
        codes = h2.settings.SettingCodes
        self._http.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                codes.INITIAL_WINDOW_SIZE: _WINDOW_BYTES,
                codes.MAX_HEADER_LIST_SIZE: _HEADERS_BYTES,
                codes.MAX_CONCURRENT_STREAMS: 100,
                codes.ENABLE_PUSH: 0,
            },
        )
        self._http.decoder.max_header_list_size = _HEADERS_BYTES

    def start(self, first: bytes) -> None:
        """Begin to serve; `first` is what the engine has sent already."""
        self._http.initiate_connection()
        self._http.increment_flow_control_window(_CONNECTION_WINDOW_BYTES)
        self._unsent += self._http.data_to_send()
        reader = threading.Thread(target=self._read, args=(first,), name="build-session", daemon=True)
        self._threads.append(reader)
        reader.start()

    def close(self) -> None:
        """End the connection and every thread."""
        with self._changed:
            self._closing = True
            threads = [thread for thread in self._threads if thread is not threading.current_thread()]
        self._pipe.hang_up()
        for thread in threads:
            thread.join(_JOIN_S)
        self._pipe.close()

    def _read(self, data: bytes) -> None:
        began = heard = time.monotonic()
        why = "it hung up"
        try:
            while True:
                if data:
                    heard = time.monotonic()
                    self._take_in(data)
                self._flush(wait=False)
                received = self._pipe.receive(_RETRY_S if self._unsent else self._patience_s(began, heard))
                if received == b"":
                    break
                if received is None and self._patience_s(began, heard) <= 0:
                    why = self._complaint(heard)
                    break
                data = received or b""
        except (OSError, h2.exceptions.H2Error, ValueError) as error:
            why = str(error) or type(error).__name__
        self._end(why)

    def _patience_s(self, began: float, heard: float) -> float:
        """How long to wait for more."""
        limit = heard + self._silence_s
        if not self._was_called:
            limit = min(limit, began + self._first_call_s)
        return max(0.0, limit - time.monotonic())

    def _complaint(self, heard: float) -> str:
        if time.monotonic() - heard >= self._silence_s:
            return f"it said nothing for {self._silence_s:.0f} s"
        return f"it did not ask for any within {self._first_call_s:.0f} s"

    def _end(self, why: str) -> None:
        with self._changed:
            self._ended = True
            for call in self._calls.values():
                call.lose()
            self._changed.notify_all()
        self._pipe.hang_up()
        if not self._closing:
            self._on_broken(why)

    def _take_in(self, data: bytes) -> None:
        with self._changed:
            for event in self._http.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self._open(event)
                elif isinstance(event, h2.events.DataReceived):
                    self._http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    if call := self._calls.get(event.stream_id):
                        call.feed(event.data)
                elif isinstance(event, h2.events.StreamEnded):
                    if call := self._calls.get(event.stream_id):
                        call.feed(None)
                elif isinstance(event, h2.events.StreamReset) and (call := self._calls.pop(event.stream_id, None)):
                    call.lose()
            self._unsent += self._http.data_to_send()
            self._changed.notify_all()

    def _open(self, event: h2.events.RequestReceived) -> None:
        call = Call(self, event.stream_id, event.headers or ())
        self._calls[event.stream_id] = call
        self._was_called = self._was_called or call.method != HEALTH
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._serve, args=(call,), name=f"build-session {call.method}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, call: "Call") -> None:
        try:
            handler = self._handlers.get(call.method)
            if handler is None:
                raise Refusal(UNIMPLEMENTED, f"this client does not serve {call.method}")
            handler(call)
            self._finish(call, 0, "")
        except Gone:
            self._forget(call)
        except Refusal as refusal:
            self._finish(call, refusal.code, refusal.message)
        except Exception as error:  # it is the engine's to report: it becomes the error of the build
            self._finish(call, INTERNAL, f"{type(error).__name__}: {error}")

    def _finish(self, call: "Call", code: int, message: str) -> None:
        trailers = [("grpc-status", str(code))]
        if message:
            trailers.append(("grpc-message", urllib.parse.quote(message.encode("utf-8", "replace"), safe=" ")))
        try:
            with self._changed:
                if not call.lost:
                    opening = () if call.opened else _OPENING
                    self._http.send_headers(call.stream_id, [*opening, *trailers], end_stream=True)
                    self._unsent += self._http.data_to_send()
            self._flush()
        except (OSError, h2.exceptions.H2Error):
            pass  # nobody is left to hear of it; the reading thread tells why
        self._forget(call)

    def _forget(self, call: "Call") -> None:
        with self._changed:
            self._calls.pop(call.stream_id, None)

    def send(self, call: "Call", data: bytes) -> None:
        """Send framed messages of one call, as the engine's windows allow; raises `Gone`."""
        rest = memoryview(data)
        try:
            while rest:
                with self._changed:
                    while (room := self._room(call)) <= 0:
                        self._changed.wait()
                    for part in _cut(rest[:room], self._http.max_outbound_frame_size):
                        self._http.send_data(call.stream_id, part)
                    rest = rest[room:]
                    self._unsent += self._http.data_to_send()
                self._flush()
        except (OSError, h2.exceptions.H2Error) as error:
            raise Gone(str(error)) from error

    def _room(self, call: "Call") -> int:
        if call.lost or self._ended:
            raise Gone("the engine gave up the call")
        if not call.opened:
            call.opened = True
            self._http.send_headers(call.stream_id, _OPENING)
        return self._http.local_flow_control_window(call.stream_id)

    def _flush(self, *, wait: bool = True) -> None:
        """Write out what is due, or leave it to the thread that is at it already.

        The reading thread never waits here: while it does not read, the engine may not either.
        """
        while self._unsent and self._sending.acquire(blocking=False):
            try:
                with self._changed:
                    due, self._unsent = bytes(self._unsent), bytearray()
                sent = self._pipe.send(due, wait=wait)
                if sent < len(due):
                    with self._changed:
                        self._unsent[:0] = due[sent:]
                    return
            finally:
                self._sending.release()


class Call:
    """One call of the engine: its method, its metadata, and its messages both ways."""

    def __init__(self, server: Server, stream_id: int, headers: object) -> None:
        self._server = server
        self._frames = Frames()
        self._messages: queue.SimpleQueue[bytes | type[Gone] | None] = queue.SimpleQueue()
        self._metadata: dict[str, list[str]] = {}
        for name, value in headers:  # type: ignore[attr-defined]
            key = name.decode("ascii", "replace")
            self._metadata.setdefault(key, []).append(value.decode("utf-8", "surrogateescape"))
        self.stream_id = stream_id
        self.opened = self.lost = False

    @property
    def method(self) -> str:
        """The method as gRPC writes it: `/package.Service/Method`."""
        return self.values(":path")[0]

    def values(self, key: str) -> tuple[str, ...]:
        """The metadata under `key`; newer engines encode some (moby/buildkit session/filesync, encodeOpts)."""
        values = self._metadata.get(key, [])
        if self._metadata.get(f"{key}-encoded", ["0"])[0] in ("1", "t", "T", "true", "TRUE", "True"):
            return tuple(urllib.parse.unquote_plus(value, errors="surrogateescape") for value in values)
        return tuple(values)

    def receive(self) -> bytes | None:
        """Wait for the next message, None when there is none to come; raises `Gone`."""
        message = self._messages.get()
        if isinstance(message, type):
            raise message("the engine gave up the call")
        return message

    def has_message(self) -> bool:
        """Whether `receive` would return at once."""
        return not self._messages.empty()

    def send(self, framed: bytes) -> None:
        """Send one or more framed messages; raises `Gone`."""
        self._server.send(self, framed)

    def answer(self, message: bytes) -> None:
        """Send the one message of an answer."""
        self.send(frame(message))

    def feed(self, data: bytes | None) -> None:
        """Take in bytes of the engine's, or None for their end; called by the server."""
        if data is None:
            self._messages.put(None)
            return
        for message in self._frames.feed(data):
            self._messages.put(message)

    def lose(self) -> None:
        """There is nobody to answer any more; called by the server."""
        self.lost = True
        self._messages.put(Gone)


def _cut(data: memoryview, size: int) -> list[bytes]:
    return [bytes(data[start : start + size]) for start in range(0, len(data), size)]


def _report_health(call: Call) -> None:
    call.receive()
    call.answer(_SERVING)
