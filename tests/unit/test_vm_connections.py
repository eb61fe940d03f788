"""The connections of the VM engine's keeper: what passes between clients and the engine, and its agent."""

import asyncio
import gc
import select
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from course.engine.vm.monitor import Agent, QemuEnded
from course.engine.vm.ports import in_use
from course.engine.vm.proxy import STARTS, Proxy

Made = TypeVar("Made")


@pytest.mark.parametrize(
    "line",
    [
        b"POST /v1.45/containers/a1/start HTTP/1.1",
        b"POST /containers/a1/restart?t=1 HTTP/1.1",
        b"POST /v1.45/networks/front/connect HTTP/1.1",
    ],
)
def test_the_proxy_notices_a_start(line: bytes) -> None:
    assert STARTS.match(line)


@pytest.mark.parametrize("line", [b"GET /v1.45/containers/a1/start HTTP/1.1", b"POST /v1.45/exec/a1/start HTTP/1.1"])
def test_the_proxy_lets_the_rest_pass(line: bytes) -> None:
    assert not STARTS.match(line)


def run(work: Coroutine[Any, Any, Made]) -> Made:
    """In a thread of its own: in that of the tests Playwright may have a loop."""
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, work).result()


async def nothing_started() -> None:
    raise AssertionError("something was started")


async def nothing() -> None:
    pass


async def with_proxy(
    folder: Path,
    engine: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    client: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    started: Callable[[], Coroutine[None, None, None]] = nothing_started,
    prepare: Callable[[], Coroutine[None, None, None]] = nothing,
) -> None:
    async with (
        await asyncio.start_unix_server(engine, folder / "engine"),
        await Proxy(folder / "engine", prepare=prepare, started=started).serve(folder / "proxy"),
    ):
        await asyncio.wait_for(client(*await asyncio.open_unix_connection(folder / "proxy")), 10)


def test_an_agent_that_is_gone_is_not_waited_for() -> None:
    async def greet() -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        agent = await Agent.on(ours)
        greeting = asyncio.create_task(agent.greet())
        await asyncio.sleep(0)  # it has written
        theirs.recv(100)
        theirs.close()
        with pytest.raises(QemuEnded):
            await greeting

    run(greet())


def test_a_client_that_has_said_all_still_gets_its_answer(tmp_path: Path) -> None:
    """As `docker exec -i` does, which closes its half of the connection at the end of its input."""

    async def answer_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gc.collect()
        await asyncio.sleep(0.5)
        writer.write(b"late")
        writer.close()

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write_eof()
        assert await reader.read() == b"late"
        writer.close()

    run(with_proxy(tmp_path, answer_late, ask))


def is_closed(writer: asyncio.StreamWriter) -> bool:
    """Whether the other end of a connection is closed in both directions."""
    hung_up = select.poll()
    hung_up.register(writer.get_extra_info("socket"), 0)
    return bool(hung_up.poll(0))


async def hang_up(writer: asyncio.StreamWriter, until: asyncio.Event) -> None:
    writer.write(b"all")
    await writer.drain()
    writer.close()
    await until.wait()


def test_an_engine_whose_client_has_hung_up_is_heard_out(tmp_path: Path) -> None:
    """It has heard the end of the input; a connection that is closed before it closes it keeps QEMU's network busy."""
    done = asyncio.Event()

    async def say_goodbye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b"all"
        for _ in range(3):
            await asyncio.sleep(0.5)  # longer than the proxy takes to see that nobody is there
            assert not is_closed(writer)
            writer.write(b"goodbye")
        done.set()
        writer.close()

    run(with_proxy(tmp_path, say_goodbye, lambda reader, writer: hang_up(writer, done)))


def test_an_engine_hears_of_a_client_that_has_hung_up_on_its_words(tmp_path: Path) -> None:
    """A connection that is closed with something unread fails at the other end, where it had no end before that."""
    done = asyncio.Event()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(bytes(1000))
        assert await reader.read() == b""
        assert not is_closed(writer)
        done.set()
        writer.close()

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"all")
        cast(asyncio.Transport, writer.transport).pause_reading()
        await asyncio.sleep(0.5)
        writer.close()
        await done.wait()

    run(with_proxy(tmp_path, speak, leave))


