"""The lessons where Binder runs them: an ordinary user, 2 GB of memory, 2 processors, no KVM, JupyterLab beside them.

A guest with all images is built first, by that user, and each lesson takes minutes: with `--long` only.
"""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import vm_user
from ordinary import Ordinary

pytestmark = [
    pytest.mark.engine,
    pytest.mark.long,
    vm_user.NEEDED,
]

UID_HERE = 64_303
"""Not that of the other tests, which end all processes of theirs."""
MEMORY_BYTES = 2 << 30
LESSONS = ("00-start", "01-layers", "02-cache", "03-order", "04-volumes", "05-networks", "06-capstone")
LIGHTER = ("03-order", "06-capstone")
"""Those that build the API, which goes without Prisma there."""
LESSON_TIMEOUT_S = 3600
PEAK_BYTES = 1_200_000_000
"""What lessons 00 to 05 may take of the memory: what could not be given back, caches of files left out."""
REBUILD_S = 100
LOOK_S = 0.5
ASKED_AT_THE_END = {
    "03-order": 'print(f"rebuilt after one comment in: {again.seconds} s")',
    "06-capstone": 'print("npm", next(step.status for step in built.steps if "npm" in step.text))',
}
RUN = """
import sys, nbformat
from nbclient import NotebookClient
path = sys.argv[1]
notebook = nbformat.read(path, as_version=4)
notebook.cells.append(nbformat.v4.new_code_cell(sys.argv[2]))
NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": path.rpartition("/")[0]}}).execute()
for cell in notebook.cells:
    for output in cell.get("outputs", []):
        print(output.get("text", ""), end="")
"""


@pytest.fixture(scope="module")
def user() -> Iterator[Ordinary]:
    with vm_user.ordinary_user(images=(), uid=UID_HERE) as user:
        yield user


@pytest.fixture(scope="module")
def group(user: Ordinary) -> Iterator[Path]:
    """The control group that all of this user's processes are in: the engine, JupyterLab and the kernels."""
    with _limited(MEMORY_BYTES) as group:
        words = ("engine", "start", "--kind", "vm")
        started = _begin(user, group, "-m", "course.cli", *words)
        assert started.wait(300) == 0
        yield group


@pytest.fixture(scope="module")
def lab(user: Ordinary, group: Path) -> Iterator[None]:
    """JupyterLab, serving."""
    words = (
        "-m",
        "jupyterlab",
        "--no-browser",
        "--port=0",
        f"--ServerApp.root_dir={user.folder / 'project/notebooks'}",
    )
    process = _begin(user, group, *words)
    runtime = user.home / ".local/share/jupyter/runtime"
    vm_user.wait_until(lambda: any(runtime.glob("jpserver-*.json")), timeout_s=120, what="JupyterLab serves")
    yield
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(60)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_in_two_gigabytes_without_kvm(user: Ordinary, group: Path, lab: None, lesson: str) -> None:
    path = user.folder / f"project/notebooks/{lesson}.ipynb"
    began = time.monotonic()
    with _peak_use(group) as peak:
        process = _begin(user, group, "-c", RUN, str(path), ASKED_AT_THE_END.get(lesson, ""))
        said, wrong = process.communicate(timeout=LESSON_TIMEOUT_S)
    assert process.returncode == 0, wrong[-3000:]
    assert ("This engine is slow" in said) == (lesson in LIGHTER)
    print(f"{lesson}: {time.monotonic() - began:.0f} s; at most {peak.bytes / 1e6:.0f} MB in use")
    assert not _killed(group)
    rebuilt = re.search("rebuilt after one comment in: (.*) s", said)
    assert bool(rebuilt) == (lesson == "03-order")
    if rebuilt:
        print(rebuilt[0])
        assert float(rebuilt[1]) < REBUILD_S
    assert ("npm REUSED" in said) == (lesson == "06-capstone"), "what the guest was built with was used"
    assert peak.bytes > 0
    assert peak.bytes < PEAK_BYTES or lesson > "05-networks"


def _begin(user: Ordinary, group: Path, *words: str) -> "subprocess.Popen[str]":
    """Python with these words, as this user and in this group, where the engine is known as `binder/start` tells it."""
    enter = ["sh", "-c", 'echo $$ > "$0"/cgroup.procs && exec "$@"', str(group)]
    python = str(user.folder / "python/bin/python3")
    return subprocess.Popen(
        [*enter, *user.command("taskset", "--cpu-list", "0,1", python, *words)],
        env={**user.environment, "DOCKER_HOST": f"unix://{vm_user.run_folder(user)}/docker.sock"},
        cwd=user.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@contextmanager
def _limited(memory_bytes: int) -> Iterator[Path]:
    """A control group with that much memory, swap included; whatever is in it at the end is killed."""
    root = Path("/sys/fs/cgroup")
    first = not (root / "cgroup.controllers").exists()
    group = (root / "memory" if first else root) / f"layer-by-layer-{os.getpid()}"
    group.mkdir()
    try:
        (group / ("memory.limit_in_bytes" if first else "memory.max")).write_text(str(memory_bytes))
        yield group
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            psutil.Process(int(pid)).kill()
        vm_user.wait_until(lambda: not (group / "cgroup.procs").read_text(), timeout_s=30, what="the group is empty")
        group.rmdir()


@dataclass
class Peak:
    """The most memory that was in use."""

    bytes: int = 0


@contextmanager
def _peak_use(group: Path) -> Iterator[Peak]:
    """The most that the group's processes use meanwhile: their own memory, and files that they have mapped, as the
    guest's is. What the kernel keeps of files besides, it gives back where memory is short."""
    peak, over = Peak(), threading.Event()

    def look() -> None:
        while not over.wait(LOOK_S):
            counted = {name: int(count) for name, count in _lines(group / "memory.stat")}
            first = "total_rss" in counted
            names = ("total_rss", "total_mapped_file") if first else ("anon", "file_mapped")
            peak.bytes = max(peak.bytes, sum(counted[name] for name in names))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield peak
    finally:
        over.set()
        looking.join()


def _lines(file: Path) -> list[list[str]]:
    return [line.split() for line in file.read_text().splitlines()]


def _killed(group: Path) -> bool:
    """Whether the kernel has ended something there for want of memory."""
    for name in ("memory.oom_control", "memory.events"):
        if (group / name).exists():
            counted = dict(_lines(group / name))
            return int(counted.get("oom_kill", 0)) > 0
    raise FileNotFoundError(group)
