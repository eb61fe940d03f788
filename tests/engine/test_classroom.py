"""A small class on real replays and with real nbgrader: graded, killed and resumed."""

import random
import shutil
from pathlib import Path

import pytest
from classes import (
    ASSIGNMENT,
    CORPUS,
    SCORES,
    SchoolClass,
    make_class,
    wait_until_nothing_is_left,
)
from docker import DockerClient
from playwright.sync_api import Page, expect

from course.folders import HOME_VARIABLE

pytestmark = [pytest.mark.engine, pytest.mark.differs_in_vm]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, client: DockerClient) -> SchoolClass:
    made = make_class(tmp_path_factory.mktemp("class"))
    rows = made.run("--workers", "2")
    assert {name: row["score"] for name, row in rows.items()} == SCORES
    assert {row["state"] for row in rows.values()} == {"graded"}
    assert {row["level"] for row in rows.values()} == {"unsandboxed"}
    assert rows["dan"]["notes"] == ["layers.ipynb is not a notebook"]
    return made


def test_a_second_run_grades_nothing_twice(undisturbed: SchoolClass) -> None:
    before = undisturbed.marks()
    rows = undisturbed.run()
    assert {row["state"] for row in rows.values()} == {"graded before"}
    assert {name: row["score"] for name, row in rows.items()} == SCORES
    assert undisturbed.marks() == before
    assert {name: marks[1] for name, marks in before.items()} == SCORES  # type: ignore[index]


def test_what_is_handed_in_again_is_graded_again_and_manual_scores_stay(
    undisturbed: SchoolClass, tmp_path: Path
) -> None:
    shutil.copytree(undisturbed.folder, tmp_path / "copy", symlinks=True, ignore=shutil.ignore_patterns("dan"))
    copy = SchoolClass(folder=tmp_path / "copy")
    with copy.gradebook() as book:
        book.find_grade("layers-check", ASSIGNMENT, ASSIGNMENT, "bob").manual_score = 9
        book.db.commit()
    (copy.folder / "submitted/bob/layers/answers.json").unlink()
    rows = copy.run()
    assert (rows["bob"]["state"], rows["bob"]["score"]) == ("graded", 4)
    assert {row["state"] for name, row in rows.items() if name != "bob"} == {"graded before"}
    with copy.gradebook() as book:
        grade = book.find_grade("layers-check", ASSIGNMENT, ASSIGNMENT, "bob")
        assert (grade.auto_score, grade.manual_score, grade.needs_manual_grade) == (4, 9, True)


def test_feedback_shows_the_report_and_nothing_of_the_server(undisturbed: SchoolClass) -> None:
    with undisturbed.start(command="feedback") as process:
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    for student in SCORES:
        page = (undisturbed.folder / f"feedback/{student}/layers/layers.html").read_text(encoding="utf-8")
        assert "Level: unsandboxed" in page
        assert str(undisturbed.folder) not in page
        assert str(CORPUS.parents[1]) not in page
        assert "Traceback (most" not in page
        assert Path("/etc/passwd").read_text(encoding="utf-8").splitlines()[0] not in page


def test_feedback_is_read_in_a_browser(undisturbed: SchoolClass, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for student in ("ada", "bob"):
        undisturbed.feedback(student)
        page.goto((undisturbed.folder / f"feedback/{student}/layers/layers.html").as_uri(), wait_until="commit")
        expect(page.get_by_role("cell", name="Nothing of the toolkit is in your image")).to_be_visible()
        picture = page.get_by_role("img", name="The layers of your image").bounding_box()
        assert picture is not None and picture["width"] > 400
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert errors == []


@pytest.mark.long
def test_a_killed_run_goes_on_where_it_was(
    undisturbed: SchoolClass, tmp_path: Path, client: DockerClient, long: bool
) -> None:
    dice = random.Random(10)
    for number in range(5 if long else 1):
        made = make_class(tmp_path / str(number))
        for kill in range(4 if long else 2):
            made.kill_in_the_middle(dice.uniform(2, 16 if long else 9), whole=kill % 2 == 0)
        made.run("--workers", "2")
        assert made.marks() == undisturbed.marks()
    wait_until_nothing_is_left(client)


def test_what_could_not_be_graded_is_no_zero(tmp_path: Path) -> None:
    made = SchoolClass(folder=tmp_path)
    made.hand_in("eve", CORPUS / "layers/unknown-base")
    made.hand_in("f[a]y", None)  # which nbgrader reads as a pattern
    rows = made.run("--workers", "2")
    assert {(row["state"], row["score"]) for row in rows.values()} == {("could not grade", None)}
    assert rows["eve"]["reason"]
    assert "cannot take a student whose name" in rows["f[a]y"]["reason"]
    with made.gradebook() as book:
        grade = book.find_grade("layers-check", ASSIGNMENT, ASSIGNMENT, "eve")
        assert (grade.auto_score, grade.needs_manual_grade) == (None, True)


def test_a_level_that_is_not_to_be_had_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_class(tmp_path / "class")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))  # where no virtual machine is built
    with made.start("--level", "isolated") as process:
        _, errors = process.communicate()
    assert process.returncode == 1
    assert "isolated" in errors
    assert not (made.folder / "reports").exists()
