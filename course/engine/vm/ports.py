"""Published ports on the host's loopback.

Enters: what the engine says of its containers, QEMU's monitor, the guest's agent. Leaves: forwardings of QEMU, and
listeners in the guest. May import the keeper's modules only.

In the guest a port is reached as 127.0.0.1, so that those which a container publishes just there are found as well; see
route_localnet in guest/rc.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from course.engine.vm.monitor import Agent, Monitor, QemuError

HOST: Final = "127.0.0.1"
_TRIES: Final = 5
_LINE_BYTES: Final = 1 << 24
_CHOSEN: Final = 32768
"""From here on the guest's engine chooses ports, and this machine for its ends of connections (ip_local_port_range).
All engines begin here, as they begin with one snapshot.
"""
_HELD: Final = range(1024, _CHOSEN + 256)
"""Of these ports, the ones that something here uses are held in the guest."""
_LISTENS, _TIME_WAIT = "0A", "06"
_AT_LOOPBACK: Final = ("00000000", "0100007F", "0" * 32, "0000000000000000FFFF00000100007F")
_PIDS: Final = "/run/held"
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


def in_use(lines: Iterable[str]) -> set[int]:
    """The ports that something has on the loopback, by lines of /proc/net/tcp or tcp6 (proc_net_tcp(5)): it listens
    there, or this machine chose it for its end of a connection, as JupyterLab has many. The other ends keep nobody
    from listening at their port: a browser may still have one to a container that is gone.
    """
    found = set()
    for line in lines:
        _, local, _, state, *_ = line.split()
        address, _, hexadecimal = local.rpartition(":")
        port = int(hexadecimal, 16)
        if address in _AT_LOOPBACK and (state == _LISTENS or (state != _TIME_WAIT and port >= _CHOSEN)):
            found.add(port)
    return found


class Held:
    """Ports that something here uses, held in the guest as well: its engine then refuses them, or chooses others, as an
    engine on this machine does.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._ports: set[int] | None = None
        self._turn = asyncio.Lock()

    async def update(self, ours: Collection[int]) -> None:
        """Hold what has come into use here since, and let go what is not any more; `ours` lead to the guest anyway."""
        async with self._turn:
            busy: set[int] = set()
            for table in ("tcp", "tcp6"):
                with suppress(OSError), Path("/proc/net", table).open(encoding="ascii") as lines:
                    busy |= in_use(list(lines)[1:])
            wanted = {port for port in busy if port in _HELD} - set(ours)
            before = self._ports or set()
            steps = [f"kill $(cat {_PIDS}/{port}) 2>/dev/null" for port in sorted(before - wanted)]
            hold = f"nc -l -p {{0}} {HOST} >/dev/null 2>&1 & echo $! >{_PIDS}/{{0}}"
            steps += [hold.format(port) for port in sorted(wanted - before)]
            if self._ports is None:  # an earlier keeper's, perhaps
                steps.insert(
                    0, f"for one in {_PIDS}/*; do kill $(cat $one); done 2>/dev/null; rm -rf {_PIDS}; mkdir {_PIDS}"
                )
            if steps:
                await self._agent.run("; ".join(f"{{ {step}; }}" for step in steps))
            self._ports = wanted


class Forwardings:
    """Keeps QEMU's forwardings equal to what the engine behind `engine` publishes, if it is to be `published` here."""

    def __init__(
        self, engine: Path, monitor: Monitor, agent: Agent, say: Callable[[str], None], *, published: bool
    ) -> None:
        self._engine, self._monitor, self._say = engine, monitor, say
        self._published = published
        self._held = Held(agent)
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

    async def prepare(self) -> None:
        """Before a container starts: let the engine know which ports are in use here."""
        if self._published:
            try:
                await self._held.update({port for protocol, port in self._current if protocol == "tcp"})
            except (OSError, QemuError) as error:
                self._say(f"ports in use: {error!r}")

    async def update(self) -> None:
        """Add what is new, remove what is gone. A port that cannot be had here is left out, and said."""
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
        """Update whenever a container starts, ends, or moves to other networks, for as long as the engine answers."""
        filters = '{"type":["container","network"],"event":["start","die","connect","disconnect"]}'
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
