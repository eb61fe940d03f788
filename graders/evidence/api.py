"""The course's API in a student's image: which steps install and generate, by their effect, and what else is in it.

Enters: a `Replay` of a submission with that app. Leaves: plain data. Builds and runs on the replay engine.

A step is known by its effect, never by its text: the file is built up to one line after another (all of it reused, so
it is quick), and each of these images is asked whether the dependencies load and the client is there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from course.builds import BuildTrace
from course.builds.join import needed_stages
from course.builds.model import Status
from course.context import open_context
from course.dockerfile import Dockerfile, Stage
from course.images import step_sizes
from graders.evidence.probe import LOOK_TIMEOUT_S, NOTHING, look_inside
from graders.evidence.replay import Replay

SOURCE: Final = "src/index.js"
PACKAGE: Final = "is-number"
"""A package without dependencies of its own, which the app does not use until the replay adds it."""
PLANTED: Final = ("node_modules/planted-by-the-grader/package.json", ".env")
MUCH_BYTES: Final = 20_000_000
"""The dependencies take some 300 MB, the generated client far less than one."""


@dataclass(frozen=True, kw_only=True)
class StepRef:
    """A step of the student's Dockerfile: its stage, its place in it, and its line for people."""

    stage: str
    index: int
    line: int


def plant(root: Path) -> None:
    """What lies about in a real project's folder, and belongs in no image."""
    for name in PLANTED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}" if name.endswith(".json") else "SECRET=1\n", encoding="utf-8")


def sent(root: Path) -> set[str]:
    """What is planted and would be sent to the engine."""
    return {file.path for file in open_context(root).files}.intersection(PLANTED)


def edit_source(text: str, edit: str) -> str:
    """The source with a value in the answer of GET /health."""
    return text.replace('status: "ok"', f'status: "ok", edit: "{edit}"')


def look(replay: Replay, trace: BuildTrace) -> dict[str, Any]:
    """What is in the image of a build, as `probe.LOOK` has it."""
    if trace.image_id is None:
        return dict(NOTHING)
    engine = replay.engine
    timeout_s = LOOK_TIMEOUT_S * engine.pace
    return look_inside(engine.client, trace.image_id, wanted=[PACKAGE], planted=list(PLANTED), timeout_s=timeout_s)


def rewritten(replay: Replay, trace: BuildTrace) -> tuple[int, ...]:
    """The lines of the RUN steps that ran in this build and wrote a lot; of the last stage, which is what is kept."""
    sizes = step_sizes(replay.engine.client, trace)
    ran = [step for step in trace.steps if step.instruction == "RUN" and step.status is Status.RAN]
    return tuple(step.line for step in ran if sizes.get(f"{step.stage}/{step.index}", 0) >= MUCH_BYTES)


def find_steps(replay: Replay, dockerfile: Dockerfile) -> tuple[tuple[StepRef, ...], tuple[StepRef, ...]]:
    """The RUN steps of all needed stages after which the dependencies load, and after which the client is there."""
    installs: list[StepRef] = []
    generates: list[StepRef] = []
    for number in sorted(needed_stages(dockerfile, None)):
        stage = dockerfile.stages[number]
        seen: dict[int, dict[str, Any]] = {}

        def state(index: int, stage: Stage = stage, seen: dict[int, dict[str, Any]] = seen) -> dict[str, Any]:
            if index not in seen:
                seen[index] = look(replay, replay.up_to(dockerfile, stage, index))
            return seen[index]

        installs += _first(stage, lambda index: bool(state(index)["installed"]))
        generates += _first(stage, lambda index: bool(state(index)["models"]))
    return tuple(installs), tuple(generates)


def _first(stage: Stage, holds: Callable[[int], bool]) -> list[StepRef]:
    """The RUN step of a stage after which something holds that did not hold before it, by bisection."""
    last = len(stage.steps) - 1
    if not holds(last):
        return []
    low, high = -1, last
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle
    step = stage.steps[high]
    return [StepRef(stage=stage.name, index=high, line=step.line)] if step.instruction == "RUN" else []
