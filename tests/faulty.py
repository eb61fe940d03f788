"""A way to an engine that can be made to fail: a socket that passes everything on until it falls silent or breaks."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from docker import DockerClient

from course.engine.http import docker_host

_CHUNK_BYTES = 1 << 16


class FaultyWay:
    """Passes connections on to an engine's unix socket."""

    def __init__(self, engine: str, socket_path: Path) -> None:
        self._engine = engine
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(socket_path))
        self._listener.listen()
        self._open: list[socket.socket] = []
        self._passes = threading.Event()
        self._passes.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """Nothing passes any more, and no connection closes."""
        self._passes.clear()

    def break_off(self) -> None:
        """Every connection ends."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._passes.set()
        self._listener.close()
        self.break_off()
        for end in self._open:
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._engine)
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(_CHUNK_BYTES):
                self._passes.wait()
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@contextmanager
def faulty_way(client: DockerClient, folder: Path) -> Iterator[tuple[FaultyWay, DockerClient]]:
    """Another client of the same engine, over a way that can fail; only for an engine on a unix socket."""
    path = folder / "way.sock"
    way = FaultyWay(docker_host(client).removeprefix("unix://"), path)
    try:
        yield way, DockerClient(base_url=f"unix://{path}", version="auto")
    finally:
        way.close()
