"""What a submission for the `order` assignment does: it is built, edited and built again, and looked into.

Enters: a `ReplayEngine`, the assignment and the student's artifacts. Leaves: `OrderEvidence`, plain data, part by part.

A step is known by its effect, never by its text: the file is built up to one line after another (all of it reused, so
it is quick), and each of these images is asked whether the dependencies load and the client is there.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from course.assignments import Assignment
from course.builds import BuildTrace, read_dockerfile
from course.builds.join import needed_stages
from course.builds.model import BuildError, Status
from course.context import open_context
from course.dockerfile import Dockerfile, Stage
from course.images import step_sizes
from graders.evidence.probe import NOTHING, ask_api, look_inside
from graders.evidence.replay import Replay, open_replay
from graders.rubric import Gathered
from graders.sandbox import ReplayEngine
from graders.submission import Artifacts

SOURCE: Final = "src/index.js"
SCHEMA: Final = "prisma/schema.prisma"
PACKAGE: Final = "is-number"
"""A package without dependencies of its own, which the app does not use until the replay adds it."""
LOCKED: Final = "6.0.0"
"""The version that the lock file names; package.json alone would get the next."""
MODEL: Final = "GraderNote"
PLANTED: Final = ("node_modules/planted-by-the-grader/package.json", ".env")
START_TIMEOUT_S: Final = 20
MUCH_BYTES: Final = 20_000_000
"""The dependencies take some 300 MB, the generated client far less than one."""


@dataclass(frozen=True, kw_only=True)
class StepRef:
    """A step of the student's Dockerfile: its stage, its place in it, and its line for people."""

    stage: str
    index: int
    line: int


@dataclass(frozen=True, kw_only=True)
class OrderEvidence:
    """What happened. `installs` and `generates` are the RUN steps after which the dependencies load, and the client is
    there. `rewritten` are the lines of RUN steps that wrote as much as an installation does after the edit of a source.
    `answer` is what the API said then, else `log` has the last that it printed. `added` is the version of the package
    that was added to package.json, `by_npm` whether npm installed it, and not a manager that has another lock file.
    """

    planted: tuple[str, ...] = ()
    cold: BuildTrace | None = None
    source_edited: BuildTrace | None = None
    rewritten: tuple[int, ...] = ()
    readme_edited: BuildTrace | None = None
    installs: tuple[StepRef, ...] = ()
    generates: tuple[StepRef, ...] = ()
    answer: str | None = None
    log: str = ""
    edit: str = ""
    added: str | None = None
    by_npm: bool = False
    models: tuple[str, ...] = ()
    schema_edited: BuildTrace | None = None


BUILT: Final = (
    *("cold", "source_edited", "rewritten", "readme_edited", "answer", "log", "edit"),
    *("installs", "generates", "added", "by_npm", "models", "schema_edited"),
)
"""The parts that need a build."""


def gather(engine: ReplayEngine, assignment: Assignment, artifacts: Artifacts) -> Iterator[Gathered[OrderEvidence]]:
    """Replay the artifacts; raises `CourseError` when the engine itself fails."""
    gathered = Gathered(evidence=OrderEvidence())
    if "Dockerfile" not in artifacts.files:
        yield gathered.fail(artifacts.problems["Dockerfile"], "planted", *BUILT)
        return
    with open_replay(engine, assignment, artifacts) as replay:
        _plant(replay.root)
        sent = {file.path for file in open_context(replay.root).files}
        if not sent.intersection(PLANTED):
            gathered = gathered.have(planted=())
            yield gathered
        yield from _build(replay, gathered)


