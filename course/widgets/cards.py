"""Cards that ask: a prediction before a run, and questions at the end of a lesson.

Enters: a `Guess` or a `Question`. Leaves: widgets, drawn by `cards.js`. What is right is
decided here, so that the browser does not know the answer. May import its neighbours.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import traitlets

from course.widgets.guesses import Guess, guess_page
from course.widgets.live import LivePicture, script
from course.widgets.page import Page
from course.widgets.questions import Question, question_page
from course.widgets.style import live_style

_CSS: Final = """
.lbl.card{border:1px solid var(--lbl-line);border-radius:8px;padding:8px 14px 10px;background:var(--lbl-quiet);
max-width:740px;margin:2px 0 8px}
.lbl.card fieldset{border:0;margin:0;padding:0} .lbl.card legend{font-weight:600;font-size:14px;padding:0;
margin-bottom:4px}
.lbl.card label{display:block;margin:3px 0;cursor:pointer} .lbl.card label.number{display:inline-block}
.lbl.card input{accent-color:var(--lbl-ask-line)}
.lbl.card input[type=number]{font:inherit;width:8em;padding:3px 8px;margin-right:6px;color:var(--lbl-ink);
background:var(--lbl-paper);border:1px solid var(--lbl-line);border-radius:6px}
.lbl.card .option-mark{font-weight:600;margin-left:8px}
.lbl.card .note{margin:6px 0 0} .lbl.card .note.good,.lbl.card .note.bad,.lbl.card .note.ask{
border-left:4px solid;padding:2px 10px}
.lbl.card .note.good{border-color:var(--lbl-good-line)} .lbl.card .note.bad{border-color:var(--lbl-work-line)}
.lbl.card .note.ask{border-color:var(--lbl-ask-line)}
"""


class Card(LivePicture):
    """A question with a field or options; `answer` comes from the browser, all else goes to it."""

    _esm = script("cards")
    _css = live_style() + _CSS

    kind = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    options: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    answer: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    marks = traitlets.Dict().tag(sync=True)
    """Per option what stands behind it."""
    note = traitlets.Unicode().tag(sync=True)
    look = traitlets.Unicode("ask").tag(sync=True)
    locked = traitlets.Bool().tag(sync=True)

    def _show(self, page: Page) -> None:
        """Take `page` as the static form from now on."""
        self.drawing = page
        self._save()


class GuessCard(Card):
    """A prediction. It can be changed until the truth is known; `on_answer` hears of every change."""

    def __init__(self, guess: Guess, *, on_answer: Callable[[Guess], None] | None = None) -> None:
        self.guess, self._on_answer = guess, on_answer or (lambda guess: None)
        traits: dict[str, Any] = {"kind": guess.kind, "text": guess.text, "unit": guess.unit}
        super().__init__(guess_page(guess), options=list(guess.options), answer=list(guess.answer), **traits)
        self._tell()
        self.observe(self._answered, "answer")

    def reveal(self, guess: Guess) -> None:
        """The truth is known: nothing can be changed any more."""
        self.guess = guess
        self._tell()

    def _answered(self, change: Any) -> None:
        answer = tuple(change["new"])
        if self.guess.truth is not None or answer == self.guess.answer or not _is_valid(self.guess, answer):
            return
        self.guess = replace(self.guess, answer=answer)
        self._on_answer(self.guess)
        self._tell()

    def _tell(self) -> None:
        guess = self.guess
        with self.hold_sync():
            self.locked = guess.truth is not None
            if guess.truth is not None:
                self.note = guess.verdict
                self.marks = {option: "✓ so it is" for option in guess.options if option in guess.truth}
            else:
                self.note = f"Noted: {guess.shown(guess.answer)}. Now run the next cell." if guess.answer else ""
        self._show(guess_page(guess))


class QuestionCard(Card):
    """A question with feedback as soon as an option is picked; one may pick on until it is right."""

    def __init__(self, question: Question, *, on_answer: Callable[[Question, str], None] | None = None) -> None:
        self._question, self._on_answer = question, on_answer or (lambda question, option: None)
        text = f"{question.number}. {question.text}"
        super().__init__(question_page(question), kind="one", text=text, options=list(question.options))
        self.observe(self._answered, "answer")

    def _answered(self, change: Any) -> None:
        option = "".join(change["new"])
        if option not in self._question.options:
            return
        right = option == self._question.right
        self._on_answer(self._question, option)
        with self.hold_sync():
            self.marks = {**self.marks, option: "✓ right" if right else "✗ not so"}
            self.note = self._question.feedback(option)
            self.look = "good" if right else "bad"


def _is_valid(guess: Guess, answer: tuple[str, ...]) -> bool:
    if guess.kind != "number":
        return all(one in guess.options for one in answer)
    try:
        return all(0 <= float(one) < float("inf") for one in answer)
    except ValueError:
        return False
