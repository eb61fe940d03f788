"""The process that keeps one virtual machine: it starts QEMU, passes clients on to the engine, and ends with it.

Enters: a `Task` as JSON on the command line. Leaves: lines of JSON on standard output, `{"doing"}` until `{"ready"}` or
`{"error"}`. May import its neighbours of the keeper only: `launch` runs it without the rest of the course, whose import
would take longer than the restoring.

QEMU ends with its parent, which this is (prctl(2), PR_SET_PDEATHSIG), and this ends with QEMU: whichever is killed,
none is left over. The lock that this holds says that it lives, even where its pid has been used again.
"""

import asyncio
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from course.engine.vm.guest_shares import mounting, unmounting
from course.engine.vm.machine import KVM, TCG, Drive, Form, Memory, qemu_command
from course.engine.vm.monitor import Agent, Monitor, QemuEnded, QemuError
from course.engine.vm.ports import Forwardings, get
from course.engine.vm.proxy import Proxy

FILES: Final = ("docker.sock", "engine.sock", "control.sock", "keeper.json")
"""What a keeper that was killed leaves in its folder, next to its logs and lock."""
_START_TIMEOUT_S: Final = {KVM: 120, TCG: 900}
"""On a machine that has much else to do, emulation is very slow."""
_BOOT_S: Final = {KVM: 5, TCG: 30}
"""About how long a boot takes where little else is done."""
_END_TIMEOUT_S: Final = 5
_REPORT_EVERY_S: Final = 5
_STUCK: Final = ("internal-error", "guest-panicked")
_DISK_FULL: Final = "io-error"
_RUNS: Final = "running"
_SET_CLOCK: Final = "hwclock -s -u"
_LOOK_EVERY_S: Final = 1
_PR_SET_PDEATHSIG: Final = 1
"""linux/prctl.h"""


@dataclass(frozen=True, kw_only=True)
class Task:
    """`snapshot` is the folder to restore from, where there is one; `links` are other names of what is shared: a link,
    and where it leads; `bound` is whether to end with standard input and then to remove `run` as well.
    """

    guest: str
    run: str
    accelerator: str
    memory_mib: int
    processors: int
    disk: str
    disk_discarded: bool
    snapshot: str | None = None
    memory: str | None = None
    shares: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    cut_off: bool = False
    bound: bool = False


