"""What if a line stood elsewhere, a file were edited, an argument had another value? The predictor answers at once.

Enters: a `BuildInput` with the predictor that knows what was built, and a `Project` where the real thing can be built.
Leaves: a widget whose state is the rows, drawn by `whatif.js`, and the same as a static picture. Builds on the engine
when it is asked to; may import `course.cache`, `course.forecast`, `course.lab` and its neighbours.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import traitlets

from course.builds.model import BuildTrace, Status
from course.cache import BuildInput, Prediction, Predictor, Verdict
from course.cache.cost import edited
from course.dockerfile import Dockerfile, DockerfileError, parse
from course.errors import CourseError
from course.forecast import read_build, recall
from course.lab.project import Project
from course.widgets.drawing import Drawing
from course.widgets.live import LivePicture, script
from course.widgets.pictures import LayerStack
from course.widgets.show import watch_build
from course.widgets.stack import VERDICT_LOOK, draw_stack, make_rows, the_break

_FILES: Final = 60
"""So many files can be ticked; a context may have thousands."""
_TITLE: Final = "What if?"


@dataclass(frozen=True, kw_only=True)
class Block:
    """An instruction with the comments above it, which move together. `first` is the instruction's own line in it."""

    text: str
    first: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a learner has changed: the blocks' new order, edited files, and arguments."""

    order: tuple[int, ...]
    edited: frozenset[str] = frozenset()
    arguments: tuple[tuple[str, str], ...] = ()


def split(dockerfile: Dockerfile) -> tuple[Block, ...]:
    """The text in blocks; joined again in the same order they are the text."""
    lines = dockerfile.text.splitlines()
    steps = [*dockerfile.arguments, *(step for stage in dockerfile.stages for step in stage.steps)]
    blocks, begin = [], 0
    for step in sorted(steps, key=lambda one: one.line):
        blocks.append(Block(text="\n".join(lines[begin : step.end_line]), first=step.line - 1 - begin))
        begin = step.end_line
    if begin < len(lines):
        blocks[-1] = replace(blocks[-1], text="\n".join((blocks[-1].text, *lines[begin:])))
    return tuple(blocks)


def join(blocks: Sequence[Block], order: Sequence[int]) -> tuple[str, dict[int, int]]:
    """The text in another order, and per line on which an instruction begins the number of its block."""
    text: list[str] = []
    starts = {}
    for number in order:
        starts[len(text) + blocks[number].first + 1] = number
        text.extend(blocks[number].text.splitlines())
    return "\n".join(text) + "\n", starts


def planned(before: BuildInput, blocks: Sequence[Block], plan: Plan) -> tuple[BuildInput, dict[int, int]]:
    """The build that was thought up; raises `DockerfileError` when BuildKit would refuse it.

    A Dockerfile that is not ignored is a file of the context as well, and moved lines change it.
    """
    text, starts = join(blocks, plan.order)
    after = replace(before, dockerfile=parse(text), build_args={**before.build_args, **dict(plan.arguments)})
    moved = {"Dockerfile"} if list(plan.order) != sorted(plan.order) else set()
    for path in sorted({*plan.edited, *moved} & {file.path for file in before.files}):
        after = edited(after, path)
    return after, starts


