"""The predictor: `Predictor().observe(build)`, then `.predict(build) -> tuple[Prediction, ...]`.

Enters: builds, as plain data. Leaves: for every instruction of every stage, whether BuildKit will reuse or run it,
and why. Pure: no engine, no files; `predict` changes nothing.

A predictor knows an engine's cache by the builds that it has observed, and no more. For a step that none of them ran
it says MISS with the cause `new`: a build it has not seen may have run it. When the engine is known to have dropped
cache, `doubt` turns what would be a HIT into DEPENDS, for each result until it is observed again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from course.cache.frontend import Graph, PlannedStep, operations
from course.cache.history import History, note_of
from course.cache.nouns import BuildInput, Prediction, StepRef, Verdict
from course.cache.operations import Operation
from course.cache.reasons import Reasoner
from course.cache.solver import Answer, Solver, settle
from course.cache.stages import PlannedStage
from course.cache.store import Store
from course.cache.tree import Tree, tree_of

FINISHED = {"REUSED": Verdict.HIT, "RAN": Verdict.MISS}


@dataclass(frozen=True, kw_only=True)
class Surprise:
    """A step that did not do what the cache should have: its cache was dropped, or another build had run it."""

    step: StepRef
    predicted: Verdict
    observed: str

    def __str__(self) -> str:
        if self.observed == "RAN":
            return f"line {self.step.line} ran, though its result was kept: the engine has dropped cache since"
        return f"line {self.step.line} was reused, though no observed build had run it: another build had"


class Predictor:
    """What is known of one engine's cache."""

    def __init__(self) -> None:
        self._store = Store()
        self._history = History()
        self._origins: dict[str, str] = {}
        self._doubted: set[str] = set()

    def predict(self, build: BuildInput, *, edit_of: BuildInput | None = None) -> tuple[Prediction, ...]:
        """What a build would do now. Raises `DockerfileError` for what BuildKit would refuse.

        The reasons compare it with `edit_of`, without that with the observed build that is most like it.
        """
        graph = operations(build)
        solver = Solver(self._store, _context(build), build.buildkit)
        solver.judge(graph)
        history = self._history if edit_of is None else History((note_of(edit_of, operations(edit_of)),))
        return Reasoner(build, graph, solver, history, is_doubted=self._is_doubted).predictions()

    def observe(
        self, build: BuildInput, statuses: Sequence[str] | None = None, *, origin: str = ""
    ) -> tuple[Surprise, ...]:
        """Take in a build that was done. `statuses` are those of its trace, one for every instruction of every stage;
        without them the build is taken to have gone as predicted, to the end. `origin` says who did it, for `doubt`.
        """
        graph = operations(build)
        expected = Solver(self._store, _context(build), build.buildkit).judge(graph)
        outcome = _outcomes(graph, build, statuses) if statuses is not None else {}
        if statuses is not None and "FAILED" in statuses:
            outcome = _believable(outcome, expected)
        finished = {vertex: FINISHED[status] for vertex, status in outcome.items() if status in FINISHED}
        solver = Solver(self._store, _context(build), build.buildkit, lambda o: finished.get(o.vertex))
        solver.judge(graph)
        kept = settle(solver, self._store, unfinished=outcome.keys() - finished.keys())
        self._history.add(note_of(build, graph))
        for vertex, verdict in finished.items():
            if key := kept.get(vertex):
                self._doubted.discard(key)
                self._origins[key] = self._origins.get(key, origin) if verdict is Verdict.HIT else origin
        return tuple(
            Surprise(step=_ref(graph, step), predicted=answer.verdict, observed=outcome[step.layer.vertex])
            for step in graph.steps
            if step.layer is not None and step.step.instruction != "FROM" and step.layer.vertex in finished
            for answer in (expected[step.layer.vertex],)
            if answer.verdict in (Verdict.HIT, Verdict.MISS) and answer.verdict is not finished[step.layer.vertex]
        )

    def doubt(self, origins: Collection[str]) -> None:
        """Trust no result that builds of these origins left: the engine has dropped cache of theirs."""
        self._doubted |= {key for key, origin in self._origins.items() if origin in origins}

    def _is_doubted(self, answer: Answer) -> bool:
        return bool(answer.keys) and self._doubted.issuperset(answer.keys)

    def to_json(self) -> dict[str, Any]:
        """Plain data, to be kept per engine between runs of the course."""
        return {
            "store": self._store.to_json(),
            "history": self._history.to_json(),
            "origins": self._origins,
            "doubted": sorted(self._doubted),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Predictor":
        """The inverse of `to_json`."""
        predictor = cls()
        predictor._store = Store.from_json(data["store"])
        predictor._history = History.from_json(data["history"])
        predictor._origins = dict(data["origins"])
        predictor._doubted = set(data["doubted"])
        return predictor


def _context(build: BuildInput) -> Tree:
    return tree_of(build.files, buildkit=build.buildkit)


def _ref(graph: Graph, planned: PlannedStep) -> StepRef:
    return ref(graph.plan.stages[planned.number], planned)


def _outcomes(graph: Graph, build: BuildInput, statuses: Sequence[str]) -> dict[str, str]:
    """The status of each vertex that stands for a step. A step that failed or was not reached is no result."""
    places = {}
    number = 0
    for stage in build.dockerfile.stages:
        for step in stage.steps:
            places[stage.number, step.index] = number
            number += 1
    found: dict[str, str] = {}
    for planned in graph.steps:
        layer: Operation | None = planned.layer
        if layer is None or planned.trigger or planned.step.instruction == "FROM":
            continue
        status = statuses[places[planned.number, planned.step.index]]
        if found.get(layer.vertex) != "RAN":
            found[layer.vertex] = status
    return found


def _believable(outcome: Mapping[str, str], expected: Mapping[str, Answer]) -> dict[str, str]:
    """The outcome of a failed build: where a copy's source is missing, steps that were never reached are called cached.

    Its progress marks inputs as cached when what needs them starts, and a failure to digest files counts as a start
    (moby/buildkit solver/jobs.go CalcSlowCache, solver/progress.go vertexStream).
    """
    return {
        vertex: "NOT_NEEDED" if status == "REUSED" and expected[vertex].verdict is not Verdict.HIT else status
        for vertex, status in outcome.items()
    }


def ref(stage: PlannedStage, planned: PlannedStep) -> StepRef:
    """Where a planned step stands."""
    step = planned.step
    return StepRef(
        stage=stage.stage.name, index=step.index, line=step.line, instruction=step.instruction, text=step.text
    )
