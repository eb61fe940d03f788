"""Predictions, questions and what is kept of them, without a browser."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from course import folders
from course.errors import CourseError
from course.lessons import keep, notes
from course.lessons.notes import GUESSES, Notes
from course.widgets.cards import GuessCard, QuestionCard
from course.widgets.guesses import Guess, Nearness, guess_page, score_page
from course.widgets.questions import parse_questions

SECONDS = Guess(key="one", text="How long?", unit="seconds")
STEPS = Guess(key="steps", text="Which run?", options=("FROM", "COPY", "RUN"), several=True)
TOML = """
[[question]]
text = "Does <ENV> add a layer?"
right = "No"
[question.options]
"Yes" = "It changes no file."
"No" = "It is a line of the configuration."
"""


@pytest.mark.parametrize(
    ("answer", "truth", "nearness"),
    [
        ((), ("33",), Nearness.NOT_GUESSED),
        (("30",), ("33",), Nearness.RIGHT),
        (("20",), ("33",), Nearness.NEAR),
        (("2",), ("33",), Nearness.OFF),
        (("0",), ("33",), Nearness.OFF),
        (("0",), ("0",), Nearness.RIGHT),
        (("33",), None, Nearness.OPEN),
    ],
)
def test_a_number_is_right_near_or_off(answer: tuple[str, ...], truth: tuple[str, ...], nearness: Nearness) -> None:
    assert replace(SECONDS, answer=answer, truth=truth).nearness is nearness


@pytest.mark.parametrize(
    ("answer", "nearness"),
    [(("COPY", "RUN"), Nearness.RIGHT), (("COPY",), Nearness.NEAR), (("FROM", "COPY"), Nearness.OFF)],
)
def test_options_are_right_when_all_are(answer: tuple[str, ...], nearness: Nearness) -> None:
    assert replace(STEPS, answer=answer, truth=("RUN", "COPY")).nearness is nearness


def test_a_verdict_says_by_how_much() -> None:
    assert replace(SECONDS, answer=("2",), truth=("33.2",)).verdict == (
        "✗ You guessed 2 seconds. It is 33 seconds, 17 times more."
    )
    assert replace(SECONDS, truth=("0.25",)).verdict == "Not guessed. It is 0.25 seconds."


def test_a_card_takes_answers_until_the_truth_is_known() -> None:
    heard: list[Guess] = []
    card = GuessCard(SECONDS, on_answer=heard.append)
    for answer in (["2"], ["-1"], ["two"]):
        card.answer = answer
    assert [guess.answer for guess in heard] == [("2",)]
    assert "Noted: 2 seconds" in card.note
    card.reveal(replace(card.guess, truth=("4",)))
    card.answer = ["4"]
    assert (card.locked, card.guess.answer) == (True, ("2",))
    assert "It is 4 seconds" in card.drawing.text
    assert card._repr_svg_() is not None


def test_a_score_counts_what_was_guessed_and_what_was_not() -> None:
    page = score_page([replace(SECONDS, answer=("4",), truth=("4",)), replace(STEPS, truth=("RUN",))])
    assert page.text.endswith("1 not guessed, 1 right")
    assert "<table>" in page.html


def test_a_question_answers_at_once_and_the_browser_is_not_told_before() -> None:
    (question,) = parse_questions(TOML)
    picked: list[str] = []
    card = QuestionCard(question, on_answer=lambda _, option: picked.append(option))
    assert "configuration" not in str(card.get_state())
    card.answer = ["Yes"]
    assert (card.note, card.look) == ("✗ Not so. It changes no file.", "bad")
    card.answer = ["No"]
    assert card.note.startswith("✓ Right.")
    assert card.marks == {"Yes": "✗ not so", "No": "✓ right"}
    assert picked == ["Yes", "No"]


def test_a_question_without_its_right_option_is_refused() -> None:
    with pytest.raises(CourseError, match="Question 1"):
        parse_questions(TOML.replace('right = "No"', 'right = "Maybe"'))


def test_static_forms_escape_words_and_fold_the_answers() -> None:
    (question,) = parse_questions(TOML)
    drawing = QuestionCard(question).drawing
    html = drawing._repr_html_()
    assert "&lt;ENV&gt;" in html
    assert html.index("<details>") < html.index("It changes no file.")
    assert "It changes no file." not in drawing.text
    assert drawing._repr_svg_() is None
    assert "Your guess" in guess_page(SECONDS)._repr_html_()


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in (folders, keep, notes):
        monkeypatch.setattr(module, "notebooks_folder", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_answers_outlive_the_kernel_and_travel_in_the_zip(notebooks: Path) -> None:
    Notes("01-layers").write(GUESSES, "one", ("2",))
    assert Notes("01-layers").read(GUESSES) == {"one": ("2",)}
    assert Notes("02-cache").read(GUESSES) == {}
    modules = notebooks / "my-work/order/node_modules"
    modules.mkdir(parents=True)
    (modules / "index.js").touch()
    (notebooks / "my-work/order/Dockerfile").touch()
    for _ in range(2):  # the zip of the first time is not in that of the second
        page = keep.keep_my_work()
    with zipfile.ZipFile(notebooks / "my-work/my-work.zip") as archive:
        assert sorted(archive.namelist()) == ["my-work/answers/01-layers.json", "my-work/order/Dockerfile"]
    assert 'href="my-work/my-work.zip" download' in page.html


def test_nothing_to_keep_is_said_kindly(notebooks: Path) -> None:
    assert "nothing to keep yet" in keep.keep_my_work().text
    assert not (notebooks / "my-work").exists()
