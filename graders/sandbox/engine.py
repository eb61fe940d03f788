"""An engine of the graders' own in a container: clean each time, within limits, with no way out and its own packages.

Enters: the client of the engine that it is to run on. Leaves: `ReplayEngine`, whose `client` is docker-py's. Creates
and removes a container there; may import `course` and its neighbours.

What is submitted never meets the learner's own containers, names, ports and cache, and cannot fill the disk, the memory
or the table of processes of the machine. It holds back mistakes. It does not hold back an attacker: the container
may administer the kernel (`SYS_ADMIN`).
"""

import io
import json
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import unquote

from docker import DockerClient
from docker.errors import DockerException
from docker.models.containers import Container
from filelock import FileLock, Timeout

from course import labels
from course.builds import record
from course.engine import docker_host, is_emulated
from course.engine.http import stream_exec
from course.errors import CourseError
from course.folders import data_folder
from course.images import OnProgress
from course.lab.scratch import engine_host
from graders.sandbox.container import DISK_BYTES, START_TIMEOUT_S, Keys, connect, create, stop
from graders.sandbox.image import ensure_offline_images, ensure_replay_image
from graders.sandbox.limits import (
    FLOOD_BYTES,
    SCRIPT_USER,
    end_processes,
    limit_reached,
    script_listens,
    set_limits,
    within_limits,
)
from graders.sandbox.store import load_images, reset

