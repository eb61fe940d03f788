"""The hunt for changes: which of them make a step run again, by the learner, by the predictor and by the engine.

Enters: a lesson, a project that has been built, and changes to try. Leaves: tables, and a tally of who was right.
Builds on the engine; may import `course.cache`, `course.errors`, `course.forecast`, `course.lab`, its neighbour
`lesson` and `course.widgets`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias

from IPython.display import display

from course.cache import BuildInput, Verdict
from course.errors import CourseError
from course.forecast import Comparison, explain, read_build
from course.lab.project import Project
from course.lessons.lesson import Lesson
from course.widgets.cards import GuessCard
from course.widgets.page import Page, table

Change: TypeAlias = Callable[[Project], object] | tuple[str, str]
"""What is done to a copy of the project; two texts: the first is replaced by the second in its Dockerfile."""
_WORDS: Final = {True: "runs", False: "reused", None: "-"}


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One change, and what was said and seen of it: True when a step runs, None when nobody said so or otherwise."""

    change: str
    guessed: bool | None
    comparison: Comparison

    @property
    def predicted(self) -> bool | None:
        """What the predictor said before the build."""
        verdicts = {one.verdict for one in self.comparison.predictions}
        return None if Verdict.DEPENDS in verdicts else Verdict.MISS in verdicts

    @property
    def ran(self) -> tuple[str, ...]:
        """The steps that the engine ran."""
        return tuple(step.text for step in self.comparison.trace.steps if step.status == "RAN")

    @property
    def why(self) -> str:
        """The predictor's reason for the first step that runs, else for the last that is reused."""
        said = self.comparison.predictions
        missed = [one for one in said if one.verdict is Verdict.MISS]
        kept = [one for one in said if one.verdict is Verdict.HIT]
        return f"{missed[0].step.instruction}: {missed[0].reason}" if missed else kept[-1].reason


class Hunt:
    """Each change is made in a copy of the project of its own, so that none meets the one before."""

    def __init__(self, lesson: Lesson, project: Project) -> None:
        if project.is_new:
            raise CourseError("The project was not built yet.", fix="watch(project), then begin the hunt")
        self._lesson, self._project = lesson, project
        self._rounds: dict[str, tuple[Mapping[str, Change], GuessCard]] = {}
        self._tried: dict[str, tuple[Tried, ...]] = {}

    def ask(self, key: str, changes: Mapping[str, Change]) -> GuessCard:
        """Begin the round `key`: the learner ticks the changes that make a step run again."""
        asked = f"The hunt, {key}: which of these changes make a step run again?"
        card = self._lesson.guess(key, asked, tuple(changes), several=True)
        self._rounds[key] = (changes, card)
        return card

    def run(self, key: str) -> None:
        """Have the predictor say what each change of a round does, then build it, and show all that was said."""
        if key not in self._rounds:
            raise CourseError(f"There is no round {key!r} yet.", fix="run the cell above with hunt.ask(...)")
        changes, card = self._rounds[key]
        picked, tried = card.guess.answer, []
        before = read_build(self._project.root, client=self._project.client)
        handle = display(_page(()), display_id=True)
        for name, change in changes.items():
            guessed = name in picked if picked else None
            tried.append(Tried(change=name, guessed=guessed, comparison=self._try(change, before)))
            if handle is not None:
                handle.update(_page(tried))
        self._tried[key] = tuple(tried)
        self._lesson.reveal(key, self.counted(key))

    def counted(self, key: str) -> list[str]:
        """The changes of a round after which the engine ran a step."""
        return [one.change for one in self._tried[key] if one.ran]

    def tally(self) -> Page:
        """Who was right how often, in all rounds."""
        tried = [one for round_ in self._tried.values() for one in round_]
        words = _tally(tried)
        return Page(html=f"<p><strong>{escape(words)}</strong></p>", text=words)

    def _try(self, change: Change, before: BuildInput) -> Comparison:
        with Project(self._project.root, client=self._project.client) as copy:
            if isinstance(change, tuple):
                old, new = change
                text = copy.read("Dockerfile")
                if old not in text:
                    raise CourseError(f"The Dockerfile has no {old!r}.", fix="a text that stands in it")
                copy.write("Dockerfile", text.replace(old, new))
            else:
                change(copy)
            return explain(copy.client, copy.root, edit_of=before)


def _page(tried: Sequence[Tried]) -> Page:
    rows = [
        (
            one.change,
            f"{_WORDS[one.guessed]}{_mark(one.guessed, one)}",
            f"{_WORDS[one.predicted]}{_mark(one.predicted, one)}",
            f"{len(one.ran)} step{'s' if len(one.ran) > 1 else ''} ran" if one.ran else "all reused",
            one.why,
        )
        for one in tried
    ]
    words = _tally(tried)
    html = table(("the change", "you", "the predictor", "the engine", "why"), rows) + f"<p>{escape(words)}</p>"
    return Page(html=html, text="\n".join([*(" | ".join(row) for row in rows), words]))


def _mark(said: bool | None, one: Tried) -> str:
    return "" if said is None else " ✓" if said == bool(one.ran) else " ✗"


def _tally(tried: Sequence[Tried]) -> str:
    said = [one for one in tried if one.guessed is not None]
    yours = sum(one.guessed == bool(one.ran) for one in said)
    theirs = sum(one.predicted == bool(one.ran) for one in tried)
    you = f"You were right on {yours} of {len(said)}" if said else "You did not guess"
    return f"{you}, the predictor on {theirs} of {len(tried)}."
