"""How long a prediction takes, and how it grows with steps and files. No engine is needed.

Run: `python tests/bench/bench_predict.py`. Prints medians in milliseconds, in all and per step.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from course.cache import BuildInput, Predictor
from course.context import Fingerprinter, open_context
from course.dockerfile import parse

ROUNDS = 15
MANY_FILES = 1_000
"""With more files than that, most of the time goes to digesting the tree once a build, however many steps there are."""
WANTED_STEP_MS, WANTED_CONTEXT_MS = 1.0, 100.0


def main() -> int:
    """Measure and print; 1 when something took longer than wanted."""
    slow = False
    print(f"{'a prediction after an edit':32}{'ms':>9}{'ms a step':>11}   wanted below {WANTED_STEP_MS} a step")
    for steps, files in ((10, 10), (10, 1_000), (10, 10_000), (30, 1_000), (100, 1_000), (300, 1_000)):
        took = prediction_ms(steps, files)
        slow |= files <= MANY_FILES and took / steps >= WANTED_STEP_MS
        print(f"{f'{steps} steps, {files:,} files':32}{took:9.2f}{took / steps:11.3f}")
    took = context_ms(10_000)
    slow |= took >= WANTED_CONTEXT_MS
    print(f"{'10,000 files read after an edit':32}{took:9.2f}{'':11}   wanted below {WANTED_CONTEXT_MS:.0f}")
    return int(slow)


def prediction_ms(steps: int, files: int) -> float:
    """The median time of a prediction after an edit of one file, of a build that was observed."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        fill(root, files)
        lines = [f"COPY src/module000 /m{n}" if n % 3 == 0 else f"RUN make {n}" for n in range(steps - 2)]
        reader = Fingerprinter()
        text = "\n".join(["FROM busybox", *lines, "COPY . /app"]) + "\n"
        predictor = Predictor()
        predictor.observe(build(text, root, reader))
        edits: list[BuildInput] = []
        for number in range(ROUNDS):
            (root / "src/module000/file00000.js").write_text(f"{number}\n")
            edits.append(build(text, root, reader))
        return median_ms([lambda edit=edit: predictor.predict(edit) for edit in edits])


def build(text: str, root: Path, reader: Fingerprinter) -> BuildInput:
    """A build of the folder as it is now."""
    return BuildInput(dockerfile=parse(text), files=reader.read(open_context(root)))


def context_ms(files: int) -> float:
    """The median time to read a context again after one of its files was edited."""
    with tempfile.TemporaryDirectory() as folder:
        root, reader = Path(folder), Fingerprinter()
        fill(root, files)
        reader.read(open_context(root))

        def read() -> object:
            (root / "src/module000/file00000.js").write_text(f"{time.time_ns()}\n")
            return reader.read(open_context(root))

        return median_ms([read] * ROUNDS)


def fill(root: Path, files: int) -> None:
    """So many small files, a hundred in a folder."""
    for index in range(files):
        path = root / f"src/module{index // 100:03}/file{index:05}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"export const number = {index};\n")


def median_ms(calls: list[Callable[[], object]]) -> float:
    """The median of each call's time."""
    times = []
    for call in calls:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


if __name__ == "__main__":
    sys.exit(main())