PROJECT: Final = "/work/project"
OUTPUT_BYTES: Final = 64 << 10
_INCOMING: Final = "/store/incoming"
_SWEEP: Final = f"""
find /work -mindepth 1 -delete
find /tmp /run /root /var/log /dev/shm -xdev -uid {SCRIPT_USER} -delete
"""
"""What a script has left beside the engine, such as settings of programs in its home."""
_NO_HOME: Final = "/nonexistent"
"""Nobody can leave the graders' own commands any settings there."""
_KILLED: Final = 137
EMULATED_PACE: Final = 12
"""How many times longer anything may take without KVM: what computes is 4 to 20 times slower there."""
_SLOTS: Final = 64
_ASKED_AGAIN: Final = 5
Seen = TypeVar("Seen")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command did: `exit_code` is None where it was ended, which `ended` tells the reason of; `output` is the
    beginning of what it said.
    """

    exit_code: int | None
    output: str
    ended: str = ""


@dataclass(kw_only=True)
class ReplayEngine:
    """The engine inside by its `client`, and the `container` of the `outer` engine that it runs in.

    `images` are its base images: for each name the id of the image that bore it when all was clean. `pace` is how many
    times longer than on this machine's own processor anything may take in there.
    """

    client: DockerClient
    container: Container
    outer: DockerClient
    images: Mapping[str, str]
    pace: float = 1

    def reset(self) -> None:
        """Make it clean again: all that was made on it goes, but for the base images."""
        self.end_processes()
        reset(self.client, self.images, self.pace)
        self.run(["sh", "-c", _SWEEP])
        set_limits(self._said)

    def put(self, files: Mapping[str, bytes], folder: str = PROJECT) -> None:
        """Write files, those that are there in place: a bind mount or a watcher sees the same file changed."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o755 if name.endswith(".sh") else 0o644
                tar.addfile(entry, io.BytesIO(content))
        self.run(["mkdir", "-p", _INCOMING, folder])
        self.container.put_archive(_INCOMING, archive.getvalue())
        give = f"chown -R {SCRIPT_USER} {_INCOMING} && cp -r --preserve=ownership {_INCOMING}/. {folder}/"
        ran = self.run(["sh", "-c", f"{give} && rm -rf {_INCOMING}"])
        if ran.exit_code != 0:
            raise CourseError(f"The replay engine could not take files: {ran.output}", fix="try again")

    def run(
        self,
        command: Sequence[str],
        *,
        timeout_s: float = 30,
        folder: str = "/work",
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run a command beside the engine, where `docker` is the engine inside; it is killed when its time is up."""
        return self._run(command, timeout_s, folder, environment or {})

    def run_script(self, command: Sequence[str], *, timeout_s: float, folder: str = PROJECT) -> Ran:
        """Run what a submission brings, within limits and as a user of its own.

        What it leaves in the background stays until `end_processes`.
        """
        ran = self._run(within_limits(command), timeout_s, folder, {"HOME": "/tmp"})
        if ran.exit_code is None:
            self.end_processes()
        return ran

    def end_processes(self) -> None:
        """End all that submissions have running beside the engine."""
        end_processes(self._said)

    def wait_for(self, look: Callable[[], Seen | None], *, timeout_s: float) -> Seen | None:
        """Look again and again until there is something to see, or time is up."""
        deadline = time.monotonic() + timeout_s * self.pace
        while True:
            seen = look()
            if seen is not None or time.monotonic() >= deadline:
                return seen
            time.sleep(0.2)

    def limit_reached(self) -> str:
        """Which limit the submission has reached, in words; empty where none."""
        return limit_reached(self._told)

    def script_listens(self) -> frozenset[int]:
        """The TCP ports of the machine at which the submission's script answers by itself, with no container."""
        return script_listens(self._said)

    def free_bytes(self) -> int:
        """How much room there is on its disk."""
        return int(self._told(["df", "-B1", "--output=avail", "/var/lib/docker"]).split()[-1])

    def _said(self, command: Sequence[str]) -> str:
        return self.run(command).output

    def _told(self, command: Sequence[str]) -> str:
        """What a command says that always says something; it is asked again where a machine out of breath lost it."""
        for _ in range(_ASKED_AGAIN):
            if said := self._said(command):
                return said
            time.sleep(0.2)
        raise CourseError("The replay engine does not answer.", fix="try again")

    def _run(self, command: Sequence[str], timeout_s: float, folder: str, environment: Mapping[str, str]) -> Ran:
        limit_s = timeout_s * self.pace
        words = ["timeout", "--signal=KILL", f"{limit_s}", *command]
        api = self.outer.api
        variables = {"HOME": _NO_HOME, **environment}
        created = api.exec_create(self.container.id, words, workdir=folder, environment=variables)
        said, length, began = bytearray(), 0, time.monotonic()
        with ThreadPoolExecutor(1) as beside:  # while nobody reads it, the outer engine ends no exec of this container
            for chunk in stream_exec(self.outer, created["Id"]):
                said += chunk[: max(0, OUTPUT_BYTES - len(said))]
                if length <= FLOOD_BYTES < length + len(chunk):
                    beside.submit(self.end_processes)
                length += len(chunk)
        code, output = api.exec_inspect(created["Id"])["ExitCode"], said.decode("utf-8", "replace")
        if length > FLOOD_BYTES:
            return Ran(exit_code=None, output=output, ended=f"it printed more than {FLOOD_BYTES >> 20} MB")
        if code == _KILLED and time.monotonic() - began >= limit_s:  # else it was killed for something else
            return Ran(exit_code=None, output=output, ended=f"it had not ended after {limit_s:g} s")
        return Ran(exit_code=code, output=output)

    def blocked(self) -> int:
        """How many packets have been turned back that were on their way out of here, since the engine started."""
        listed = self._told(["iptables", "-nvxL", "OUTSIDE"])
        return sum(int(line.split()[0]) for line in listed.splitlines() if " REJECT " in line)

    def await_packages(self) -> None:
        """Wait until its registry of packages answers. Raises `CourseError` when it does not."""
        ping = ["curl", "-sf", "http://127.0.0.1:4873/-/ping"]
        if not self.wait_for(lambda: self.run(ping).exit_code == 0 or None, timeout_s=START_TIMEOUT_S):
            raise CourseError("The replay engine's registry of packages did not start.", fix="try again")

    def packages_missing(self, since: int = 0) -> tuple[int, tuple[str, ...]]:
        """The length of the registry's log, and which packages it was asked for in vain after its line `since`."""
        script = "wc -l < /run/packages.log; tail -n +$1 /run/packages.log | grep '\"status\":404' | head -200"
        counted, *lines = self._told(["sh", "-c", script, "sh", str(since + 1)]).splitlines()
        return int(counted), tuple(dict.fromkeys(name for line in lines for name in _asked_for(line)))


@contextmanager
def replay_engine(
    outer: DockerClient, images: Sequence[str], *, on_progress: OnProgress | None = None
) -> Iterator[ReplayEngine]:
    """A clean engine with these catalogue images, gone at the end; several at once do not meet.

    Raises `CourseError` when it cannot be started, an engine without the right to run engines included.
    """
    image = ensure_replay_image(outer, on_progress=on_progress)
    wanted = ensure_offline_images(outer, images, on_progress=on_progress)
    with ExitStack() as stack:
        volume = stack.enter_context(_slot(outer))
        worn: list[str] = []
        stack.callback(_remove_volumes, outer, worn)  # when the container is gone
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=labels.folder_prefix())))
        host = engine_host(docker_host(outer))
        keys = Keys.make(host)
        container = create(
            outer, image, volume, keys, publish_at=("127.0.0.1" if host == "127.0.0.1" else "0.0.0.0", None)
        )
        stack.callback(stop, container)
        pace = EMULATED_PACE if is_emulated(outer) else 1
        client = connect(container, keys.write(folder), host, pace=pace)
        stack.callback(client.close)
        stack.callback(record.forget, docker_host(client), {labels.session()})
        bases = load_images(outer, client, wanted)
        engine = ReplayEngine(client=client, container=container, outer=outer, images=bases, pace=pace)
        engine.reset()
        engine.await_packages()
        try:
            yield engine
        finally:
            # a replay can leave it in any state; the next start tries again
            with suppress(CourseError, DockerException, OSError):
                engine.reset()
                # layers that nobody knows any more, of engines that were killed
                if engine.free_bytes() < DISK_BYTES // 2:
                    worn.append(volume)


def _remove_volumes(outer: DockerClient, names: Sequence[str]) -> None:
    for name in names:
        with suppress(DockerException):
            outer.volumes.get(name).remove()


@contextmanager
def _slot(outer: DockerClient) -> Iterator[str]:
    """A disk that no other replay of this user works with now; the base images stay on it."""
    folder = data_folder() / "replay"
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(_SLOTS):
        name = f"layer-by-layer-replay-{number}"
        lock = FileLock(folder / f"{number}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        try:
            left = outer.containers.list(all=True, filters={"volume": name}, ignore_removed=True)
            if any(labels.is_alive(labels.made_by(one.labels) or "") for one in left):
                continue  # with locks in another data folder
            for one in left:  # of a process that was killed
                stop(one)
            outer.volumes.create(name, labels=labels.labels(**{labels.IMAGE: "replay"}))
            yield name
        finally:
            lock.release()
        return
    raise CourseError(f"{_SLOTS} replays are under way.", fix="wait for one to end")


def _asked_for(line: str) -> Iterator[str]:
    """The package of a line of the registry's log, if it is about one: /NAME, /@SCOPE%2fNAME or /NAME/-/FILE."""
    with suppress(ValueError, KeyError):
        name = unquote(json.loads(line)["request"]["url"]).lstrip("/").split("/-/")[0]
        if not name.startswith("-/"):
            yield name
