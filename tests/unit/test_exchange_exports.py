"""Grades and feedback on their way back: the columns that Moodle and Canvas import, and nothing else."""

import csv
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from exchange_class import ADA, LI, ROSTER, SEAN, zipped
from hypothesis import given
from hypothesis import strategies as st

from course.errors import CourseError
from graders.exchange.exports import as_csv, for_canvas, for_moodle, for_worksheet, number
from graders.exchange.gradebook import Score
from graders.exchange.names import parse_moodle
from graders.exchange.returns import find_pages, folders_of_template, write_zip
from graders.exchange.tables import Table, format_table, parse_table

SCORES = (
    Score(student=ADA, max_score=10, score=8.5, late_penalty=1),
    Score(student=SEAN, max_score=10, why="needs manual grading"),
    Score(student=LI, max_score=10, why="nothing handed in", handed_in=False),
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Notes,Order (4711),Order 2 (4712),Current Score\n"
    ",,,,,,Manual Posting,,\n"
    "    Points Possible,,,,,,10.00,20.00,(read only)\n"
    '"Lovelace, Ada",12345,U1,ada1,01,hm,,20,\n'
    '"O\'Brien-Ruiz, Seán",777,U2,sean2,01,,3,19,\n'
    '"李明",999,U3,li3,01,,EX,18,\n'
    '"Student, Test",5,,f00d,01,,7,,\n'
)
WORKSHEET = (
    '\ufeffIdentifier,"Full name","Email address",Status,Grade,"Maximum grade","Grade can be changed",'
    '"Last modified (submission)","Online text","Last modified (grade)","Feedback comments"\n'
    '"Participant 11","Ada Lovelace",ada@example.org,Submitted,1.00,10.00,Yes,-,\'=1+1,-,- good\n'
    '"Participant 12","Seán O\'Brien-Ruiz",sean@example.org,Submitted,,10.00,Yes,-,,-,\n'
    '"Participant 13",李明,li@example.org,"No submission - ",,10.00,Yes,-,,-,\n'
)


def grades(table: Table, who: str, what: str) -> dict[str, str]:
    return dict(zip(table.cells(who), table.cells(what), strict=True))


def test_a_spreadsheet_gets_everything_and_an_empty_cell_where_there_is_no_score() -> None:
    export = as_csv("order", SCORES)
    assert grades(export.table, "student", "order") == {"ada1": "8.5", "sean2": "", "li3": ""}
    assert grades(export.table, "student", "late_penalty") == {"ada1": "1", "sean2": "", "li3": ""}
    assert [why for _, why in export.without] == ["needs manual grading", "nothing handed in"]


def test_moodles_gradebook_gets_those_who_handed_in() -> None:
    table = for_moodle("order", SCORES).table
    assert table.header == ("ID number", "First name", "Last name", "Email address", "order")
    assert grades(table, "Email address", "order") == {"ada@example.org": "8.5", "sean@example.org": ""}


def test_moodles_worksheet_gets_grades_and_keeps_its_headings() -> None:
    export = for_worksheet(parse_table(WORKSHEET), SCORES)
    assert grades(export.table, "Identifier", "Grade") == {
        "Participant 11": "8.5",
        "Participant 12": "",
        "Participant 13": "",
    }
    again = next(csv.reader(io.StringIO(format_table(export.table))))
    assert {"Identifier", "Grade", "Last modified (grade)"} <= set(again)
    assert not {"Feedback comments", "Online text"} & set(again)


def test_canvas_gets_one_column_and_who_it_is() -> None:
    export = for_canvas(parse_table(CANVAS), "order", SCORES)
    assert export.table.header == ("Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Order (4711)")
    assert grades(export.table, "ID", "Order (4711)") == {"": "10.00", "12345": "8.5", "777": "", "999": "EX", "5": "7"}
    assert export.table.rows[0] == ("", "", "", "", "", "Manual Posting")
    assert export.table.rows[1][0] == "    Points Possible"
    assert not export.missing


def test_a_student_who_is_not_in_the_template_is_listed() -> None:
    template = parse_table(CANVAS.replace("12345", "1").replace("ada1", "x").replace("U1", "y"))
    assert for_canvas(template, "order", SCORES).missing == ("ada1 (Ada Lovelace)",)
    shorter = parse_table(WORKSHEET.replace("ada@example.org", "").replace("Ada Lovelace", "A. L."))
    assert for_worksheet(shorter, SCORES).missing == ("ada1 (Ada Lovelace)",)


