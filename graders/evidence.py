"""What a submission for the `order` assignment DOES: it is replayed on an engine, edited and rebuilt.

Enters: docker-py's client, the assignment and the student's artifacts. Leaves: `OrderEvidence`, plain data.
Builds images and runs containers, and removes them again; may import `course` and its neighbours.

A step is known by its effect, never by its text: the file is built up to one line after another (all of it reused, so
it is quick), and each of these images is asked whether the dependencies load and the client is there.
"""

import json
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from docker import DockerClient
from docker.errors import APIError, NotFound

from course.assignments import Assignment, copy_app
from course.builds import BuildTrace, build, read_dockerfile
from course.builds.join import needed_stages
from course.builds.model import BuildError, Status
from course.dockerfile import Dockerfile, Stage
from course.images import registry_reachable
from graders.probe import ask_api, look_inside
from graders.submission import Artifacts

SOURCE: Final = "src/index.js"
SCHEMA: Final = "prisma/schema.prisma"
PACKAGE: Final = "is-number"
"""A package without dependencies of its own, which the app does not use until the replay adds it."""
PACKAGE_VERSION: Final = "7.0.0"
MODEL: Final = "GraderNote"
PLANTED: Final = ("node_modules/planted-by-the-grader/package.json", ".env")
BUILD_TIMEOUT_S: Final = 300
START_TIMEOUT_S: Final = 20
FULL_DISK: Final = "no space left on device"


@dataclass(frozen=True, kw_only=True)
class StepRef:
    """A step of the student's Dockerfile: its stage, its place in it, and its line for people."""

    stage: str
    index: int
    line: int


@dataclass(frozen=True, kw_only=True)
class OrderEvidence:
    """What happened. `problem` is the student's own: a file that is missing, or a build that fails.

    The traces are None when the first build failed. `installs` and `generates` are the RUN steps after which the
    dependencies load, and the client is there. `answer` is what the API said after the edit of the source.
    """

    problem: str | None = None
    cold: BuildTrace | None = None
    source_edited: BuildTrace | None = None
    package_edited: BuildTrace | None = None
    schema_edited: BuildTrace | None = None
    installs: tuple[StepRef, ...] = ()
    generates: tuple[StepRef, ...] = ()
    answer: str | None = None
    log: str = ""
    edit: str = ""
    packages: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    planted: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The evidence, and for each part of it that could not be had through no fault of the student's, why."""

    evidence: OrderEvidence
    missing: Mapping[str, str] = field(default_factory=dict)


def gather(client: DockerClient, assignment: Assignment, artifacts: Artifacts) -> Gathered:
    """Replay the artifacts; raises `CourseError` when the engine itself fails."""
    if "Dockerfile" not in artifacts.files:
        return Gathered(evidence=OrderEvidence(problem=artifacts.problems["Dockerfile"]))
    with tempfile.TemporaryDirectory(prefix="layer-by-layer-") as folder:
        root = Path(folder) / "api"
        copy_app(assignment, root)
        artifacts.write(root)
        _plant(root)
        replay = _Replay(client, root)
        try:
            return replay.run()
        finally:
            replay.remove_images()


