"""The socket of the engine that clients see.

Enters: connections of clients. Leaves: the same bytes at the engine's own socket, and back. May import the keeper's
modules only.

It reads no HTTP. It only notices a request that starts a container or connects it to a network, and lets the answer
wait until the published ports are there, as they are with an engine on this machine.
"""

import asyncio
import re
import select
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Final

from course.engine.vm.ports import open_engine

_CHUNK_BYTES: Final = 1 << 16
_LOOK_S: Final = 0.2
_UNHEARD_BYTES: Final = 1 << 20
"""What an engine may still say to a client that has hung up."""
STARTS: Final = re.compile(
    rb"POST (?:/v[\d.]+)?/(?:containers/[^/ ]+/(?:re)?start|networks/[^/ ]+/(?:dis)?connect)[ ?]"
)


class Proxy:
    """Passes connections on; `prepare` is called before such a request is passed on, `started` before its answer is."""

    def __init__(
        self,
        engine: Path,
        *,
        prepare: Callable[[], Coroutine[None, None, None]],
        started: Callable[[], Coroutine[None, None, None]],
    ) -> None:
        self._engine, self._prepare, self._started = engine, prepare, started
        self._open: set[asyncio.Task[None]] = set()
        """asyncio forgets a task that nobody else holds, once its client has said all that it has to say."""

    async def serve(self, at: Path) -> asyncio.Server:
        """Listen at this socket."""
        return await asyncio.start_unix_server(self._accept, at, backlog=256)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._held(asyncio.create_task(self._connection(reader, writer)))

    def _held(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        return task

    async def _whole(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Do it to its end, even where the client hangs up meanwhile."""
        await asyncio.shield(self._held(asyncio.create_task(work())))

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        starting = asyncio.Event()
        with suppress(OSError):
            engine_reader, engine_writer = await open_engine(self._engine)
            there = asyncio.create_task(self._there(reader, engine_writer, starting, writer))
            back = asyncio.create_task(self._back(engine_reader, writer, starting))
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            there.cancel()
            back.cancel()
            await asyncio.wait({there, back})
            writer.close()
            await self._hear_out(engine_reader, engine_writer)
        writer.close()

    async def _hear_out(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tell the engine that its client has hung up, and read what it still says until it hangs up as well, as it may
        have done. While one end is closed for good and the other is not, QEMU's network keeps a processor busy
        (libslirp, seen by strace: 10 s after each build). What does not stop talking is cut off.
        """
        unheard = _UNHEARD_BYTES
        try:
            writer.write_eof()
            while unheard > 0 and (chunk := await reader.read(_CHUNK_BYTES)):
                unheard -= len(chunk)
        finally:
            writer.transport.abort()

    async def _there(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        starting: asyncio.Event,
        client: asyncio.StreamWriter,
    ) -> None:
        """Until the client has hung up; one that has closed its half alone still waits for an answer."""
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if STARTS.match(chunk):
                    await self._whole(self._prepare)
                    starting.set()
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()
        connected = client.get_extra_info("socket")
        if connected.fileno() < 0:  # both directions are closed already
            return
        hung_up = select.poll()
        hung_up.register(connected, 0)  # that the other end is closed is always reported
        while not hung_up.poll(0):
            await asyncio.sleep(_LOOK_S)

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, starting: asyncio.Event) -> None:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if starting.is_set():
                    starting.clear()
                    await self._whole(self._started)
                writer.write(chunk)
                await writer.drain()
