"""QEMU's monitor, and the agent within the guest.

Enters: sockets that are connected to them. Leaves: their answers. Uses asyncio; may import nothing here, since the
keeper uses it.
"""

import asyncio
import json
import socket
from typing import Any


class QemuError(Exception):
    """QEMU refused a command, or has ended."""


class QemuEnded(QemuError):
    """QEMU has ended."""


class Monitor:
    """QMP: one command at a time (docs/interop/qmp-spec in QEMU's sources)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._turn = asyncio.Lock()

    @classmethod
    async def on(cls, connected: socket.socket) -> "Monitor":
        """Greet QEMU at the other end of a socket."""
        monitor = cls(*await asyncio.open_connection(sock=connected))
        await monitor._receive()
        await monitor.execute("qmp_capabilities")
        return monitor

    async def execute(self, command: str, **arguments: Any) -> Any:
        """The result of one command; raises `QemuError` for a refusal."""
        request = {"execute": command, "arguments": {name.replace("_", "-"): arguments[name] for name in arguments}}
        async with self._turn:
            self._writer.write(json.dumps(request).encode() + b"\n")
            while True:
                answer = await self._receive()
                if "error" in answer:
                    raise QemuError(f"{command}: {answer['error']['desc']}")
                if "return" in answer:
                    return answer["return"]

    async def say(self, line: str) -> str:
        """What a line of the human monitor prints: nothing where all went well."""
        printed: str = await self.execute("human-monitor-command", command_line=line)
        return printed.strip()

    async def migrated(self, command: str, uri: str) -> None:
        """Write or read the state of the machine but for its memory, which is a file of its own."""
        capability = {"capability": "x-ignore-shared", "state": True}
        await self.execute("migrate-set-capabilities", capabilities=[capability])
        await self.execute(command, uri=uri)
        while True:
            answer = await self.execute("query-migrate")
            if answer.get("status") == "completed":
                return
            if answer.get("status") == "failed":
                raise QemuError(f"{command}: {answer.get('error-desc', 'failed')}")
            await asyncio.sleep(0.005)

    async def _receive(self) -> Any:
        line = await self._reader.readline()
        if not line:
            raise QemuEnded("QEMU has ended")
        return json.loads(line)


class Agent:
    """The guest's agent: it runs lines as root in the guest (guest/agent)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._turn = asyncio.Lock()

    @classmethod
    async def on(cls, connected: socket.socket) -> "Agent":
        """The agent at the other end of a socket, there or not yet."""
        return cls(*await asyncio.open_connection(sock=connected))

    async def greet(self) -> None:
        """Wait until the guest has come so far that the agent listens; what it missed is lost."""
        for number in range(1 << 30):
            self._writer.write(b"echo hello%d\n" % number)
            expected = b"hello%d" % number
            try:
                async with asyncio.timeout(1):
                    while (await self._line()).strip() != expected:
                        pass
                    await self._status()
                return
            except TimeoutError:
                continue

    async def run(self, line: str) -> tuple[int, str]:
        """The exit status of one line of shell, and what it printed."""
        async with self._turn:
            self._writer.write(line.encode() + b"\n")
            return await self._status()

    async def _line(self) -> bytes:
        line = await self._reader.readline()
        if not line:
            raise QemuEnded("QEMU has ended")
        return line

    async def _status(self) -> tuple[int, str]:
        printed: list[str] = []
        while True:
            line = (await self._line()).decode("utf-8", "replace").strip("\r\n")
            if line.startswith(".") and line[1:].isdigit():
                return int(line[1:]), "\n".join(printed).strip()
            printed.append(line)
