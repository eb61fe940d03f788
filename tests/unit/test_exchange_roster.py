"""A class's list, by each file that it can come in."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course.errors import CourseError
from graders.exchange.roster import check_id, read_roster
from graders.exchange.tables import Table, as_text, format_table, parse_table, read_table

OUTSIDE = ("", ".", "..", "...", "a/b", "a\\b", "../x", ".hidden", "a\0", "con", "NUL.txt", "a" * 65)
AWKWARD = ("-rf", "a b", "a*", "a+b", "a\n", "a.", "a:b", "a\u202eb", "e\u0301")
OWN = "id,first_name,last_name,email\nada1,Ada,Lovelace,ada@example.org\nbob,Bob,,\n"
MOODLE = (
    '"First name",Surname,"ID number",Institution,Department,"Email address","Assignment: order (Real)",'
    '"Last downloaded from this course"\n'
    "Ada,Lovelace,s100,,,ada@example.org,-,1764000000\nSeán,O'Brien,s101,,,sean@example.org,56.00,1764000000\n"
)
PARTICIPANTS = (
    "\ufeffFirst name,Last name,Email address,Groups\nAda,Lovelace,ada@example.org,A\nLi,Ming,li@example.org,\n"
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Order (4711),Current Score\n"
    ",,,,,Manual Posting,\n"
    "    Points Possible,,,,,10.00,(read only)\n"
    '"Lovelace, Ada",12345,U1,ada1,01,,\n"Ming, Li",12346,,li@example.org,01,8,\n"Student, Test",99,,f00d,01,,\n'
)
NAMES_APART = "LastName,FirstName,ID,SIS Login ID,Section,Order (4711)\nLovelace,Ada,12345,ada1,01,\n"


def test_ones_own_list() -> None:
    roster = read_roster(parse_table(OWN))
    assert [(one.id, one.first_name, one.last_name, one.email) for one in roster.students] == [
        ("ada1", "Ada", "Lovelace", "ada@example.org"),
        ("bob", "Bob", "", ""),
    ]


@pytest.mark.parametrize(("delimiter", "mark"), [(",", ""), (";", ""), ("\t", ""), (",", "\ufeff")])
def test_any_spreadsheets_csv_is_read(delimiter: str, mark: str, tmp_path: Path) -> None:
    path = tmp_path / "class.csv"
    path.write_text(mark + OWN.replace(",", delimiter), encoding="utf-8")
    assert len(read_roster(read_table(path)).students) == 2


def test_moodles_grade_export_gives_id_numbers() -> None:
    roster = read_roster(parse_table(MOODLE))
    assert roster.platform == "Moodle"
    assert [(one.id, one.last_name) for one in roster.students] == [("s100", "Lovelace"), ("s101", "O'Brien")]


def test_moodles_participants_without_id_numbers_go_by_their_address() -> None:
    assert [one.id for one in read_roster(parse_table(PARTICIPANTS)).students] == ["ada@example.org", "li@example.org"]


def test_moodles_half_empty_id_numbers_are_not_used() -> None:
    table = parse_table(MOODLE.replace("s101", ""))
    assert [one.id for one in read_roster(table).students] == ["ada@example.org", "sean@example.org"]
    with pytest.raises(CourseError, match="it has no id"):
        read_roster(table, "ID number")


def test_canvas_export_gives_logins_and_numbers_and_no_test_student() -> None:
    roster = read_roster(parse_table(CANVAS))
    found = [(one.id, one.first_name, one.last_name, one.lms_user_id) for one in roster.students]
    assert found == [("ada1", "Ada", "Lovelace", "12345"), ("li@example.org", "Li", "Ming", "12346")]
    assert roster.skipped


def test_canvas_export_with_two_columns_of_names() -> None:
    (ada,) = read_roster(parse_table(NAMES_APART)).students
    assert (ada.first_name, ada.last_name, ada.id) == ("Ada", "Lovelace", "ada1")


def test_another_column_can_hold_the_ids() -> None:
    assert [one.id for one in read_roster(parse_table(CANVAS), "ID").students] == ["12345", "12346"]
    with pytest.raises(CourseError, match="no column 'Nothing'"):
        read_roster(parse_table(CANVAS), "Nothing")


def test_a_file_that_is_no_list_is_refused_with_what_is_wanted() -> None:
    with pytest.raises(CourseError, match="first_name"):
        read_roster(parse_table("Vorname,Nachname\nAda,Lovelace\n"))


@pytest.mark.parametrize("name", (*OUTSIDE, *AWKWARD))
def test_ids_that_cannot_be_folders_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"no id|longer|cannot be|Windows"):
        check_id(name)


@pytest.mark.parametrize("name", ["ada1", "s-100", "a.b@c.org", "李明", "007", "_x"])
def test_ids_that_can_be_folders_are_taken(name: str) -> None:
    assert check_id(name) == name


@given(st.text(max_size=80))
def test_an_id_that_is_taken_is_one_plain_folder(name: str) -> None:
    try:
        check_id(name)
    except ValueError:
        return
    assert Path(name).parts == (name,) and Path(name).name == name
    assert not name.startswith((".", "-")) and name.isprintable() and unicodedata.is_normalized("NFC", name)


@pytest.mark.parametrize("second", ["ada1", "ADA1"])
def test_two_students_of_one_folder_are_refused_and_nothing_is_taken(second: str) -> None:
    with pytest.raises(CourseError, match=r"Nothing was changed.*id of 2 rows"):
        read_roster(parse_table(f"id,first_name,last_name\nada1,Ada,L\n{second},Ada,M\n"))


def test_what_is_no_table_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with pytest.raises(CourseError, match="cannot be read"):
        read_table(path)
    path.write_bytes(b"")
    with pytest.raises(CourseError, match="it is empty"):
        read_table(path)
    path.write_bytes(b"id,first_name\nada,\xff\xfe\xe4\n")
    with pytest.raises(CourseError, match="not UTF-8"):
        read_table(path)
    path.write_text(f"id,first_name\nada,{'x' * 200_000}\n")
    with pytest.raises(CourseError, match="not CSV"):
        read_table(path)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", '=HYPERLINK("x")'])
def test_no_cell_becomes_a_formula(cell: str) -> None:
    assert as_text(cell) == f"'{cell}"


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), min_size=1))
@example([["\t", ""]])
def test_what_is_written_is_read_back_as_text(rows: list[list[str]]) -> None:
    table = Table(header=("a", "b"), rows=tuple(tuple(row) for row in rows))
    again = parse_table(format_table(table))
    written = [tuple(map(as_text, row)) for row in table.rows]
    wanted = [row for row in written if any(cell.strip() for cell in row)]
    assert list(again.rows) == wanted
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in again.rows for cell in row)
