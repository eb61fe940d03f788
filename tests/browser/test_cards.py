"""Predictions and questions in a real JupyterLab: by mouse and keyboard, in light and dark, and with nobody there."""

import json
import zipfile
from pathlib import Path

import nbformat
import pytest
from conftest import Lab, Notebook, faults
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("client")]

QUESTIONS = """
[[question]]
text = "Does ENV add a layer?"
right = "No"
[question.options]
"Yes" = "It changes no file."
"No" = "It is a line of the configuration."
"""
SET_UP = """
import pathlib
from course import keep_my_work
from course.lessons import keep, lesson, notes
for module in (keep, lesson, notes):
    module.notebooks_folder = pathlib.Path.cwd
opened = lesson.open_lesson('cards')
"""
CELLS = [
    SET_UP,
    "opened.guess('seconds', 'How long will it take?', unit='seconds')",
    "opened.guess('which', 'Which steps will run?', ['FROM', 'COPY', 'RUN'], several=True)",
    "opened.reveal('seconds', 33.2)",
    "opened.reveal('which', ['COPY', 'RUN'])",
    "opened.questions()",
    "opened.score()",
    "keep_my_work()",
]


@pytest.fixture
def address(lab: Lab) -> str:
    (lab.folder / "questions").mkdir(exist_ok=True)
    (lab.folder / "questions/cards.toml").write_text(QUESTIONS)
    (lab.folder / "my-work/answers/cards.json").unlink(missing_ok=True)
    return lab.write("cards.ipynb", CELLS)


def cell(page: Page, number: int) -> Locator:
    return page.locator(".jp-Notebook .jp-Cell").nth(number)


def run(notebook: Notebook, *numbers: int) -> None:
    for number in numbers:
        notebook.page.evaluate(
            "async (number) => { const one = window.jupyterapp.shell.currentWidget;"
            " one.content.activeCellIndex = number;"
            " await window.jupyterapp.commands.execute('notebook:run-cell'); }",
            number,
        )


def test_a_guess_is_noted_before_the_run_and_scored_after_it(
    lab: Lab, notebook: Notebook, page: Page, address: str
) -> None:
    notebook.open(address)
    run(notebook, 0, 1, 2)
    field = cell(page, 1).get_by_role("spinbutton")
    field.click()
    page.keyboard.type("2")
    expect(cell(page, 1).locator(".note")).to_have_text("Noted: 2 seconds. Now run the next cell.")
    cell(page, 2).get_by_label("COPY").focus()
    page.keyboard.press("Space")
    expect(cell(page, 2).locator(".note")).to_contain_text("Noted: COPY.")
    run(notebook, 3, 4, 6)
    expect(cell(page, 3)).to_contain_text("17 times more")
    expect(field).to_be_disabled()
    expect(cell(page, 2).locator(".note")).to_contain_text("≈ You guessed COPY. It is COPY, RUN.")
    expect(cell(page, 2).locator("label", has_text="RUN")).to_contain_text("✓ so it is")
    expect(cell(page, 6).locator("table")).to_contain_text("✗ off")
    kept = json.loads((lab.folder / "my-work/answers/cards.json").read_text())
    assert kept == {"guesses": {"seconds": ["2"], "which": ["COPY"]}}
    with page.expect_download() as download:
        run(notebook, 7)
        cell(page, 7).get_by_role("link").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist() == ["my-work/answers/cards.json"]


def test_a_question_answers_at_once(notebook: Notebook, page: Page, address: str) -> None:
    notebook.open(address)
    run(notebook, 0, 5)
    question = cell(page, 5)
    expect(question.locator("details")).to_be_hidden()
    question.get_by_label("Yes").focus()
    page.keyboard.press("Space")
    expect(question.locator(".note")).to_have_text("✗ Not so. It changes no file.")
    page.keyboard.press("ArrowDown")
    expect(question.get_by_role("radio").nth(1)).to_be_checked()
    expect(question.locator(".note")).to_have_text("✓ Right. It is a line of the configuration.")


def test_with_nobody_there_everything_runs_and_the_static_forms_stay(
    lab: Lab, notebook: Notebook, page: Page, address: str
) -> None:
    notebook.open(address)
    run(notebook, 0, 1, 2, 3, 4, 5, 6)
    expect(cell(page, 6)).to_contain_text("2 not guessed")
    expect(cell(page, 3)).to_contain_text("Not guessed. It is 33 seconds.")
    notebook.command("docmanager:save")
    stored = nbformat.read(lab.folder / "cards.ipynb", as_version=4)
    html = [
        output.data["text/html"]
        for one in stored.cells
        for output in one.outputs
        if "text/html" in output.get("data", {})
    ]
    assert "It is 33 seconds" not in html[0]  # whoever reads this without a kernel may still guess
    assert "It is 33 seconds" in html[2]
    assert "<details>" in "".join(html)
    assert not Path(lab.folder, "my-work/answers/cards.json").exists()


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_cards_have_no_serious_accessibility_fault(
    notebook: Notebook, page: Page, address: str, axe: str, theme: str
) -> None:
    notebook.open(address)
    notebook.use_theme(theme)
    run(notebook, 0, 1, 2, 3, 5)
    cell(page, 5).get_by_label("Yes").check()
    expect(cell(page, 5).locator(".note")).to_be_visible()
    for number in (1, 2, 5):
        cell(page, number).locator(".lbl.card").first.evaluate(
            "(one, number) => { one.id = `card-${number}`; }", number
        )
        assert faults(page, axe, f"#card-{number}") == []