class Keeper:
    """One machine, from its start to its end."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.run_folder = Path(task.run)
        self.engine_socket = self.run_folder / "engine.sock"
        self.qemu: asyncio.subprocess.Process | None = None
        self.over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._ready = self._suspending = False
        self._why_ended: str | None = None
        self.monitor: Monitor
        self.agent: Agent
        self.forwardings: Forwardings

    async def keep(self) -> None:
        """Start the machine, say when it is ready, and stay until it is over."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.over.set)
        if self.task.bound:
            loop.add_reader(0, self._input)
        try:
            await self._begin()
            published = not (self.task.cut_off or self.task.bound)  # nobody else knows of a clone, or of one in work
            ports = Forwardings(self.engine_socket, self.monitor, self.agent, _note, published=published)
            self.forwardings = ports
            proxy = Proxy(self.engine_socket, prepare=ports.prepare, started=ports.try_update)
            clients = await proxy.serve(self.run_folder / "docker.sock")
            control = await asyncio.start_unix_server(self._command, self.run_folder / "control.sock")
            self._tasks.append(asyncio.create_task(self._follow(ports)))
            self._ready = True
            _report(ready=True)
            await self.over.wait()
            clients.close()
            control.close()
        finally:
            for task in self._tasks:
                task.cancel()
            await self._end()

    async def _begin(self) -> None:
        """Start the machine; raises `QemuError` when it ends, or needs too long."""
        limit_s = _START_TIMEOUT_S[self.task.accelerator]
        start, over = asyncio.ensure_future(self._start()), asyncio.ensure_future(self.over.wait())
        await asyncio.wait((start, over), timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        started, ended = start.done(), over.done()
        start.cancel()
        over.cancel()
        if started and not isinstance(start.exception(), QemuEnded | ConnectionError):
            start.result()
        elif started or ended:
            raise QemuError(f"the machine ended: {self._why_ended or _last_words(self.run_folder)}")
        else:
            raise QemuError(f"it did not start within {limit_s} s")

    async def _start(self) -> None:
        ours, theirs = socket.socketpair(), socket.socketpair()
        with ours[0], ours[1], theirs[0], theirs[1]:
            form = _form(self.task, monitor=ours[1].fileno(), agent=theirs[1].fileno())
            with (self.run_folder / "qemu.log").open("wb") as log:
                self.qemu = await asyncio.create_subprocess_exec(
                    *qemu_command(form),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(form.monitor, form.agent),
                    env={**os.environ, "TMPDIR": str(Path(self.task.guest).parent)},  # for a disk that is discarded
                    preexec_fn=_ending_with(os.getpid()),
                )
            _record(self.run_folder / "keeper.json", pid=os.getpid(), qemu=self.qemu.pid, **vars(self.task))
            self._tasks.append(asyncio.create_task(self._wait()))
            mine = [one.dup() for one in (ours[0], theirs[0])]
        for one in mine:
            one.setblocking(False)
        self.monitor = await Monitor.on(mine[0])
        self._tasks.append(asyncio.create_task(self._watch_over()))
        self.agent = await Agent.on(mine[1])
        if self.task.snapshot:
            await self.monitor.migrated("migrate-incoming", f"file:{self.task.snapshot}/state")
            await self.monitor.execute("cont")
        else:
            booting = asyncio.create_task(_report_boot(_BOOT_S[self.task.accelerator]))
            try:
                await self.agent.greet()
            finally:
                booting.cancel()
        await asyncio.gather(self._set_up(), self._answers())

    async def _set_up(self) -> None:
        """The clock, which stood still, and the shares."""
        lines = [_SET_CLOCK, *mounting(self.task.shares, self.task.links)]
        status, printed = await self.agent.run("; ".join(lines))
        if status:
            raise QemuError(f"the shares could not be mounted: {printed}")
        if printed:
            _note(printed)

    async def _answers(self) -> None:
        """Wait for the engine's first answer."""
        while True:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                async with asyncio.timeout(5):
                    if await get(self.engine_socket, "/_ping") == b"OK":
                        return
            await asyncio.sleep(0.02)

    async def _follow(self, forwardings: Forwardings) -> None:
        await forwardings.prepare()
        while not self.over.is_set():
            await forwardings.try_update()
            with suppress(OSError, asyncio.IncompleteReadError, ValueError):  # the engine restarts, perhaps
                await forwardings.follow()
            await asyncio.sleep(0.5)

    async def _command(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One command at the control socket, `{"do": ...}`, and its answer."""
        answer: dict[str, Any] = {}
        try:
            asked = json.loads(await reader.readline())
            if asked["do"] == "run":
                answer["status"], answer["printed"] = await self.agent.run(asked["line"])
            elif asked["do"] == "forward":
                answer["port"] = await self.forwardings.forward(asked["port"])
            elif asked["do"] == "suspend":
                await self._suspend(Path(asked["to"]))
            elif asked["do"] == "power off":
                await self.agent.run("poweroff")
                await self.over.wait()
        except (QemuError, ValueError, KeyError, OSError) as error:
            answer["error"] = str(error)
        with suppress(OSError):
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _suspend(self, folder: Path) -> None:
        """Write the machine's state to `folder`, and end. A machine with a share in use cannot be suspended; where that
        or the writing fails, it goes on.
        """
        new, state = folder / "state.new", folder / "state"
        try:
            status, printed = await self.agent.run(" && ".join(("sync", *map(unmounting, self.task.shares))))
            if status:
                raise QemuError(printed)
            self._suspending = True
            await self.monitor.execute("stop")
            await self.monitor.migrated("migrate", f"file:{new}")
            new.replace(state)
            (folder / "accelerator").write_text(self.task.accelerator, encoding="utf-8")
        except (QemuError, OSError):
            for file in (new, state):
                file.unlink(missing_ok=True)
            await self.monitor.execute("cont")
            self._suspending = False
            await self._set_up()
            raise
        self.over.set()

    def _input(self) -> None:
        if not os.read(0, 1024):
            self.over.set()

    async def _wait(self) -> None:
        assert self.qemu is not None
        status = await self.qemu.wait()
        if not self.over.is_set():
            _note(f"QEMU has ended ({f'signal {-status}' if status < 0 else f'status {status}'})")
        self.over.set()

    async def _watch_over(self) -> None:
        """End a machine that can go on no more, as when the processor does not do what KVM needs. One that has found
        the disk here full waits for space, once it is ready, and unless it is bound to its starter.
        """
        stood_still = False
        with suppress(QemuEnded, ConnectionError):
            while (status := await self._status()) not in _STUCK:
                if status == _DISK_FULL:
                    if self.task.bound or not self._ready:
                        break
                    stood_still = True
                    await self._go_on()
                elif stood_still and status == _RUNS:
                    stood_still = False
                    self._tasks.append(asyncio.create_task(self._set_clock()))
                await asyncio.sleep(_LOOK_EVERY_S)
            self._why_ended = "the disk here is full" if status == _DISK_FULL else f"it is stuck ({status})"
            _note(self._why_ended)
        self.over.set()

    async def _set_clock(self) -> None:
        with suppress(QemuError, OSError):
            await self.agent.run(_SET_CLOCK)

    async def _go_on(self) -> None:
        if self._suspending:
            return
        try:
            await self.monitor.execute("cont")
        except QemuEnded:
            raise
        except QemuError as refusal:
            _note(str(refusal))

    async def _status(self) -> str:
        return str((await self.monitor.execute("query-status"))["status"])

    async def _end(self) -> None:
        if self.qemu is not None:
            with suppress(ProcessLookupError):
                self.qemu.kill()
            with suppress(TimeoutError):  # until then it has files open, which may be removed next
                await asyncio.wait_for(self.qemu.wait(), _END_TIMEOUT_S)
        for name in FILES:
            (self.run_folder / name).unlink(missing_ok=True)
        if self.task.bound:
            shutil.rmtree(self.run_folder, ignore_errors=True)


def _form(task: Task, *, monitor: int, agent: int) -> Form:
    memory = task.memory
    if task.snapshot and Path(task.snapshot, "ram").exists():  # else the memory is in the state itself
        memory = f"{task.snapshot}/ram"
    return Form(
        guest=Path(task.guest),
        run=Path(task.run),
        accelerator=task.accelerator,
        memory_mib=task.memory_mib,
        processors=task.processors,
        drive=Drive(file=Path(task.disk), discarded=task.disk_discarded),
        memory=Memory(file=Path(memory), written=bool(task.memory)) if memory else None,
        restores=bool(task.snapshot),
        shares=[Path(path) for path in task.shares],
        cut_off=task.cut_off,
        monitor=monitor,
        agent=agent,
    )


def _ending_with(parent: int) -> Callable[[], None]:
    """What a child does before it becomes another program, so that it is killed when `parent`, this process, ends."""
    libc = ctypes.CDLL(None)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


async def _report_boot(about_s: int) -> None:
    began = time.monotonic()
    while True:
        seconds = time.monotonic() - began
        done = min(10, int(10 * seconds / about_s))
        _report(doing=f"booting {'█' * done}{'░' * (10 - done)} {seconds:.0f} of about {about_s} s")
        await asyncio.sleep(_REPORT_EVERY_S)


def _report(**what: Any) -> None:
    with suppress(OSError):  # whoever started this may be gone, and the machine may live on
        print(json.dumps(what), flush=True)


def _note(line: str) -> None:
    with suppress(OSError):  # the disk may be full
        print(line, file=sys.stderr, flush=True)


def _record(file: Path, **what: Any) -> None:
    file.with_suffix(".new").write_text(json.dumps(what), encoding="utf-8")
    file.with_suffix(".new").replace(file)


def _last_words(folder: Path) -> str:
    def words() -> Iterator[str]:
        for name in ("qemu.log", "console.log"):
            with suppress(OSError):
                yield from (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()[-2:]

    return " / ".join(line.strip() for line in words() if line.strip()) or "it printed nothing"


def realm() -> str:
    """Where this process's pids mean something: this start of this machine, and this namespace (pid_namespaces(7))."""
    start = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{start} {os.readlink('/proc/self/ns/pid')}"


def main(words: list[str]) -> int:
    """Keep the machine of the task in `words`; the exit status is 1 when it could not be started."""
    import fcntl  # there is none on Windows, where the course imports this module all the same

    task = Task(**json.loads(words[0]))
    folder = Path(task.run)
    os.umask(0o077)
    (folder / "nothing").mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _report(error="another one is kept in this folder")
            return 1
        lock.truncate(0)
        print(os.getpid(), realm(), file=lock, flush=True)
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        try:
            asyncio.run(Keeper(task).keep())
        except (QemuError, OSError, ValueError) as error:
            _report(error=str(error) or repr(error))
            return 1
    return 0
