"""The parts of grading a class that need no engine: which cells ask for a report, what is kept of it, and the level."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from course.assignments import find_assignment
from course.errors import CourseError
from graders.autograde.place import CLASS_VARIABLE
from graders.autograde.reports import PutReports, asks_for
from graders.classroom import Row, State, find_students
from graders.commands_class import print_rows
from graders.ledger import Entry, code_version, read_entry, write_entry
from graders.levels import choose
from graders.rubric import Level, Outcome, Report, Status, could_not_check
from graders.rubrics.layers import RUBRIC
from graders.sandbox import isolated

PASSED = Report(
    assignment="layers",
    outcomes=(Outcome(id="a", claim="b", points=4, status=Status.PASSED, expected="c", actual="<script>"),),
    level=Level.UNSANDBOXED,
)
ENTRY = Entry(student="ada", artifacts="1", code="2", seconds=4.2, report=PASSED, recorded="3", grades={"cell": 4.0})
SOURCES = {
    'from graders import check\n\ncheck("layers")': "layers",
    'check("layers")': "layers",
    'check("layers");': "layers",
    'check("layers", "elsewhere")': None,
    'graders.check("layers")': None,
    'print(check("layers"))': None,
    'check("layers")\n10': None,
    "check(name)": None,
    "10": None,
    "%%capture\ncheck('layers')": None,
    "": None,
    "\0": None,
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_cell_asks_for_a_report_in_its_last_line(source: str) -> None:
    assert asks_for(source) == SOURCES[source]


def graded(source: str, folder: Path, *, solution: bool = False) -> Any:
    """A notebook of one test cell after the preprocessor."""
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata.nbgrader = {"grade": True, "solution": solution, "grade_id": "c", "points": 10, "schema_version": 3}
    cell.outputs = [nbformat.v4.new_output("stream", text="10")]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    info = {"nbgrader": {"assignment": "layers", "student": "ada", "notebook": "layers"}}
    done, _ = PutReports(folder=str(folder)).preprocess(notebook, info)
    return done.cells[0]


def test_the_report_takes_the_place_of_what_the_cell_would_show(tmp_path: Path) -> None:
    write_entry(tmp_path / "ada.json", ENTRY)
    shown = graded('check("layers")', tmp_path)
    assert [output.data["text/plain"] for output in shown.outputs] == ["4"]
    assert "Level: unsandboxed" in shown.outputs[0].data["text/html"]


@pytest.mark.parametrize(("source", "solution"), [("10", False), ('check("layers")', True), ('check("order")', False)])
def test_a_cell_that_asks_for_nothing_else_shows_nothing(tmp_path: Path, source: str, solution: bool) -> None:
    write_entry(tmp_path / "ada.json", ENTRY)
    assert graded(source, tmp_path, solution=solution).outputs == []


def test_without_a_report_nothing_is_a_zero(tmp_path: Path) -> None:
    assert graded('check("layers")', tmp_path).outputs[0].data["text/plain"] == "could not be graded"


def test_an_entry_reads_as_it_was_written(tmp_path: Path) -> None:
    write_entry(tmp_path / "deep/ada.json", ENTRY)
    assert read_entry(tmp_path / "deep/ada.json") == ENTRY
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["ada.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"report": {}}', json.dumps({**ENTRY.to_json(), "more": 1})])
def test_an_entry_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "ada.json").write_text(text, encoding="utf-8")
    assert read_entry(tmp_path / "ada.json") is None
    assert read_entry(tmp_path / "bob.json") is None


def test_an_entry_fits_the_same_files_code_and_level() -> None:
    assert ENTRY.fits("1", "2", Level.UNSANDBOXED)
    assert not ENTRY.fits("other", "2", Level.UNSANDBOXED)
    assert not ENTRY.fits("1", "other", Level.UNSANDBOXED)
    assert not ENTRY.fits("1", "2", Level.ISOLATED)
    better = replace(ENTRY, report=replace(PASSED, level=Level.ISOLATED))
    assert better.fits("1", "2", Level.UNSANDBOXED)
    assert not replace(ENTRY, report=could_not_check(RUBRIC, "no engine")).fits("1", "2", Level.UNSANDBOXED)


def test_the_code_version_is_of_the_judges_and_the_app(tmp_path: Path) -> None:
    layers, order = find_assignment("layers"), find_assignment("order")
    assert code_version(layers) == code_version(layers)
    assert code_version(layers) != code_version(order)


def test_a_level_is_never_silently_the_lower_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "is_built", lambda: True)
    assert choose("auto", None) is Level.ISOLATED
    assert choose("vm", None) is Level.ISOLATED
    assert choose("auto", Level.UNSANDBOXED) is Level.UNSANDBOXED
    assert choose("native", None) is Level.UNSANDBOXED
    for kind, level in (("native", Level.ISOLATED), ("vm", Level.UNSANDBOXED)):
        with pytest.raises(CourseError):
            choose(kind, level)
    monkeypatch.setattr(isolated, "is_built", lambda: False)
    assert choose("auto", None) is Level.UNSANDBOXED
    for kind, asked, fix in (("vm", None, isolated.BUILD), ("auto", Level.ISOLATED, "--level unsandboxed")):
        with pytest.raises(CourseError, match="not built") as refused:
            choose(kind, asked)
        assert refused.value.fix == fix


def test_the_summary_obeys_nothing_that_was_handed_in(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b[2J[bold]\x9b2J\u202e10 of 10"
    row = Row(
        student=hostile,
        state=State.UNGRADED,
        score=None,
        max_score=10,
        seconds=1,
        level="unsandboxed",
        reason=f"line 2 wants something from the internet: {hostile}",
        notes=(hostile,),
    )
    print_rows("layers", Level.UNSANDBOXED, 1.0, [row])
    said = capsys.readouterr().out
    assert all(one.isprintable() or one == "\n" for one in said)
    assert said.count("[bold]") == 3


def test_students_are_those_who_have_handed_something_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLASS_VARIABLE, str(tmp_path))
    layers = find_assignment("layers")
    with pytest.raises(CourseError, match="Nothing was handed in"):
        find_students(layers)
    for name in ("bob/layers", "ada/layers", "cyd/order", ".trash/layers"):
        (tmp_path / "submitted" / name).mkdir(parents=True)
    (tmp_path / "submitted/eve").symlink_to(tmp_path / "submitted/ada")
    (tmp_path / "submitted/dan").mkdir()
    (tmp_path / "submitted/dan/layers").symlink_to("/nowhere")
    assert find_students(layers) == ("ada", "bob", "dan")
    assert find_students(layers, ["bob"]) == ("bob",)
    with pytest.raises(CourseError, match="cyd, eve"):
        find_students(layers, ["eve", "bob", "cyd"])