class WhatIf(LivePicture):
    """Lines to move, files to tick as edited, arguments to set; and what a build would then do."""

    _esm = script("whatif")

    rows: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    files: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    unlisted = traitlets.Int().tag(sync=True)
    """How many files there are besides those."""
    arguments = traitlets.Dict().tag(sync=True)
    defaults = traitlets.Dict().tag(sync=True)
    """The values that the Dockerfile gives to arguments."""
    total = traitlets.Unicode().tag(sync=True)
    error = traitlets.Unicode().tag(sync=True)
    can_build = traitlets.Bool().tag(sync=True)
    busy = traitlets.Bool().tag(sync=True)
    result: traitlets.List[str] = traitlets.List().tag(sync=True)
    """The picture of what was built, next to what was predicted, for a wide page and for a narrow one."""
    answered = traitlets.Int().tag(sync=True)
    """The number of the last question that the state answers."""

    def __init__(
        self,
        before: BuildInput,
        *,
        predictor: Predictor | None = None,
        seconds: Mapping[str, float] | None = None,
        project: Project | None = None,
    ) -> None:
        if predictor is None:
            predictor = Predictor()
            predictor.observe(before)
        self._predictor, self._seconds, self._project = predictor, dict(seconds or {}), project
        self.built: BuildTrace | None = None
        self._begin(before)
        super().__init__(_drawing(()), can_build=project is not None)
        self.on_msg(self._heard)
        self._answer(0)

    @classmethod
    def of(cls, project: Project, trace: BuildTrace | None = None) -> "WhatIf":
        """For a project that has been built as it is now; a `trace` of it tells what each step takes."""
        before, predictor = read_build(project.root, client=project.client), recall(project.client)
        predictor.observe(before)
        return cls(before, predictor=predictor, seconds=_measured(trace), project=project)

    def ask(self, plan: Plan) -> None:
        """Predict what was thought up, and show it."""
        self._plan = plan
        self._answer(self.answered + 1)

    def build(self) -> BuildTrace:
        """Do what was thought up, on the engine: the files of the project are edited, its Dockerfile written."""
        if self._project is None:
            raise CourseError("There is no project to build.", fix="WhatIf.of(project)")
        project, plan = self._project, self._plan
        self.busy = True
        try:
            for path in sorted(plan.edited):
                project.edit(path)
            if list(plan.order) != sorted(plan.order):
                project.write("Dockerfile", join(self._blocks, plan.order)[0])
            stack = LayerStack(title="What it did")
            stack.observe(lambda _: self.set_trait("result", [stack.svg, stack.slim]), "slim")
            found = watch_build(project, stack, build_args=dict(plan.arguments))
            self.built = found.trace
            self._seconds |= _measured(found.trace)
            self._predictor = recall(project.client)
            self._begin(read_build(project.root, build_args=dict(plan.arguments), client=project.client))
            self._answer(self.answered + 1)
            if found.trace.error:
                self.error = f"The build failed: {found.trace.error}"
        finally:
            self.busy = False
        return found.trace

    def _begin(self, before: BuildInput) -> None:
        self._before = before
        self._blocks = split(before.dockerfile)
        self._plan = Plan(order=tuple(range(len(self._blocks))), arguments=tuple(before.build_args.items()))

    def _heard(self, _: object, content: dict[str, Any], buffers: object) -> None:
        plan = Plan(
            order=tuple(content["order"]),
            edited=frozenset(content["edited"]),
            arguments=tuple((name, value) for name, value in content["arguments"].items() if value),
        )
        self._plan = plan
        self._answer(content["question"])
        if content.get("build") and not self.busy:
            threading.Thread(target=self._build_aside, daemon=True).start()

    def _build_aside(self) -> None:
        try:
            self.build()
        except (CourseError, DockerfileError) as error:
            self.error = str(error)

    def _answer(self, question: int) -> None:
        plan, error = self._plan, ""
        predictions: tuple[Prediction, ...] = ()
        starts: dict[int, int] = {}
        try:
            after, starts = planned(self._before, self._blocks, plan)
            predictions = self._predictor.predict(after)
        except DockerfileError as refused:
            error = f"BuildKit refuses this order: {refused}"
        broken = the_break(make_rows(None, predictions, {}))
        broke = None if broken is None else starts.get(predictions[broken].step.line)
        by_block = {starts[one.step.line]: one for one in predictions if one.step.line in starts}
        with self.hold_sync():
            self.rows = [
                _row(number, self._blocks[number], by_block.get(number), self._seconds, broke=number == broke)
                for number in plan.order
            ]
            self.files, self.unlisted = _files(self._before, plan)
            self.defaults = _declared(self._before.dockerfile)
            self.arguments = {**dict.fromkeys(self.defaults, ""), **dict(plan.arguments)}
            self.total = _total(predictions, self._seconds)
            self.error = error
            self.answered = question
        self.keep(_drawing(predictions, self.total))


def _row(
    number: int, block: Block, prediction: Prediction | None, seconds: Mapping[str, float], *, broke: bool
) -> dict[str, Any]:
    """A block with its verdict; why is said of what would run, of the rest there is nothing to say."""
    lines = block.text.splitlines()
    mark, word, look = VERDICT_LOOK[prediction.verdict] if prediction else ("", "", "quiet")
    runs = prediction is not None and prediction.verdict in (Verdict.MISS, Verdict.DEPENDS)
    known = seconds.get(prediction.step.text) if prediction and runs else None
    reason = prediction.reason if prediction and runs else ""
    return {
        "id": number,
        "text": lines[block.first],
        "more": len(lines) - block.first - 1,
        "mark": mark,
        "word": word,
        "look": look,
        "reason": f"the break: {reason}" if broke else reason,
        "broke": broke,
        "seconds": "" if known is None else f"{known:.1f} s",
    }


def _files(before: BuildInput, plan: Plan) -> tuple[list[dict[str, Any]], int]:
    """The files that can be ticked, and how many there are besides."""
    paths = [file.path for file in before.files if file.kind == "file"]
    return [{"path": path, "edited": path in plan.edited} for path in paths[:_FILES]], len(paths[_FILES:])


def _declared(dockerfile: Dockerfile) -> dict[str, str]:
    """The arguments that a build can set, with the Dockerfile's own value of each, nothing where it has none."""
    steps = [*dockerfile.arguments, *(step for stage in dockerfile.stages for step in stage.steps)]
    pairs = [arg.partition("=") for step in steps if step.instruction == "ARG" for arg in step.args]
    return {name: value for name, _, value in reversed(pairs)}  # that of the first counts, as before the first FROM


def _total(predictions: Sequence[Prediction], seconds: Mapping[str, float]) -> str:
    runs = [one for one in predictions if one.verdict in (Verdict.MISS, Verdict.DEPENDS)]
    if not runs:
        return "Nothing would run." if predictions else "Nothing can be built."
    unknown = sum(one.step.text not in seconds for one in runs)
    known = sum(seconds.get(one.step.text, 0.0) for one in runs)
    steps = f"{len(runs)} step{'s' if len(runs) != 1 else ''} would run"
    return f"{steps}, about {known:.1f} s" + (f" and what {unknown} never measured take" if unknown else "")


def _measured(trace: BuildTrace | None) -> dict[str, float]:
    return {step.text: step.seconds for step in trace.steps if step.status is Status.RAN} if trace else {}


def _drawing(predictions: Sequence[Prediction], total: str = "") -> Drawing:
    drawn = draw_stack(None, predictions=predictions, title=f"{_TITLE} {total}".strip())
    return replace(drawn, panels={})
