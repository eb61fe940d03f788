"""How long builds take through the course and through the docker CLI, on one engine, in turns.

Run: `python tests/bench/bench_builds.py`. Prints medians in seconds and their ratios; the course builds inside this
process, the CLI is a process for each build, as it is for a person.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from docker import DockerClient

sys.path.insert(0, str(Path(__file__).parents[1]))

from docker_cli import Cli, find_cli

from course import engine, images
from course.builds import build
from course.clean import clean_session

FILES = 10_000
ROUNDS = {"small, cached": (25, 0.7), f"{FILES:,} files, cached": (9, 0.9), f"{FILES:,} files, one edit": (5, 1.1)}
"""How often each is built, and the ratio to stay below."""
DOCKERFILE = "FROM busybox:stable\nCOPY . /app\nRUN true\n"


def main() -> None:
    """Build, print, and leave nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    files = parser.parse_args().files
    client, cli = engine.connect(start=False), find_cli()
    images.ensure(client, ("busybox:stable",), consent=True)
    print(f"engine {client.version()['Version']}, CLI {cli.program} {'with buildx' if cli.has_buildx else ''}")
    print(f"{'medians, in turns':28}{'course':>10}{'CLI':>10}{'ratio':>8}{'wanted':>8}")
    try:
        with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
            fill(Path(small), 1)
            fill(Path(large), files)
            for (name, (rounds, wanted)), folder, edits in zip(
                ROUNDS.items(), (small, large, large), (False, False, True), strict=True
            ):
                compare(name, client, cli, Path(folder), rounds=rounds, wanted=wanted, edits=edits)
    finally:
        clean_session(client)


def fill(folder: Path, files: int) -> None:
    """A context of so many small files, a hundred in a folder."""
    (folder / "Dockerfile").write_text(DOCKERFILE)
    for index in range(files):
        path = folder / f"src/module{index // 100:03}/file{index:05}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"export const number = {index};\n" * 8)


def compare(
    name: str, client: DockerClient, cli: Cli, folder: Path, *, rounds: int, wanted: float, edits: bool
) -> None:
    """Build in turns and print one line."""

    def course() -> bool:
        return build(client, folder).ok

    def command() -> bool:
        return cli.build(client, folder, "--label", "layer-by-layer.bench=1") is not None

    times: dict[Callable[[], bool], list[float]] = {course: [], command: []}
    for turn in range(-1, rounds):  # the first turn of each fills the cache and is not counted
        for one in (course, command):
            if edits:
                path = folder / "src/module000/file00000.js"
                path.write_text(f"export const edited = {time.time_ns()};\n")
            began = time.perf_counter()
            assert one(), f"a build failed: {name}"
            if turn >= 0:
                times[one].append(time.perf_counter() - began)
    ours, theirs = (statistics.median(times[one]) for one in (course, command))
    print(f"{name:28}{ours:10.3f}{theirs:10.3f}{ours / theirs:8.2f}{wanted:8.1f}", flush=True)


if __name__ == "__main__":
    main()
