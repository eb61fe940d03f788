"""BuildKit's vertices beside the Dockerfile's lines: which vertex is which instruction, and what became of it.

Enters: a `Dockerfile`, the folded progress and the target. Leaves: one `StepTrace` for every instruction.
Pure; may import `course.dockerfile` and its neighbours in `course.builds`.

BuildKit numbers FROM (of an image), WORKDIR, COPY, ADD and RUN in the vertex's name, `[build 3/5] RUN make`
(moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go, prefixCommand). Names are the only stable join: digests of
steps that read the context change with every build.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from course.builds.model import Status, StepTrace
from course.builds.trace import Fold, Vertex
from course.dockerfile import Dockerfile, Stage, Step

NUMBERED: Final = frozenset({"FROM", "WORKDIR", "COPY", "ADD", "RUN"})
_NAME: Final = re.compile(r"^\[(?:(?P<stage>\S+) +)?(?P<k>\d+)/(?P<n>\d+)\] (?P<text>.*)$", re.DOTALL)
_EQUAL: Final = 3
_LOST: Final = 2
_MERGE: Final = "LINK "
_METADATA: Final = "[internal] load metadata for "


def join(dockerfile: Dockerfile, fold: Fold, *, target: str | None, finished: bool) -> tuple[StepTrace, ...]:
    """What is known of every instruction; while the build is not `finished`, steps may be WAITING or RUNNING."""
    needed = needed_stages(dockerfile, target)
    by_stage = _vertices_by_stage(dockerfile, fold)
    found: dict[tuple[int, int], Vertex] = {}
    for stage in dockerfile.stages:
        found.update(_match(dockerfile, stage, by_stage.get(stage.number, {})))
    _share_equal_operations(dockerfile, found, needed, fold)
    return tuple(
        _trace(dockerfile, stage, step, found.get((stage.number, step.index)), fold, stage.number in needed, finished)
        for stage in dockerfile.stages
        for step in stage.steps
    )


def needed_stages(dockerfile: Dockerfile, target: str | None) -> frozenset[int]:
    """The numbers of the stages that `target` (a name or number; by default the last stage) is made from."""
    names = {stage.name: stage.number for stage in dockerfile.stages}
    start = dockerfile.stages[-1].number
    if target:
        start = names.get(target.lower(), int(target) if target.isdigit() else start)
    needed: set[int] = set()
    waiting = [start]
    while waiting:
        number = waiting.pop()
        if number not in needed and number < len(dockerfile.stages):
            needed.add(number)
            waiting.extend(_uses(dockerfile, dockerfile.stages[number]))
    return frozenset(needed)


def numbered_steps(dockerfile: Dockerfile) -> Iterator[tuple[int, Step, str]]:
    """Each instruction that BuildKit numbers, with the number of its stage and the name of its vertex."""
    for stage in dockerfile.stages:
        label = next(_labels(dockerfile, stage))
        steps = [step for step, folder in _with_folder(stage) if _has_number(dockerfile, stage, step) and folder != "/"]
        for number, step in enumerate(steps, 1):
            yield stage.number, step, f"[{label} {number}/{len(steps)}] {step.text}"


def parent(dockerfile: Dockerfile, stage: Stage) -> int | None:
    """The number of the earlier stage that `stage` begins from, or None when it begins from an image or scratch."""
    for earlier in reversed(dockerfile.stages[: stage.number]):
        if earlier.name == stage.base.lower():
            return earlier.number
    return None


def from_image(dockerfile: Dockerfile, stage: Stage) -> bool:
    """Whether `stage` begins from an image: not from scratch, not from an earlier stage."""
    return stage.base != "scratch" and parent(dockerfile, stage) is None


def _uses(dockerfile: Dockerfile, stage: Stage) -> Iterator[int]:
    base = parent(dockerfile, stage)
    if base is not None:
        yield base
    earlier = {s.name: s.number for s in dockerfile.stages[: stage.number]}
    for step in stage.steps:
        for flag in step.flags:
            for source in re.findall(r"(?:^--|,)from=([^,\s]+)", flag.replace("--mount=", "--mount=,")):
                if source.lower() in earlier:
                    yield earlier[source.lower()]
                elif source.isdigit() and int(source) < stage.number:
                    yield int(source)


def _with_folder(stage: Stage) -> Iterator[tuple[Step, str]]:
    """Each step; a WORKDIR with the folder that it ends at, as far as it is written without variables."""
    folder = "/"
    for step in stage.steps:
        if step.instruction == "WORKDIR":
            folder = posixpath.normpath(posixpath.join(folder, step.args[0]))
        yield step, folder if step.instruction == "WORKDIR" else ""


def _has_number(dockerfile: Dockerfile, stage: Stage, step: Step) -> bool:
    return step.instruction in NUMBERED and (step.instruction != "FROM" or from_image(dockerfile, stage))


def _vertices_by_stage(dockerfile: Dockerfile, fold: Fold) -> Mapping[int, dict[int, Vertex]]:
    labels = {label: stage.number for stage in dockerfile.stages for label in _labels(dockerfile, stage)}
    stages: defaultdict[int, dict[int, Vertex]] = defaultdict(dict)
    for vertex in fold.vertices.values():
        match = _NAME.match(vertex.name)
        merges = match is not None and match["text"].startswith(_MERGE)  # it has the number of the copy that it merges
        number = labels.get(match["stage"] or "") if match and not merges else None
        if match is None or number is None:
            continue
        if match["text"].startswith("FROM ") and not from_image(dockerfile, dockerfile.stages[number]):
            continue  # of another build that runs at the same time, and loads the same image
        stages[number][int(match["k"])] = vertex
    return stages


def _labels(dockerfile: Dockerfile, stage: Stage) -> Iterator[str]:
    """What the stage may be called in a vertex's name: its name, or `stage-N`.

    A single stage has no name there, unless a mount or `COPY --from` brings in a further one that is not written.
    """
    yield f"stage-{stage.number}" if stage.name == str(stage.number) else stage.name
    if len(dockerfile.stages) == 1:
        yield ""


def _match(dockerfile: Dockerfile, stage: Stage, vertices: Mapping[int, Vertex]) -> dict[tuple[int, int], Vertex]:
    """Give each numbered instruction its vertex; one that another stage shares may be missing, but keeps its number."""
    steps = [step for step, folder in _with_folder(stage) if _has_number(dockerfile, stage, step) and folder != "/"]
    sure = all(_likeness(step, vertices.get(number)) == _EQUAL for number, step in enumerate(steps, 1))
    numbers = range(1, len(steps) + 1) if sure else _aligned(steps, vertices)
    pairs = zip(steps, numbers, strict=True)
    return {(stage.number, step.index): vertices[number] for step, number in pairs if number in vertices}


def _aligned(steps: Sequence[Step], vertices: Mapping[int, Vertex]) -> list[int]:
    """The number of each step, 0 for none: a WORKDIR that changes nothing has no vertex, a trigger of the base image
    (ONBUILD) is a vertex without a step. The alignment with the most equal texts wins.
    """
    last = max(len(steps), *vertices, 0)

    @cache
    def best(place: int, number: int) -> tuple[int, tuple[int, ...]]:
        if place == len(steps):
            return 0, ()
        if number > last:
            return 0, (0,) * (len(steps) - place)
        choices = []
        likeness = _likeness(steps[place], vertices.get(number))
        if likeness is not None:
            score, rest = best(place + 1, number + 1)
            choices.append((score + likeness, (number, *rest)))
        score, rest = best(place + 1, number)
        choices.append((score - _LOST * (steps[place].instruction != "WORKDIR"), (0, *rest)))
        score, rest = best(place, number + 1)
        choices.append((score - _LOST * (number in vertices), rest))
        return max(choices, key=lambda choice: choice[0])

    return list(best(0, 1)[1])


def _likeness(step: Step, vertex: Vertex | None) -> int | None:
    """How much a vertex's text is the step's, which has variables in place of their values; None: not at all."""
    if vertex is None:
        return 0
    instruction, _, rest = vertex.name.partition("] ")[2].partition(" ")
    if instruction.upper() != step.instruction:
        return None
    return _EQUAL if rest.split() == step.text.split()[1:] else 1


def _share_equal_operations(
    dockerfile: Dockerfile, found: dict[tuple[int, int], Vertex], needed: frozenset[int], fold: Fold
) -> None:
    """Equal operations of two stages are one vertex, which carries the name of one of them: give it to both.

    Equal ones have the same text and stand on equal ones; where that cannot be told from the texts, the text decides.
    The same holds between builds that run at the same time: the name may then be of a stage of the other build.
    """
    chains = _chains(dockerfile)
    by_chain: dict[tuple[str, ...], Vertex] = {}
    by_text: dict[str, Vertex] = {}
    for key, vertex in found.items():
        by_chain.setdefault(chains[key], vertex)
        by_text.setdefault(chains[key][-1], vertex)
    for vertex in fold.vertices.values():
        match = _NAME.match(vertex.name)
        if match and not match["text"].startswith(_MERGE):
            by_text.setdefault(match["text"], vertex)
    for stage in dockerfile.stages:
        for step in stage.steps:
            key = stage.number, step.index
            shared = stage.number in needed and step.instruction in NUMBERED - {"FROM"} and key not in found
            equal = by_chain.get(chains[key]) or by_text.get(step.text) if shared else None
            if equal:
                found[key] = equal


def _chains(dockerfile: Dockerfile) -> dict[tuple[int, int], tuple[str, ...]]:
    """For each step the image that its stage begins from and the texts of the numbered steps up to itself."""
    ends: dict[int, tuple[str, ...]] = {}
    chains: dict[tuple[int, int], tuple[str, ...]] = {}
    for stage in dockerfile.stages:
        earlier = parent(dockerfile, stage)
        chain = (stage.base,) if earlier is None else ends[earlier]
        for step in stage.steps:
            if step.instruction in NUMBERED - {"FROM"}:
                chain = (*chain, step.text)
            chains[stage.number, step.index] = chain
        ends[stage.number] = chain
    return chains


def _trace(
    dockerfile: Dockerfile, stage: Stage, step: Step, vertex: Vertex | None, fold: Fold, needed: bool, finished: bool
) -> StepTrace:
    error = None
    if not needed:
        status = Status.NOT_NEEDED
    elif step.instruction == "FROM":
        status, error = _from_status(dockerfile, stage, fold, finished)
    elif step.instruction not in NUMBERED:
        status = Status.METADATA
    elif vertex is None:
        no_layer = step.instruction == "WORKDIR" and (finished or bool(fold.vertices))
        status = Status.METADATA if no_layer else Status.NOT_NEEDED if finished else Status.WAITING
    else:
        status = _status(vertex, finished)
        error = vertex.error if status is Status.FAILED else None
    timed = vertex is not None and status in (Status.RAN, Status.FAILED)
    return StepTrace(
        stage=stage.name,
        index=step.index,
        line=step.line,
        instruction=step.instruction,
        text=step.text,
        status=status,
        seconds=vertex.seconds if vertex and timed else 0.0,
        error=error,
        log=fold.log(vertex.digest) if vertex else "",
    )


def _from_status(dockerfile: Dockerfile, stage: Stage, fold: Fold, finished: bool) -> tuple[Status, str | None]:
    """FROM is reused once its image is resolved, whatever `cached` says; it fails where it cannot be resolved."""
    if not from_image(dockerfile, stage):
        return Status.METADATA, None
    for vertex in fold.vertices.values():
        if vertex.name.startswith(_METADATA) and vertex.error and not vertex.canceled and _names(vertex, stage):
            return Status.FAILED, vertex.error
    if any(_NAME.match(vertex.name) for vertex in fold.vertices.values()):  # the graph is known once FROM is resolved
        return Status.REUSED, None
    return Status.NOT_NEEDED if finished else Status.WAITING, None


def _names(vertex: Vertex, stage: Stage) -> bool:
    """Whether `load metadata for docker.io/library/node:24` is about `FROM node:24`; with variables, it may be."""
    reference = vertex.name.removeprefix(_METADATA)
    return "$" in stage.base or reference.endswith(stage.base if ":" in stage.base else stage.base + ":latest")


def _status(vertex: Vertex, finished: bool) -> Status:
    if vertex.error and not vertex.canceled:
        return Status.FAILED
    if vertex.cached:
        return Status.REUSED
    if vertex.started is None:
        return Status.NOT_NEEDED if finished else Status.WAITING
    if vertex.completed is None or vertex.canceled:
        return Status.NOT_NEEDED if finished else Status.RUNNING
    return Status.RAN
