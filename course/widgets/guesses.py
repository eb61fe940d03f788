"""A learner's prediction, and how near the truth came to it.

Enters: what was asked, what was answered and what was measured. Leaves: `Guess`es, verdicts, and what is said of them.
Pure; may import its neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import Final

from course.widgets.page import Page, table

_CLOSE: Final = 1.25
"""A number is right when it is off by no more than this factor, ..."""
_NEAR: Final = 2.0
"""... and near up to this one."""


class Nearness(StrEnum):
    """How a guess came out; `OPEN` while nothing was measured."""

    OPEN = "open"
    NOT_GUESSED = "not guessed"
    RIGHT = "right"
    NEAR = "near"
    OFF = "off"


MARKS: Final = {
    Nearness.OPEN: "",
    Nearness.NOT_GUESSED: "-",
    Nearness.RIGHT: "✓",
    Nearness.NEAR: "≈",
    Nearness.OFF: "✗",
}


@dataclass(frozen=True, kw_only=True)
class Guess:
    """One prediction. Without `options` it is a number, of `unit`; with `several` more than one option may be picked.

    `answer` and `truth` are words, empty where there are none yet; a number is one word.
    """

    key: str
    text: str
    unit: str = ""
    options: tuple[str, ...] = ()
    several: bool = False
    answer: tuple[str, ...] = ()
    truth: tuple[str, ...] | None = None

    @property
    def kind(self) -> str:
        """What is asked for: number, one or several."""
        return "number" if not self.options else "several" if self.several else "one"

    @property
    def nearness(self) -> Nearness:
        """How near the answer is to the truth."""
        if self.truth is None:
            return Nearness.OPEN
        if not self.answer:
            return Nearness.NOT_GUESSED
        if self.kind != "number":
            return Nearness.RIGHT if set(self.answer) == set(self.truth) else self._nearness_of_options()
        factor = _factor(float(self.answer[0]), float(self.truth[0]))
        return Nearness.RIGHT if factor <= _CLOSE else Nearness.NEAR if factor <= _NEAR else Nearness.OFF

    def _nearness_of_options(self) -> Nearness:
        wrong = set(self.answer) ^ set(self.truth or ())
        return Nearness.NEAR if self.several and len(wrong) == 1 else Nearness.OFF

    def shown(self, words: Sequence[str]) -> str:
        """An answer or a truth for people."""
        if self.kind != "number":
            return ", ".join(words) or "none of them"
        value = float(words[0])
        digits = f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"
        return f"{digits} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        """What is said when the truth is known."""
        if self.truth is None:
            return ""
        truth = f"It is {self.shown(self.truth)}."
        if not self.answer:
            return f"Not guessed. {truth}"
        guessed = f"You guessed {self.shown(self.answer)}."
        if self.nearness is Nearness.RIGHT and self.kind != "number":
            return f"✓ {guessed} So it is."
        return f"{MARKS[self.nearness]} {guessed} {truth[:-1]}{self._by_how_much()}."

    def _by_how_much(self) -> str:
        if self.kind != "number" or self.nearness is Nearness.RIGHT:
            return ""
        answer, truth = float(self.answer[0]), float((self.truth or ("0",))[0])
        if min(answer, truth) <= 0:
            return ""
        factor = _factor(answer, truth)
        times = f"{factor:.0f}" if factor >= 10 else f"{factor:.1f}"
        return f", {times} times {'more' if truth > answer else 'less'}"


def guess_page(guess: Guess) -> Page:
    """The question as it stands, and what is known by now."""
    choice = {"number": f"in {guess.unit}" if guess.unit else "a number", "one": "pick one:", "several": "pick any:"}
    asked = choice[guess.kind] + (f" {' / '.join(guess.options)}" if guess.options else "")
    noted = f"Noted: {guess.shown(guess.answer)}." if guess.answer else ""
    said = guess.verdict if guess.answer and guess.truth else noted  # where nobody guessed, a reader still can
    html = f"<p><strong>Your guess</strong>: {escape(guess.text)} <em>({escape(asked)})</em></p>"
    html += f"<p>{escape(said)}</p>" if said else ""
    return Page(html=html, text="\n".join(filter(None, (f"Your guess: {guess.text} ({asked})", said))))


def verdict_page(guess: Guess) -> Page:
    """How near it was."""
    return Page(html=f"<p><strong>{escape(guess.verdict)}</strong></p>", text=guess.verdict)


def score_page(guesses: Sequence[Guess]) -> Page:
    """All guesses of a lesson, and how many were right."""
    rows = [
        (
            guess.text,
            guess.shown(guess.answer) if guess.answer else "-",
            "not measured yet" if guess.truth is None else guess.shown(guess.truth),
            f"{MARKS[guess.nearness]} {guess.nearness.value}",
        )
        for guess in guesses
    ]
    counts = [(kind, sum(guess.nearness is kind for guess in guesses)) for kind in Nearness]
    summed = ", ".join(f"{count} {kind.value}" for kind, count in counts if count)
    html = table(("what", "you", "the engine", ""), rows) + f"<p>{summed}</p>"
    return Page(html=html, text="\n".join([*(" | ".join(row) for row in rows), summed]))


def _factor(one: float, other: float) -> float:
    if one == other:
        return 1.0
    smaller, larger = sorted((one, other))
    return larger / smaller if smaller > 0 else float("inf")
