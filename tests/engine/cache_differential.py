"""Predictions against a real engine: random builds, counted. `python tests/engine/cache_differential.py --help`.

For every build the prediction is made first, then the build is done and both are compared step by step. The counts
say how many steps agreed, how many the predictor left open, and every disagreement comes with the seed of its world.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from pathlib import Path

from cache_generator import World
from docker import DockerClient

from course import engine, labels
from course.baseimages import with_engine
from course.builds import BuildTrace, build
from course.cache import BuildInput, Prediction, Predictor, Verdict
from course.cache.frontend import operations
from course.context import fingerprints, open_context
from course.dockerfile import parse

EXPECTED = {
    Verdict.HIT: {"REUSED"},
    Verdict.MISS: {"RAN", "FAILED"},
    Verdict.NOT_NEEDED: {"NOT_NEEDED"},
    Verdict.METADATA: {"METADATA"},
    Verdict.DEPENDS: {"REUSED", "RAN", "FAILED"},
}


@dataclass
class Counts:
    builds: int = 0
    failed: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def judged(self) -> int:
        return sum(self.steps[v] for v in ("HIT", "MISS", "DEPENDS"))

    @property
    def share_open(self) -> float:
        """The part of the steps for which the predictor says that it depends."""
        return self.steps["DEPENDS"] / self.judged if self.judged else 0.0

    def __str__(self) -> str:
        return (
            f"{self.builds} builds ({self.failed} failed on purpose), {self.judged} steps judged: "
            f"{self.steps['HIT']} HIT, {self.steps['MISS']} MISS, "
            f"{self.steps['DEPENDS']} DEPENDS ({self.share_open:.1%}); "
            f"{len(self.disagreements)} disagreements; {self.seconds / max(self.builds, 1) * 1000:.1f} ms a prediction"
        )


def run_world(client: DockerClient, seed: int, counts: Counts, *, verbose: bool = False, salt: str = "") -> None:
    """All builds of one world."""
    predictor = Predictor()
    images = []
    kit = with_engine(client, BuildInput(dockerfile=parse("FROM scratch\n"))).buildkit
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        world = World(seed, root, heredocs=kit.has_heredocs, merges=kit.merges, salt=salt)
        for number, told in enumerate(world.builds()):
            text = (root / "Dockerfile").read_text()
            plain = BuildInput(dockerfile=parse(text), files=fingerprints(open_context(root)), **told)
            asked = with_engine(client, plain)
            started = time.perf_counter()
            predictions = predictor.predict(asked)
            counts.seconds += time.perf_counter() - started
            trace = build(client, root, **told)
            counts.builds += 1
            counts.failed += not trace.ok
            if trace.image_id:
                images.append(trace.image_id)
            statuses = [step.status.value for step in trace.steps]
            found = compare(predictions, trace, counts, loose=without_inputs(asked))
            if verbose:
                print(f"--- build {number} {told} {trace.error or ''}")
                for p, s in zip(predictions, statuses, strict=True):
                    print(f"{p.verdict:10} {s:10} {p.step.text!r} {p.reason}")
            if found:
                counts.disagreements.append(f"seed {seed} build {number} {told} {trace.error or ''}: {found}\n{text}")
                break
            if len(statuses) == len(predictions):
                lines = without_inputs(asked)
                kept = zip(predictions, trace.steps, strict=True)
                seen = ["REUSED" if p.step.line in lines and p.verdict == "HIT" else s.status.value for p, s in kept]
                predictor.observe(asked, seen)
    for image in dict.fromkeys(images):
        client.api.remove_image(image, force=True, noprune=False)


def without_inputs(build: BuildInput) -> set[int]:
    """The lines of file operations that stand on nothing: the first ones after FROM scratch.

    BuildKit reports them as run, in no time, when it looked them up and did not need to load them.
    """
    steps = operations(build).steps
    return {s.step.line for s in steps if s.layer and not s.layer.inputs and s.step.instruction != "FROM"}


def compare(
    predictions: tuple[Prediction, ...], trace: BuildTrace, counts: Counts, *, loose: Set[int] = frozenset()
) -> list[str]:
    """What the engine did otherwise than predicted."""
    if len(predictions) != len(trace.steps):
        return [f"{len(predictions)} steps predicted, {len(trace.steps)} built: {trace.error}"]
    found = []
    for prediction, step in zip(predictions, trace.steps, strict=True):
        counts.steps[prediction.verdict.value] += prediction.step.instruction != "FROM"
        unreached = not trace.ok and step.status.value in ("NOT_NEEDED", "REUSED")
        looked_up = step.line in loose and step.status.value == "RAN"
        if step.status.value not in EXPECTED[prediction.verdict] and not unreached and not looked_up:
            found.append(f"line {step.line} {step.text!r}: {prediction.verdict} but {step.status.value}")
    return found


def prepare(client: DockerClient) -> None:
    """The image with a config of its own that some worlds begin from; always the same layers."""
    with tempfile.TemporaryDirectory() as folder:
        lines = 'FROM busybox:stable\nENV A=base B=2\nWORKDIR /base\nSHELL ["/bin/sh", "-xc"]\n'
        (Path(folder) / "Dockerfile").write_text(lines + "ONBUILD ENV FROMBASE=1\n")
        trace = build(client, folder, tag="layer-by-layer-test/base:1", labels=labels.labels())
        assert trace.ok, trace.error


def run(
    client: DockerClient,
    *,
    builds: int,
    seed: int,
    verbose: bool = False,
    stop: bool = False,
    salt: str = "",
    on_world: Callable[[Counts], None] | None = None,
) -> Counts:
    """Worlds from `seed` on until there were that many builds."""
    prepare(client)
    counts = Counts()
    while counts.builds < builds:
        before = len(counts.disagreements)
        run_world(client, seed, counts, verbose=verbose, salt=salt)
        seed += 1
        for disagreement in counts.disagreements[before:]:
            print(disagreement, flush=True)
        if on_world:
            on_world(counts)
        if stop and counts.disagreements:
            break
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--builds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--stop", action="store_true", help="at the first disagreement")
    parser.add_argument("--salt", default="", help="to do seeds again on an engine that knows them")
    parser.add_argument("--progress", action="store_true", help="counts after each world")
    arguments = parser.parse_args()

    def show(counts: Counts) -> None:
        print(counts, file=sys.stderr, flush=True)

    counts = run(
        engine.connect(start=False),
        builds=arguments.builds,
        seed=arguments.seed,
        verbose=arguments.verbose,
        stop=arguments.stop,
        salt=arguments.salt,
        on_world=show if sys.stderr.isatty() or arguments.progress else None,
    )
    print(f"seed {arguments.seed}: {counts}")
    return 1 if counts.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
