"""Why: for each step one sentence for people and, for a miss, one cause for programs.

Enters: a build, its graph, the solver's answers and the history. Leaves: `Prediction`s. Pure.

The cause of a miss is the first in its chain: a step that stands on one that runs says so; of the first one, what is
different from the build before is looked up in this order: forced, the image, the line, a variable, what it stands
on, a file.
"""

from collections.abc import Callable, Iterator

from course.cache.differences import (
    changed_files,
    changed_image,
    changed_predecessor,
    changed_surroundings,
    changed_variable,
    line_cause,
    sentence_of_file,
    short,
)
from course.cache.frontend import Graph, PlannedStep
from course.cache.history import History, StepNote, context_selectors, counterpart, note_of
from course.cache.nouns import BuildInput, Cause, Prediction, StepRef, Verdict
from course.cache.operations import Exec, Operation, Source
from course.cache.solver import REMOTE, Answer, Solver
from course.cache.stages import PlannedStage
from course.cache.state import CONTEXT

NEW = "No observed build ran this step; if another build did, its result is reused."
DROPPED = "It was kept when last seen, but the engine has dropped cache since."


class Reasoner:
    """The predictions for one build."""

    def __init__(
        self,
        build: BuildInput,
        graph: Graph,
        solver: Solver,
        history: History,
        *,
        is_doubted: Callable[[Answer], bool],
    ) -> None:
        self._graph, self._solver, self._is_doubted = graph, solver, is_doubted
        self._now = note_of(build, graph)
        self._before = history.like(self._now)
        self._made = {(p.number, p.step.index): p for p in graph.steps if not p.trigger}
        self._lines = {p.layer.vertex: p.step.line for p in reversed(graph.steps) if p.layer is not None}
        self._changed = changed_files(self._before.tree, self._now.tree) if self._before else ()
        self._readers = [(p, context_selectors(p)) for p in graph.steps]

    def predictions(self) -> tuple[Prediction, ...]:
        """One prediction for every instruction of every stage, in the file's order."""
        return tuple(
            self._prediction(stage, StepRef(
                stage=stage.stage.name, index=s.index, line=s.line, instruction=s.instruction, text=s.text
            ))
            for stage in self._graph.plan.stages
            for s in stage.stage.steps
        )  # fmt: skip

    def _prediction(self, stage: PlannedStage, step: StepRef) -> Prediction:
        if not stage.needed:
            return Prediction(step=step, verdict=Verdict.NOT_NEEDED, reason="No needed stage uses this one.")
        planned = self._made[stage.stage.number, step.index]
        if step.instruction == "FROM":
            return self._of_from(stage, step)
        if planned.layer is None:
            return Prediction(step=step, verdict=Verdict.METADATA, reason=_metadata(step))
        answer = self._solver.answers[planned.layer.vertex]
        if answer.verdict is Verdict.HIT and self._is_doubted(answer):
            return Prediction(step=step, verdict=Verdict.DEPENDS, reason=DROPPED, cause=Cause(kind="new"))
        if answer.verdict is Verdict.HIT:
            return Prediction(step=step, verdict=Verdict.HIT, reason=self._of_hit(planned))
        if answer.verdict is Verdict.DEPENDS:
            reason, cause = self._of_depends(planned, answer)
        else:
            reason, cause = self._of_miss(planned, answer)
        return Prediction(step=step, verdict=answer.verdict, reason=reason, cause=cause)

    def _of_from(self, stage: PlannedStage, step: StepRef) -> Prediction:
        if not stage.from_image:
            what = "nothing" if stage.parent is None else f"stage {self._graph.plan.stages[stage.parent].stage.name!r}"
            return Prediction(step=step, verdict=Verdict.METADATA, reason=f"The stage begins from {what}.")
        return Prediction(step=step, verdict=Verdict.HIT, reason="The image is used as it is.")

    def _of_hit(self, planned: PlannedStep) -> str:
        """Where files changed, why that does not matter here."""
        for path, _, _ in self._changed:
            reader = self._first_reader(path)
            if reader is None:
                return f"{path[1:]} changed, but no step reads it."
            if reader.number == planned.number and reader.step.line > planned.step.line:
                return f"{path[1:]} changed, but no step before line {reader.step.line} reads it."
        return "All that it depends on is as it was."

    def _first_reader(self, path: str) -> PlannedStep | None:
        trees = [note.tree for note in (self._now, self._before) if note]
        for planned, selectors in self._readers:
            if any(path in tree.selected(selector) for selector in selectors for tree in trees):
                return planned
        return None

    def _of_depends(self, planned: PlannedStep, answer: Answer) -> tuple[str, Cause | None]:
        below = self._stands_on(answer.operation)
        if below is not None and self._solver.answers[below.vertex].verdict is Verdict.DEPENDS:
            line = self._root(below, Verdict.DEPENDS)
            return f"It stands on line {line}, and that depends.", Cause(kind="step", subject=line)
        for operation in self._open_results(answer.operation):
            action = operation.action
            if isinstance(action, Source):
                what = f"what {action.name} serves" if action.kind in REMOTE else "the files of an image that changed"
                kind = "base" if action.kind not in REMOTE else "new"
                return f"It depends on {what}.", Cause(kind=kind, subject=action.name or None)
            line = self._lines.get(operation.vertex)
            if line is not None:
                return (
                    f"It depends on what the command on line {line} writes: the same files, and its result is reused.",
                    Cause(kind="step", subject=line),
                )
        return "It depends on files that are not known yet.", None

    def _open_results(self, operation: Operation) -> Iterator[Operation]:
        """The commands and sources whose files an operation reads, nearest first."""
        waiting = [needed for needed in operation.inputs if needed is not self._stands_on(operation)]
        while waiting:
            here = waiting.pop(0)
            if isinstance(here.action, Exec | Source):
                yield here
            waiting.extend(here.inputs)

    def _stands_on(self, operation: Operation) -> Operation | None:
        """What an operation continues: the step before it in the stage."""
        first = operation.inputs[0] if operation.inputs else None
        base = getattr(operation.action, "base", 0)
        return first if base == 0 and first is not CONTEXT else None

    def _root(self, operation: Operation, verdict: Verdict = Verdict.MISS) -> int | None:
        """The line of the first step in an unbroken chain of steps with `verdict`."""
        line = None
        here: Operation | None = operation
        while here is not None and self._solver.answers[here.vertex].verdict is verdict:
            if not isinstance(here.action, Source):
                line = self._lines.get(here.vertex, line)
            here = self._stands_on(here)
        return line

    def _of_miss(self, planned: PlannedStep, answer: Answer) -> tuple[str, Cause]:
        if answer.missing:
            path = answer.missing.lstrip("/")
            reason = f"It will fail: {path} is not among the files of the build."
            return reason, Cause(kind="file", subject=path)
        if answer.operation.forced:
            return "The build was told not to use the cache.", Cause(kind="forced")
        below = self._stands_on(answer.operation)
        line = self._root(below) if below is not None else None
        if line is not None:
            return f"It stands on line {line}, which runs.", Cause(kind="step", subject=line)
        return self._first_cause(planned, answer)

    def _first_cause(self, planned: PlannedStep, answer: Answer) -> tuple[str, Cause]:
        stage = self._graph.plan.stages[planned.number].stage
        now = self._now.stage(stage.name)
        place = next(n for n, step in enumerate(now) if step.line == planned.step.line)
        before = self._before_of(stage.name, stage.number)
        if not before:
            return NEW, Cause(kind="new")
        image = changed_image(now[0], before[0])
        if image is not None:
            return image
        was = counterpart(now, before, place)
        if was is None:
            line = planned.step.line
            return f"Line {line} is new.", Cause(kind="line", subject=line, after=now[place].text)
        if was.text != now[place].text:
            return line_cause(now[place], was)
        return (
            changed_variable(now[place], was)
            or changed_surroundings(now, before, place, was)
            or changed_predecessor(now, before, place, was)
            or self._changed_file(planned)
            or self._changed_stage(answer)
            or (NEW, Cause(kind="new"))
        )

    def _before_of(self, name: str, number: int) -> tuple[StepNote, ...] | None:
        if self._before is None:
            return None
        found = self._before.stage(name)
        if found:
            return found
        names = list(dict.fromkeys(step.stage for step in self._before.steps))
        return self._before.stage(names[number]) if number < len(names) else None

    def _changed_file(self, planned: PlannedStep) -> tuple[str, Cause] | None:
        if self._before is None:
            return None
        for selector in context_selectors(planned):
            reads = {*self._now.tree.selected(selector), *self._before.tree.selected(selector)}
            for path, was, is_now in self._changed:
                if path in reads:
                    return sentence_of_file(path, was, is_now)
        return None

    def _changed_stage(self, answer: Answer) -> tuple[str, Cause] | None:
        """Files that it takes from another stage are others now."""
        for needed in answer.operation.inputs:
            if needed is not self._stands_on(answer.operation) and needed is not CONTEXT:
                line = self._root(needed)
                if line is not None:
                    return f"It takes files of a stage where line {line} runs.", Cause(kind="step", subject=line)
        return None


def _metadata(step: StepRef) -> str:
    return (
        "It ends at /, which is there."
        if step.instruction == "WORKDIR"
        else f"{short(step.instruction)} changes no files."
    )
