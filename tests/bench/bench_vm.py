"""How fast the VM engine is, on clones of this user's guest: `course engine build-vm --images busybox:stable` first.

Run: `python tests/bench/bench_vm.py`, on a machine that does nothing else. Prints the least, the median and the most
seconds. The first container after a restore is apart, and has no goal: the emulator has translated nothing yet, which
takes it as long as the container itself.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from course.builds import build
from course.engine.vm.clones import Clone

IMAGE = "busybox:stable"
DOCKERFILE = f"""\
FROM {IMAGE}
WORKDIR /app
COPY package.txt .
RUN cat package.txt > installed
COPY . .
RUN cat *.txt > all
"""
ROUNDS = 5
WANTED_S: dict[str, float | None] = {
    "restore to the first answer": 1.0,
    "its first container": None,
    "run busybox true": 2.0,
    "build of six steps": 6.0,
    "the same after an edit": 2.5,
    "the same again": 0.4,
}


def main() -> int:
    """Measure and print; 1 when a median is above what is wanted."""
    seconds: dict[str, list[float]] = {what: [] for what in WANTED_S}
    memory_mb = 0
    for _ in range(ROUNDS):
        began = time.monotonic()
        with Clone() as clone, tempfile.TemporaryDirectory() as folder:
            clone.client.ping()
            seconds["restore to the first answer"].append(time.monotonic() - began)
            for what, one in measured(clone, Path(folder)):
                seconds[what].append(timed(one))
            memory_mb = max(memory_mb, clone_memory_mb())
    slow = False
    print(f"{'seconds':32}{'least':>8}{'median':>8}{'most':>8}{'wanted':>8}")
    for what, wanted in WANTED_S.items():
        took = seconds[what]
        slow |= wanted is not None and statistics.median(took) > wanted
        print(f"{what:32}{min(took):8.2f}{statistics.median(took):8.2f}{max(took):8.2f}{wanted or '':>8}")
    print(f"{memory_mb} MB of memory at the end of these")
    return int(slow)


def measured(clone: Clone, folder: Path) -> list[tuple[str, Callable[[], object]]]:
    """What is timed on a fresh clone, in this order."""
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "package.txt").write_text("packages\n")
    source = folder / "source.txt"

    def edited() -> None:
        source.write_text("another\n")
        build(clone.client, folder)

    source.write_text("one\n")

    def run() -> None:
        clone.client.containers.run(IMAGE, "true", remove=True)

    return [
        ("its first container", run),
        ("run busybox true", run),
        ("build of six steps", lambda: build(clone.client, folder)),
        ("the same after an edit", edited),
        ("the same again", lambda: build(clone.client, folder)),
    ]


def timed(one: Callable[[], object]) -> float:
    """Its seconds."""
    began = time.monotonic()
    one()
    return time.monotonic() - began


def clone_memory_mb() -> int:
    """What the machine that this process has started takes now."""
    machines = [one for one in psutil.Process().children(recursive=True) if "layer-by-layer" in one.cmdline()]
    return max(one.memory_full_info().uss for one in machines) >> 20


if __name__ == "__main__":
    sys.exit(main())