def _build(replay: Replay, gathered: Gathered[OrderEvidence]) -> Iterator[Gathered[OrderEvidence]]:
    dockerfile = read_dockerfile(replay.root, "Dockerfile")
    cold, excuse = replay.judged(lambda: replay.build(no_cache=True))
    if cold.error or isinstance(dockerfile, BuildError):
        lost = [part for part in ("planted", *BUILT) if part not in gathered.ready]
        reason = f"the build fails: {cold.error}"
        yield gathered.lack(excuse, *lost) if excuse else gathered.fail(reason, *lost)
        return
    edit = uuid.uuid4().hex  # in every edit: the engine may know what an earlier replay built
    source = replay.edited(SOURCE, lambda text: text.replace('status: "ok"', f'status: "ok", edit: "{edit}"'))
    answer, log = _ask(replay, source)
    rewritten = _rewritten(replay, source)
    readme = replay.edited("README.md", lambda text: f"{text}\n<!-- {edit} -->\n")
    gathered = gathered.have(cold=cold, source_edited=source, rewritten=rewritten, readme_edited=readme)
    gathered = gathered.have(answer=answer, log=log, edit=edit)
    if "planted" not in gathered.ready:
        gathered = gathered.have(planted=tuple(_look(replay, source)["planted"]))
    yield gathered
    installs, generates = _find_steps(replay, dockerfile)
    gathered = gathered.have(installs=installs, generates=generates)
    yield gathered
    schema = replay.edited(SCHEMA, lambda text: f"{text}\n// {edit}\nmodel {MODEL} {{\n  id Int @id\n}}\n")
    gathered = gathered.have(schema_edited=schema)
    if schema.error:
        gathered = gathered.fail(f"after an edit of {SCHEMA} the build fails: {schema.error}", "models")
    else:
        gathered = gathered.have(models=tuple(_look(replay, schema)["models"]))
    yield gathered
    package, excuse = replay.judged(
        lambda: replay.edited(
            "package.json", lambda text: _add_package(text, edit), also={"package-lock.json": _lock_package}
        )
    )
    if package.error:
        reason = f"after an edit of package.json the build fails: {package.error}"
        yield gathered.lack(excuse, "added", "by_npm") if excuse else gathered.fail(reason, "added", "by_npm")
    else:
        seen = _look(replay, package)
        yield gathered.have(added=seen["packages"].get(PACKAGE), by_npm=seen["npm"])


def _rewritten(replay: Replay, trace: BuildTrace) -> tuple[int, ...]:
    """The lines of the RUN steps that ran in this build and wrote a lot; of the last stage, which is what is kept."""
    sizes = step_sizes(replay.engine.client, trace)
    ran = [step for step in trace.steps if step.instruction == "RUN" and step.status is Status.RAN]
    return tuple(step.line for step in ran if sizes.get(f"{step.stage}/{step.index}", 0) >= MUCH_BYTES)


def _look(replay: Replay, trace: BuildTrace) -> dict[str, Any]:
    if trace.image_id is None:
        return dict(NOTHING)
    return look_inside(replay.engine.client, trace.image_id, wanted=[PACKAGE], planted=list(PLANTED))


def _ask(replay: Replay, trace: BuildTrace) -> tuple[str | None, str]:
    if trace.image_id is None:
        return None, f"after an edit of {SOURCE} the build fails: {trace.error}"
    return ask_api(replay.engine.client, trace.image_id, "/health", timeout_s=START_TIMEOUT_S)


def _find_steps(replay: Replay, dockerfile: Dockerfile) -> tuple[tuple[StepRef, ...], tuple[StepRef, ...]]:
    """The RUN steps of all needed stages after which the dependencies load, and after which the client is there."""
    installs: list[StepRef] = []
    generates: list[StepRef] = []
    for number in sorted(needed_stages(dockerfile, None)):
        stage = dockerfile.stages[number]
        seen: dict[int, dict[str, Any]] = {}

        def state(index: int, stage: Stage = stage, seen: dict[int, dict[str, Any]] = seen) -> dict[str, Any]:
            if index not in seen:
                seen[index] = _look(replay, replay.up_to(dockerfile, stage, index))
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


def _plant(root: Path) -> None:
    """What lies about in a real project's folder, and belongs in no image."""
    for name in PLANTED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}" if name.endswith(".json") else "SECRET=1\n", encoding="utf-8")


def _add_package(text: str, edit: str) -> str:
    data = json.loads(text)
    data["description"] = edit
    data["dependencies"][PACKAGE] = f">={LOCKED}"
    return json.dumps(data, indent=2) + "\n"


def _lock_package(text: str) -> str:
    data = json.loads(text)
    data["packages"][""]["dependencies"][PACKAGE] = f">={LOCKED}"
    data["packages"][f"node_modules/{PACKAGE}"] = {"version": LOCKED, "license": "MIT"}
    return json.dumps(data, indent=2) + "\n"
