"""Published ports on the host's loopback.

Enters: what the engine says of its containers, QEMU's monitor. Leaves: forwardings of QEMU. May import the
keeper's modules only.

In the guest a port is reached as 127.0.0.1, so that those which a container publishes just there are found as well; see
route_localnet in guest/rc.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

from course.engine.vm.monitor import Monitor, QemuError

HOST: Final = "127.0.0.1"
_TRIES: Final = 5
_LINE_BYTES: Final = 1 << 24
Port = tuple[str, int]
"""`tcp` or `udp`, and the number."""


def published(containers: Any) -> set[Port]:
    """The ports that these containers of `GET /containers/json` publish."""
    return {
        (port["Type"], port["PublicPort"])
        for container in containers
        for port in container.get("Ports") or ()
        if port.get("PublicPort") and port["Type"] in ("tcp", "udp")
    }


class Forwardings:
    """Keeps QEMU's forwardings equal to what the engine behind `engine` publishes, if it is to be `published` here."""

    def __init__(self, engine: Path, monitor: Monitor, say: Callable[[str], None], *, published: bool) -> None:
        self._engine, self._monitor, self._say = engine, monitor, say
        self._published = published
        self._current: set[Port] = set()
        self._turn = asyncio.Lock()

    async def forward(self, port: int) -> int:
        """Lead a free port of this machine to a TCP port of the guest, for as long as that lives; the free one."""
        for _ in range(_TRIES):
            with socket.socket() as probe:
                probe.bind((HOST, 0))
                free: int = probe.getsockname()[1]
            if not await self._monitor.say(f"hostfwd_add net tcp:{HOST}:{free}-{HOST}:{port}"):
                return free
        raise QemuError(f"port {port} of the guest could not be forwarded")

    async def update(self) -> None:
        """Add what is new, remove what is gone. A port that something else here has is left out, and said."""
        if not self._published:
            return
        async with self._turn:
            wanted = published(json.loads(await get(self._engine, "/containers/json")))
            for protocol, port in sorted(self._current - wanted):
                await self._monitor.say(f"hostfwd_remove net {protocol}:{HOST}:{port}")
                self._current.discard((protocol, port))
            for protocol, port in sorted(wanted - self._current):
                refusal = await self._monitor.say(f"hostfwd_add net {protocol}:{HOST}:{port}-{HOST}:{port}")
                if refusal:
                    self._say(f"port {port}/{protocol}: {refusal}")
                else:
                    self._current.add((protocol, port))

    async def try_update(self) -> None:
        """Like `update`, but says what failed; what starts or ends next brings another try."""
        try:
            await self.update()
        except (OSError, asyncio.IncompleteReadError, ValueError, QemuError) as error:
            self._say(f"ports: {error!r}")

    async def follow(self) -> None:
        """Update whenever a container starts or ends, for as long as the engine answers."""
        filters = '{"type":["container"],"event":["start","die"]}'
        async for _ in lines(self._engine, f"/events?filters={filters}"):
            await self.try_update()


async def open_engine(engine: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, in turn: QEMU lets one client wait, and asyncio takes those who may not for connected."""
    with socket.socket(socket.AF_UNIX) as connection:
        await asyncio.to_thread(connection.connect, str(engine))
        return await asyncio.open_unix_connection(sock=connection.dup(), limit=_LINE_BYTES)


async def get(engine: Path, path: str) -> bytes:
    """The body of `GET path`."""
    return b"".join([part async for part in lines(engine, path)])


async def lines(engine: Path, path: str) -> AsyncIterator[bytes]:
    """The body of `GET path`, line by line as it comes: HTTP/1.0, so that it ends with the connection, unencoded."""
    reader, writer = await open_engine(engine)
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise ConnectionError(head.partition(b"\r\n")[0].decode("utf-8", "replace"))
        async for line in reader:
            yield line
    finally:
        writer.close()
