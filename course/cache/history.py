"""What earlier builds looked like, to say what is different now: `History.like(build) -> BuildNote`.

Enters: observed builds. Leaves: notes on their steps and files. Pure; JSON-able.

Keys tell that something changed, not what. So the predictor notes each observed build's steps as they were, and a miss
is explained by setting a step beside the one that it was before.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any, Final

from course.cache.frontend import Graph, PlannedStep
from course.cache.keys import selector_of
from course.cache.nouns import BuildInput
from course.cache.operations import Copy, Exec, Files
from course.cache.state import CONTEXT
from course.cache.tree import Selector, Tree, tree_of
from course.fingerprint import Fingerprint

KEPT: Final = 8


@dataclass(frozen=True, kw_only=True)
class StepNote:
    """A step as it was. `facts` are what a command runs in: its shell, directory, user; for FROM the image's layers."""

    stage: str
    line: int
    instruction: str
    text: str
    is_layer: bool
    env: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class BuildNote:
    """A build as it was: the steps of its needed stages and the files of its context."""

    steps: tuple[StepNote, ...]
    files: tuple[Fingerprint, ...]

    @cached_property
    def tree(self) -> Tree:
        """The context as a tree."""
        return tree_of(self.files)

    @cached_property
    def words(self) -> Counter[tuple[str, str]]:
        """The steps, to find the note that is most like another build."""
        return Counter((step.instruction, step.text) for step in self.steps)

    def stage(self, name: str) -> tuple[StepNote, ...]:
        """The steps of one stage, in order."""
        return tuple(step for step in self.steps if step.stage == name)


class History:
    """The last few observed builds."""

    def __init__(self, notes: tuple[BuildNote, ...] = ()) -> None:
        self._notes = list(notes)

    def add(self, note: BuildNote) -> None:
        """Keep the note of a build that was done; one like it that was done before is the last one now."""
        self._notes = [known for known in self._notes if known != note]
        self._notes.append(note)
        del self._notes[:-KEPT]

    def like(self, note: BuildNote) -> BuildNote | None:
        """The build that `note` is an edit of: the one that shares most steps, and of equals the last."""
        return max(
            (n for n in self._notes if (n.words & note.words)),
            key=lambda n: (
                (n.words & note.words).total() / max(n.words.total(), note.words.total()),
                self._notes.index(n),
            ),
            default=self._notes[-1] if self._notes else None,
        )

    def to_json(self) -> list[dict[str, Any]]:
        """Plain data."""
        return [asdict(note) for note in self._notes]

    @classmethod
    def from_json(cls, data: list[dict[str, Any]]) -> "History":
        """The inverse of `to_json`, also from text."""
        return cls(tuple(_read_note(note) for note in data))


def note_of(build: BuildInput, graph: Graph) -> BuildNote:
    """The note of a build."""
    steps = tuple(_note_step(build, graph, step) for step in graph.steps if not step.trigger)
    return BuildNote(steps=steps, files=build.files)


def _note_step(build: BuildInput, graph: Graph, planned: PlannedStep) -> StepNote:
    step = planned.step
    stage = graph.plan.stages[planned.number]
    facts: tuple[tuple[str, str], ...] = ()
    action = planned.layer.action if planned.layer else None
    if step.instruction == "FROM":
        base = build.bases.get(stage.base)
        facts = (("image", stage.base), ("layers", " ".join(base.layers) if base else ""))
    elif isinstance(action, Exec):
        shell = action.args[:-1] if not step.json_form else ()
        facts = (("shell", " ".join(shell)), ("directory", action.directory), ("user", action.user))
    return StepNote(
        stage=stage.stage.name,
        line=step.line,
        instruction=step.instruction,
        text=step.text + "".join("\n" + document.content for document in step.heredocs),
        is_layer=planned.layer is not None,
        env=tuple(planned.env.items()) if isinstance(action, Exec) else (),
        facts=facts,
    )


def context_selectors(planned: PlannedStep) -> tuple[Selector, ...]:
    """What a step reads of the context."""
    if planned.layer is None:
        return ()
    numbers = {number for number, needed in enumerate(planned.layer.inputs) if needed is CONTEXT}
    action = planned.layer.action
    if isinstance(action, Files):
        return tuple(selector_of(a) for a in action.actions if isinstance(a, Copy) and a.input in numbers)
    if isinstance(action, Exec):
        return tuple(
            Selector(path="/" + m.selector.lstrip("/"), follow=True) for m in action.mounts if m.input in numbers
        )
    return ()


def counterpart(now: tuple[StepNote, ...], before: tuple[StepNote, ...], place: int) -> StepNote | None:
    """The step that now stands at `place`, as it was before; None where it is new."""
    here, there = [_word(step) for step in now], [_word(step) for step in before]
    for kind, first, last, start, end in SequenceMatcher(None, here, there, autojunk=False).get_opcodes():
        if first <= place < last:
            if kind == "equal":
                return before[start + place - first]
            same = [step for step in before[start:end] if step.instruction == now[place].instruction]
            earlier = sum(step.instruction == now[place].instruction for step in now[first:place])
            return same[earlier] if earlier < len(same) else None
    return None


def _word(step: StepNote) -> tuple[str, str]:
    return (step.instruction, "" if step.instruction == "FROM" else step.text)


def _read_note(data: Mapping[str, Any]) -> BuildNote:
    steps = tuple(
        StepNote(**{**step, "env": _pairs(step["env"]), "facts": _pairs(step["facts"])}) for step in data["steps"]
    )
    files = tuple(Fingerprint(**{**file, "xattrs": _pairs(file["xattrs"])}) for file in data["files"])
    return BuildNote(steps=steps, files=files)


def _pairs(pairs: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs)