class _Replay:
    """One replay: the edits that it made and the images that came of them."""

    def __init__(self, client: DockerClient, root: Path) -> None:
        self.client = client
        self.root = root
        self.images: list[str] = []

    def run(self) -> Gathered:
        dockerfile = read_dockerfile(self.root.resolve(), "Dockerfile")
        cold = self.build(no_cache=True)
        if cold.error or isinstance(dockerfile, BuildError):
            reason = self.why_not_theirs(cold)
            if reason:
                return Gathered(evidence=OrderEvidence(), missing=dict.fromkeys(("cold", "edits"), reason))
            return Gathered(evidence=OrderEvidence(problem=f"the build fails: {cold.error}", cold=cold))
        installs, generates = self.find_steps(dockerfile)
        edit = uuid.uuid4().hex  # in every edit: the engine may know what an earlier replay built
        source = self.edited(SOURCE, lambda text: text.replace('status: "ok"', f'status: "ok", edit: "{edit}"'))
        answer, log = self.ask(source)
        seen = self.look(source)
        package = self.edited(
            "package.json", lambda text: _add_package(text, edit), also={"package-lock.json": _lock_package}
        )
        schema = self.edited(SCHEMA, lambda text: f"{text}\n// {edit}\nmodel {MODEL} {{\n  id Int @id\n}}\n")
        missing = {}
        if package.error and (reason := self.why_not_theirs(package)):
            missing["edits"] = reason
        evidence = OrderEvidence(
            cold=cold,
            source_edited=source,
            package_edited=package,
            schema_edited=schema,
            installs=installs,
            generates=generates,
            answer=answer,
            log=log,
            edit=edit,
            packages=tuple(self.look(package)["packages"]),
            models=tuple(self.look(schema)["models"]),
            planted=tuple(seen["planted"]),
        )
        return Gathered(evidence=evidence, missing=missing)

    def build(self, *, no_cache: bool = False, folder: Path | None = None) -> BuildTrace:
        trace = build(self.client, folder or self.root, no_cache=no_cache, timeout_s=BUILD_TIMEOUT_S)
        if trace.image_id:
            self.images.append(trace.image_id)
        return trace

    def edited(
        self, path: str, change: Callable[[str], str], *, also: Mapping[str, Callable[[str], str]] | None = None
    ) -> BuildTrace:
        """Build with these files changed, and put them back."""
        changes = {path: change, **(also or {})}
        before = {name: (self.root / name).read_text(encoding="utf-8") for name in changes}
        try:
            for name, one in changes.items():
                (self.root / name).write_text(one(before[name]), encoding="utf-8")
            return self.build()
        finally:
            for name, text in before.items():
                (self.root / name).write_text(text, encoding="utf-8")

    def find_steps(self, dockerfile: Dockerfile) -> tuple[tuple[StepRef, ...], tuple[StepRef, ...]]:
        """The RUN steps of all needed stages after which the dependencies load, and after which the client is there."""
        installs: list[StepRef] = []
        generates: list[StepRef] = []
        for number in sorted(needed_stages(dockerfile, None)):
            stage = dockerfile.stages[number]
            seen: dict[int, dict[str, Any]] = {}

            def state(index: int, stage: Stage = stage, seen: dict[int, dict[str, Any]] = seen) -> dict[str, Any]:
                if index not in seen:
                    seen[index] = self.look(self.build_up_to(dockerfile, stage, index))
                return seen[index]

            installs += _first(stage, lambda index: bool(state(index)["installed"]))
            generates += _first(stage, lambda index: bool(state(index)["models"]))
        return tuple(installs), tuple(generates)

    def build_up_to(self, dockerfile: Dockerfile, stage: Stage, index: int) -> BuildTrace:
        """Build the file as if it ended with this step."""
        lines = dockerfile.text.splitlines()[: stage.steps[index].end_line]
        original = self.root / "Dockerfile"
        try:
            original.write_text("\n".join(lines) + "\n", encoding="utf-8")
            return self.build()
        finally:
            original.write_text(dockerfile.text, encoding="utf-8")

    def look(self, trace: BuildTrace) -> dict[str, Any]:
        if trace.image_id is None:
            return {"installed": False, "models": [], "packages": [], "planted": []}
        return look_inside(self.client, trace.image_id, wanted=[PACKAGE], planted=list(PLANTED))

    def ask(self, trace: BuildTrace) -> tuple[str | None, str]:
        if trace.image_id is None:
            return None, f"after an edit of {SOURCE} the build fails: {trace.error}"
        return ask_api(self.client, trace.image_id, "/health", timeout_s=START_TIMEOUT_S)

    def why_not_theirs(self, trace: BuildTrace) -> str | None:
        """Why a failed build says nothing about the student: no registry for a base image, no packages, a full disk."""
        message = trace.error.message if trace.error else ""
        failed = next((step for step in trace.steps if step.status is Status.FAILED), None)
        if FULL_DISK in message or (failed and FULL_DISK in failed.log):
            return "the engine's disk is full"
        if failed and failed.instruction == "FROM" and not registry_reachable(self.client).reachable:
            return f"the base image of line {failed.line} is not at hand, and no registry can be reached"
        if failed and failed.instruction == "RUN" and not self.packages_reachable():
            return "no packages can be fetched here: npm's registry does not answer"
        return None

    def packages_reachable(self) -> bool:
        """Whether a build on this engine can fetch from npm's registry."""
        with tempfile.TemporaryDirectory(prefix="layer-by-layer-") as folder:
            (Path(folder) / "Dockerfile").write_text(f"FROM node:24-slim\nRUN npm view {PACKAGE} version\n")
            return self.build(no_cache=True, folder=Path(folder)).ok

    def remove_images(self) -> None:
        for image in dict.fromkeys(reversed(self.images)):
            try:
                self.client.images.remove(image, force=True)
            except NotFound:
                continue
            except APIError as error:
                if error.status_code != 409:  # an image that another one stands on goes with that one
                    raise


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
    data["dependencies"][PACKAGE] = PACKAGE_VERSION
    return json.dumps(data, indent=2) + "\n"


def _lock_package(text: str) -> str:
    data = json.loads(text)
    data["packages"][""]["dependencies"][PACKAGE] = PACKAGE_VERSION
    data["packages"][f"node_modules/{PACKAGE}"] = {"version": PACKAGE_VERSION, "license": "MIT"}
    return json.dumps(data, indent=2) + "\n"
