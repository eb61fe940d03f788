"""One lesson at work: its engine, a world of its own, the learner's predictions and questions.

Enters: the lesson's name and the images that it needs. Leaves: a `Lesson`. Connects to an engine, or starts one; may
import `course.clean`, `course.engine`, `course.errors`, `course.folders`, `course.images`, `course.lab` and
`course.widgets`.
"""

import atexit
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

from docker import DockerClient
from IPython import get_ipython
from IPython.display import display

from course import engine, images
from course.clean import clean
from course.errors import CourseError
from course.folders import notebooks_folder
from course.lab.scratch import Scratch
from course.lessons.docker_cli import cli_environment
from course.lessons.notes import GUESSES, QUESTIONS, Notes
from course.widgets.cards import GuessCard, QuestionCard
from course.widgets.guesses import Guess, score_page, verdict_page
from course.widgets.page import Page
from course.widgets.questions import Question, parse_questions
from course.widgets.show import fetch


class Lesson:
    """A lesson at work: `client` is the engine's handle, `scratch` its world; `slow` asks for lighter variants."""

    _current: ClassVar["Lesson | None"] = None

    def __init__(self, name: str, client: DockerClient, *, slow: bool = False) -> None:
        self.name, self.client, self.slow = name, client, slow
        self.scratch = Scratch(client)
        self._notes = Notes(name)
        self._cards: dict[str, GuessCard] = {}
        atexit.register(self.close)

    def __repr__(self) -> str:
        return f"Lesson({self.name!r})"

    def close(self) -> None:
        """Remove what the lesson made on the engine; it happens by itself when the kernel ends."""
        atexit.unregister(self.close)
        self.scratch.close()

    def guess(
        self, key: str, text: str, options: Sequence[object] = (), *, several: bool = False, unit: str = ""
    ) -> GuessCard:
        """Ask for a prediction: a number of `unit`, or one (or `several`) of `options`. Nobody has to answer."""
        guess = Guess(
            key=key,
            text=text,
            unit=unit,
            options=tuple(map(str, options)),
            several=several,
            answer=self._notes.read(GUESSES).get(key, ()),
        )
        self._cards[key] = GuessCard(guess, on_answer=lambda now: self._notes.write(GUESSES, key, now.answer))
        return self._cards[key]

    def reveal(self, key: str, truth: object) -> Page:
        """Set the truth beside the guess `key`: a number, an option, or several of them; says how near it was."""
        if key not in self._cards:
            raise CourseError(f"Nothing was asked as {key!r} yet.", fix="run the cell above with lesson.guess(...)")
        card = self._cards[key]
        card.reveal(replace(card.guess, truth=_words(truth)))
        return verdict_page(card.guess)

    def score(self) -> Page:
        """All predictions of the lesson beside what the engine did."""
        return score_page([card.guess for card in self._cards.values()])

    def questions(self) -> None:
        """Show the questions of the lesson, from notebooks/questions; each answers at once."""
        path = notebooks_folder() / "questions" / f"{self.name}.toml"
        for question in parse_questions(path.read_text(encoding="utf-8")):
            display(QuestionCard(question, on_answer=self._picked))

    def link(self, port: int, path: str = "") -> Page:
        """The address under which this browser reaches a published port: directly, or by way of the hub."""
        prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
        host = self.scratch.engine_host
        address = f"{prefix.rstrip('/')}/proxy/{port}/" if prefix else f"http://{host}:{port}/"
        address += path.lstrip("/")
        return Page(html=f'<a href="{address}" target="_blank" rel="noopener">{address}</a>', text=address)

    def _picked(self, question: Question, option: str) -> None:
        before = self._notes.read(QUESTIONS).get(question.text, ())
        self._notes.write(QUESTIONS, question.text, (*before, option))


def open_lesson(name: str, *names: str, plugins: Sequence[str] = ()) -> Lesson:
    """Set up a lesson: an engine, the images called `names`, and `docker` with its `plugins` for `!docker` cells.

    In cells, `$MINE` holds the labels for what a lesson creates, `$ID` a word that no other lesson has in its names.
    Called again, it starts afresh. Raises `CourseError` that says what to do.
    """
    client = engine.connect()
    clean(client)
    if Lesson._current is not None:
        Lesson._current.close()
    rows = {row.name: row for row in images.listing(client)}
    if not all(rows[entry.name].present for entry in images.find(names)):
        fetch(client, *names)
    os.environ.update(cli_environment(client, plugins))
    status = engine.status(client)
    lesson = Lesson._current = Lesson(name, client, slow=engine.is_emulated(client))
    _set_variables(lesson.scratch)
    print(_welcome(status, lesson.slow))
    for row in images.listing(client):
        if row.name in names and row.stand_in:
            print(f"{row.name} is a stand-in here: {row.stand_in}.")
    return lesson


def _set_variables(scratch: Scratch) -> None:
    """MINE and ID, for the shell, and for IPython, which puts its own variables into `!` commands on every system."""
    mine = " ".join(f"--label {key}={value}" for key, value in scratch.labels().items())
    variables = {"MINE": mine, "ID": scratch.id}
    os.environ.update(variables)
    shell = get_ipython()
    if shell is not None:
        shell.push(variables)


def _welcome(status: engine.EngineStatus, slow: bool) -> str:
    own = "the course's own" if status.owned else "yours"
    words = f"Docker {status.version}, {own}. What this lesson makes there is removed when its kernel ends."
    return words + (" This engine is emulated and slow: experiments run in a lighter form." if slow else "")


def _words(truth: object) -> tuple[str, ...]:
    if isinstance(truth, Iterable) and not isinstance(truth, str):
        return tuple(map(str, truth))
    return (str(truth),)