def test_canvas_columns_are_found_by_title_or_named() -> None:
    template = parse_table(CANVAS)
    assert for_canvas(template, "order", SCORES, "Order (4711)").table.header[-1] == "Order (4711)"
    with pytest.raises(CourseError, match="no column for 'volumes'"):
        for_canvas(template, "volumes", SCORES)
    twice = parse_table(CANVAS.replace("Order 2 (4712)", "Order (4712)"))
    with pytest.raises(CourseError, match="more than one column"):
        for_canvas(twice, "order", SCORES)
    with pytest.raises(CourseError, match="no export of Canvas"):
        for_canvas(parse_table("a,b\n1,2\n"), "order", SCORES)


def test_another_maximum_is_refused_or_counted_to() -> None:
    template = parse_table(CANVAS)
    with pytest.raises(CourseError, match="Canvas has 20 points, the assignment 10"):
        for_canvas(template, "order", SCORES, "Order 2")
    export = for_canvas(template, "order", SCORES, "Order 2", rescale=True)
    assert grades(export.table, "ID", "Order 2 (4712)")["12345"] == "17"
    hundred = parse_table(WORKSHEET.replace("10.00", "100.00"))
    with pytest.raises(CourseError, match="Moodle has 100 points"):
        for_worksheet(hundred, SCORES)
    assert "85" in for_worksheet(hundred, SCORES, rescale=True).table.cells("Grade")


def test_a_template_with_semicolons_stays_one() -> None:
    template = parse_table(
        CANVAS.replace(",", ";").replace('"Lovelace; Ada"', '"Lovelace, Ada"').replace("10.00", "10,00")
    )
    written = format_table(for_canvas(template, "order", SCORES).table)
    assert written.splitlines()[0] == "Student;ID;SIS User ID;SIS Login ID;Section;Order (4711)"
    assert "Lovelace, Ada;12345;U1;ada1;01;8.5" in written


@given(st.text(), st.text())
def test_no_name_becomes_a_formula_in_any_file(first: str, last: str) -> None:
    student = replace(ADA, first_name=first, last_name=last)
    score = Score(student=student, max_score=10, score=5)
    for export in (as_csv("order", [score]), for_moodle("order", [score])):
        written = list(csv.reader(io.StringIO(format_table(export.table), newline="")))
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in written for cell in row)


@given(st.floats(0, 1e6))
def test_a_grade_is_written_with_a_point_and_no_exponent(value: float) -> None:
    written = number(value)
    assert abs(float(written) - value) <= 5e-5
    assert set(written) <= set("0123456789.") and not written.endswith(".")


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    for student in ("ada1", "sean2"):
        folder = tmp_path / "feedback" / student / "order"
        folder.mkdir(parents=True)
        (folder / "order.html").write_text(f"<p>{student}</p>")
        (folder / ".hidden.html").touch()
        (folder / "~draft.html").touch()
    (tmp_path / "feedback/sean2/order/linked.html").symlink_to("/etc/passwd")
    return tmp_path


def test_feedback_goes_into_the_folders_that_moodle_gave(pages: Path) -> None:
    download = pages / "download.zip"
    folders = {f"{name}_assignsubmission_file/x": b"" for name in ("Ada Lovelace_11", "Seán OBrien-Ruiz_12")}
    download.write_bytes(zipped(folders))
    out = pages / "out.zip"
    assert write_zip(out, folders_of_template(download, ROSTER), find_pages(pages, "order")) == ()
    with zipfile.ZipFile(out) as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == {
            "Ada Lovelace_11_assignsubmission_file/order.html": "<p>ada1</p>",
            "Seán OBrien-Ruiz_12_assignsubmission_file/order.html": "<p>sean2</p>",
        }


def test_feedback_goes_by_the_worksheet_as_moodles_importer_reads_it(pages: Path) -> None:
    worksheet = pages / "worksheet.csv"
    worksheet.write_text(WORKSHEET, encoding="utf-8")
    out = pages / "out.zip"
    write_zip(out, folders_of_template(worksheet, ROSTER), find_pages(pages, "order"))
    with zipfile.ZipFile(out) as archive:
        for name in archive.namelist():
            first = name.split("/")[0].split("_", 4)
            assert len(first) == 5 and first[1].isdigit() and first[2:4] == ["assignsubmission", "file"]
        numbers = [parse_moodle(name.split("/")[0]) for name in archive.namelist()]
    assert [one.number for one in numbers if one] == ["11", "12"]


def test_feedback_of_whom_moodle_does_not_know_is_left_out_and_named(pages: Path) -> None:
    out = pages / "out.zip"
    found = find_pages(pages, "order")
    assert write_zip(out, {"ada1": "Ada_1_assignsubmission_file_"}, found) == ("sean2",)
    with pytest.raises(CourseError, match="no feedback"):
        write_zip(out, {}, found)
    with pytest.raises(CourseError, match="no feedback"):
        write_zip(out, {"ada1": "x"}, {})
    assert not list(pages.glob("*.partial"))
