"""The exchange at a terminal, from a list of students to grades and feedback on their way back."""

import zipfile
from pathlib import Path

import pytest
from exchange_class import DOCKERFILE, put_gradebook, zipped

import course.assignments
from course.assignments import submit
from graders.autograde.gradebook import open_gradebook
from graders.autograde.place import CLASS_VARIABLE
from graders.cli import main
from graders.exchange.tables import read_table

# of nbgrader's own objects, each time it adds one
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
ROSTER = "id,first_name,last_name,email,lms_user_id\nada1,Ada,Lovelace,ada@example.org,12\nsean2,Seán,O'Brien,,34\n"


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A class of two, whose folder is here."""
    monkeypatch.setenv(CLASS_VARIABLE, str(tmp_path / "class"))
    monkeypatch.chdir(tmp_path)
    put_gradebook(tmp_path / "class")
    (tmp_path / "class.csv").write_text(ROSTER, encoding="utf-8")
    assert main(["roster", "class.csv"]) == 0
    return tmp_path


def submitted(room: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What `course submit order` makes."""
    monkeypatch.setattr(course.assignments, "MINE", str(room / "my-work"))
    (room / "my-work/order").mkdir(parents=True)
    (room / "my-work/order/Dockerfile").write_bytes(DOCKERFILE)
    return submit("order").read_bytes()


def test_what_is_handed_in_holds_the_notebook_and_nothing_else(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted(room, monkeypatch)
    for name in ("order.ipynb", "other.ipynb", ".env"):
        (room / "my-work/order" / name).write_text("{}", encoding="utf-8")
    with zipfile.ZipFile(submit("order")) as archive:
        assert archive.namelist() == ["order/Dockerfile", "order/order.ipynb"]


def grade(student: str, score: float | None) -> None:
    with open_gradebook() as book:
        book.update_or_create_assignment("order")
        book.update_or_create_notebook("order", "order")
        book.update_or_create_grade_cell("cell", "order", "order", max_score=10, cell_type="code")
        book.update_or_create_submission("order", student)
        one = book.find_grade("cell", "order", "order", student)
        one.auto_score, one.needs_manual_grade = score, score is None
        book.db.commit()


def test_a_list_is_taken_twice_and_says_what_it_did(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (room / "more.csv").write_text("id,first_name,last_name\neve,Eve,\n", encoding="utf-8")
    assert main(["roster", "more.csv"]) == 0
    assert "1: 1 added, 0 updated" in capsys.readouterr().out
    (room / "class.csv").write_text("id,first_name,last_name\nada1,Ada,King\n", encoding="utf-8")
    assert main(["roster", "class.csv"]) == 0
    said = capsys.readouterr().out
    assert "1: 0 added, 1 updated" in said and "nobody is removed): eve, sean2" in said


def test_from_moodle_and_back(room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    work = submitted(room, monkeypatch)
    names = ("Ada Lovelace_101", "Seán OBrien_102", "Eve_103")
    (room / "moodle.zip").write_bytes(zipped({f"{name}_assignsubmission_file_/order.zip": work for name in names}))
    assert main(["due", "order", "2026-12-01T12:00+01:00", "--penalty", "10%"]) == 0
    assert main(["collect", "order", "moodle.zip"]) == 3
    said = capsys.readouterr().out
    assert "2026-12-01 11:00 UTC" in said and "penalty: 10%" in said
    assert "2 collected, 1 not" in said and "nobody on the roster is 'Eve'" in said
    assert (room / "class/submitted/ada1/order/Dockerfile").read_bytes() == DOCKERFILE
    grade("ada1", 8)
    grade("sean2", None)
    assert main(["export", "order", "--format", "moodle", "grades.csv"]) == 3
    assert "no grade: sean2 (Seán O'Brien), needs manual grading" in capsys.readouterr().out
    assert read_table(room / "grades.csv").cells("order") == ("8", "")
    page = room / "class/feedback/ada1/order/order.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>good</p>")
    assert main(["feedback-zip", "order", "feedback.zip"]) == 0
    assert "there is no feedback yet: sean2" in capsys.readouterr().out
    with zipfile.ZipFile(room / "feedback.zip") as archive:
        assert archive.namelist() == ["Ada Lovelace_101_assignsubmission_file_/order.html"]


def test_from_canvas_and_back(room: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    work = submitted(room, monkeypatch)
    (room / "canvas.zip").write_bytes(zipped({"lovelaceada_LATE_12_900_order-1.zip": work, "x_34_901_order.zip": work}))
    assert main(["collect", "order", "canvas.zip"]) == 0
    said = capsys.readouterr().out
    assert "LATE" in said and "2 collected, 0 not" in said
    grade("ada1", 8)
    assert main(["export", "order", "--format", "canvas", "x.csv"]) == 1
    (room / "export.csv").write_text(
        'Student,ID,SIS Login ID,Section,order (7)\n    Points Possible,,,,10\n"Lovelace, Ada",12,ada1,1,\n'
    )
    assert main(["export", "order", "--format", "canvas", "--template", "export.csv", "out.csv"]) == 0
    assert read_table(room / "out.csv").cells("order (7)") == ("10", "8")


def test_a_submissions_name_cannot_write_on_the_terminal(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (room / "mine.zip").write_bytes(zipped({"\x1b[2J[red]evil/Dockerfile": b"", "\x1b]0;x\x07": b""}))
    assert main(["collect", "order", "mine.zip"]) == 3
    said = capsys.readouterr().out
    assert "\x1b[2J" not in said and "\x07" not in said
    assert "[red]evil" in said


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["due", "order", "2026-12-01T12:00"], "does not say in which time zone"),
        (["due", "order", "tomorrow"], "is no time"),
        (["due", "order", "--penalty", "half"], "is no penalty"),
        (["due", "nothing", "never"], "no assignment 'nothing'"),
        (["collect", "order", "nowhere"], "cannot be read"),
        (["roster", "nowhere.csv"], "cannot be read"),
        (["export", "order", "x.csv"], "no grades for 'order'"),
        (["feedback-zip", "order", "x.zip"], "no feedback"),
    ],
)
def test_what_a_person_can_do_wrong_is_said(
    room: Path, arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert expected in " ".join(said.split()) and "Try:" in said and "Traceback" not in said


def test_an_empty_class_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLASS_VARIABLE, str(tmp_path / "class"))
    assert main(["collect", "order", str(tmp_path)]) == 1