def test_an_engine_that_speaks_before_the_hanging_up_is_seen_is_heard_out(tmp_path: Path) -> None:
    done = asyncio.Event()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        for _ in range(30):
            await asyncio.sleep(0.05)
            writer.write(b"word")
            assert not is_closed(writer)
        done.set()
        writer.close()

    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write_eof()
        await asyncio.sleep(0.3)
        writer.close()
        await done.wait()

    run(with_proxy(tmp_path, speak, leave))


def test_an_engine_that_talks_on_when_its_client_has_hung_up_is_cut_off(tmp_path: Path) -> None:
    cut_off = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        with suppress(OSError):
            while not is_closed(writer):
                writer.write(bytes(1 << 16))
                await writer.drain()
        cut_off.set()
        writer.close()

    run(with_proxy(tmp_path, talk, lambda reader, writer: hang_up(writer, cut_off)))


def test_what_a_start_brings_with_it_is_done_though_its_client_has_hung_up(tmp_path: Path) -> None:
    """Else a command of QEMU's would be left with its answer unread, and the next one would read that."""
    began, done = asyncio.Event(), asyncio.Event()

    async def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()

    async def lead_ports() -> None:
        began.set()
        await asyncio.sleep(1)  # until after the proxy has seen that nobody waits
        done.set()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST /containers/a1/start HTTP/1.1\r\n\r\n")
        await began.wait()
        writer.close()
        await done.wait()

    run(with_proxy(tmp_path, start, hang_up, lead_ports))


def test_clients_that_come_at_once_are_all_served(tmp_path: Path) -> None:
    """QEMU, which listens for the engine, lets hardly any wait (libslirp, slirp_listen)."""

    def serve(engine: socket.socket) -> None:
        time.sleep(0.3)
        for _ in range(8):
            connection, _ = engine.accept()
            with connection:
                connection.sendall(b"here")

    async def ask() -> bytes:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "proxy")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return answer

    async def ask_all() -> list[bytes]:
        async with await Proxy(tmp_path / "engine", prepare=nothing, started=nothing_started).serve(tmp_path / "proxy"):
            return await asyncio.gather(*(ask() for _ in range(8)))

    with socket.socket(socket.AF_UNIX) as engine, ThreadPoolExecutor(1) as beside:
        engine.bind(str(tmp_path / "engine"))
        engine.listen(1)
        engine.settimeout(10)
        served = beside.submit(serve, engine)
        assert run(ask_all()) == [b"here"] * 8
        served.result()


def test_ports_that_a_published_one_would_meet_are_known(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as loopback,
        socket.create_server(("127.0.0.2", 0)) as another,
        socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as both,
        socket.create_connection(loopback.getsockname()) as connected,
        socket.create_server(("127.0.0.1", 18_083)) as ended,
        socket.create_connection(ended.getsockname()),
        ended.accept()[0],
    ):
        ended.close()
        found = set()
        for table in ("tcp", "tcp6"):
            found |= in_use(Path("/proc/net", table).read_text().splitlines()[1:])
        assert {one.getsockname()[1] for one in (loopback, both, connected)} <= found
        assert not {another.getsockname()[1], 18_083} & found


def test_the_proxy_prepares_before_it_passes_a_start_on(tmp_path: Path) -> None:
    seen: list[str] = []

    async def prepare() -> None:
        await asyncio.sleep(0.1)
        seen.append("prepared")

    async def started() -> None:
        seen.append("started")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        seen.append("asked")
        writer.write(b"done")
        writer.close()

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"POST /containers/a1/start HTTP/1.1\r\n\r\n")
        assert await reader.read() == b"done"
        seen.append("answered")
        writer.close()

    run(with_proxy(tmp_path, answer, ask, started, prepare))
    assert seen == ["prepared", "asked", "started", "answered"]
