"""A Dockerfile as operations: `operations(build) -> Graph`, what BuildKit's frontend would ask its solver to do.

Enters: a `BuildInput`. Leaves: for each step of each needed stage its operation, and the stage's state after it.
Pure; raises `DockerfileError` for what the frontend refuses.

Follows moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go, versions 0.8 (Docker 20.10) to 0.25 (Docker 28).
What decides a key is easy to get wrong by a hair, so the order of variables, trailing slashes and the like are kept
as BuildKit keeps them; tests compare these operations with the ones that an engine reports.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from course.cache.copying import copy
from course.cache.nouns import DEFAULT_PATH, BuildInput
from course.cache.operations import Files, Mkdir, Operation
from course.cache.running import run
from course.cache.stages import SCRATCH, Plan, PlannedStage, plan, triggers_of
from course.cache.state import Scope, State, base_image, copy_state, from_image, image_operation
from course.cache.words import expander, join_path
from course.dockerfile import DockerfileError, Step

_NOT_IN_ENV: Final = frozenset({"BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"})


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One step and the operation that it becomes; None for what changes no files. `trigger` marks ONBUILD's."""

    number: int
    step: Step
    operation: Operation | None = None
    layer: Operation | None = None
    """The operation whose run is the step's: of `COPY --link` the copy, though the stage goes on from the merge."""
    env: Mapping[str, str] = field(default_factory=dict)
    trigger: bool = False


@dataclass(frozen=True, kw_only=True)
class Graph:
    """All steps of the needed stages in order, and what the build ends with."""

    plan: Plan
    steps: tuple[PlannedStep, ...]
    result: Operation | None


def operations(build: BuildInput) -> Graph:
    """Turn `build` into operations."""
    planned = plan(build)
    states: dict[int, State] = {}
    steps: list[PlannedStep] = []
    for stage in planned.stages:
        if stage.needed:
            states[stage.stage.number] = _Converter(build, planned, states, stage, steps).run()
    return Graph(plan=planned, steps=tuple(steps), result=states[planned.target].root)


class _Converter:
    """One stage on its way to operations."""

    def __init__(
        self, build: BuildInput, planned: Plan, states: dict[int, State], stage: PlannedStage, steps: list[PlannedStep]
    ) -> None:
        self.build, self.plan, self.states, self.stage, self.steps = build, planned, states, stage, steps
        self.state = self._begin()

    def run(self) -> State:
        number = self.stage.stage.number
        first = self.stage.stage.steps[0]
        operation = self.state.root if self.stage.from_image else None
        self.steps.append(PlannedStep(number=number, step=first, operation=operation, layer=operation))
        for trigger in triggers_of(self.plan, self.stage, self.build):
            self._step(trigger, is_trigger=True)
        for step in self.stage.stage.steps[1:]:
            self._step(step)
        return self.state

    def _step(self, step: Step, *, is_trigger: bool = False) -> None:
        if step.heredocs and not self.build.buildkit.has_heredocs:
            raise DockerfileError("this engine's BuildKit knows no here-documents (<<)", line=step.line)
        before = self.state.root
        layer = None
        match step.instruction:
            case "ENV":
                self._env(step)
            case "ARG":
                self._arg(step)
            case "USER":
                self.state.user = self._expand(step.args[0])
            case "SHELL":
                self.state.shell = step.args
            case "WORKDIR":
                layer = self._workdir(step)
            case "COPY" | "ADD":
                layer = copy(step, self._scope())
            case "RUN":
                layer = run(step, self._scope())
        root = self.state.root if self.state.root is not before else None
        env = dict(self.state.env) if layer is not None else {}
        number = self.stage.stage.number
        made = PlannedStep(number=number, step=step, operation=root, layer=layer, env=env, trigger=is_trigger)
        self.steps.append(made)

    def _begin(self) -> State:
        stage = self.stage
        if stage.parent is not None:
            state = copy_state(self.states[stage.parent])
        elif stage.base == SCRATCH:
            state = State(platform=stage.platform)
        else:
            state = from_image(base_image(self.build, stage.base), stage.platform)
        state.forced = self._is_forced()
        if "PATH" not in state.config_env:
            state.config_env["PATH"] = DEFAULT_PATH
        for name, value in state.config_env.items():  # again, after the ARGs of a parent stage
            state.set(name, value)
        return state

    def _is_forced(self) -> bool:
        stage, wanted = self.stage.stage, self.build.no_cache
        if isinstance(wanted, bool):
            return wanted
        named = stage.name != str(stage.number)
        return named and stage.name in {name.lower() for name in wanted}

    def _scope(self) -> Scope:
        return Scope(build=self.build, state=self.state, origin=self._origin)

    def _origin(self, name: str, by_number: bool) -> Operation | None:
        """The last operation of the stage that `--from` names, or the image of that name."""
        number = self.plan.find(name, before=self.stage.stage.number, by_number=by_number)
        if number is not None:
            return self.states[number].root
        return None if name == SCRATCH else image_operation(base_image(self.build, name))

    def _expand(self, word: str) -> str:
        return expander(self.state.env, self.build.dockerfile.escape)(word)

    def _env(self, step: Step) -> None:
        expand = expander(dict(self.state.env), self.build.dockerfile.escape)
        for number in range(0, len(step.args), 3):
            name, value = expand(step.args[number]), expand(step.args[number + 1])
            self.state.set(name, value)
            self.state.config_env[name] = value

    def _arg(self, step: Step) -> None:
        for word in step.args:
            name, equals, default = word.partition("=")
            name = self._expand(name)
            value: str | None = None
            if name in self.build.build_args:
                value = self.build.build_args[name]
            elif equals:
                value = self._expand(default)
            elif name in self.plan.arguments:
                value = self.plan.arguments[name]
            if value is not None and name not in _NOT_IN_ENV:
                self.state.set(name, value)

    def _workdir(self, step: Step) -> Operation | None:
        state, path = self.state, self._expand(step.args[0])
        absolute = path if path.startswith("/") else join_path(state.directory, path)
        state.directory = absolute  # as written: a slash at its end is another directory to RUN
        if absolute == "/":
            return None
        action = Mkdir(path=join_path("/", absolute), owner=state.user)  # never forced: --no-cache leaves WORKDIR alone
        inputs = () if state.root is None else (state.root,)
        state.root = Operation(action=Files(actions=(action,), base=len(inputs) - 1), inputs=inputs)
        return state.root


def reachable(graph: Graph) -> Iterator[Operation]:
    """Every operation that the result needs, each vertex once, inputs first."""
    seen: set[str] = set()

    def visit(operation: Operation) -> Iterator[Operation]:
        if operation.vertex in seen:
            return
        seen.add(operation.vertex)
        for needed in operation.inputs:
            yield from visit(needed)
        yield operation

    if graph.result is not None:
        yield from visit(graph.result)
