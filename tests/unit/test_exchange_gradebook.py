"""Students, due dates, penalties and grades in nbgrader's real gradebook."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
from exchange_class import ADA, LI, ROSTER, SEAN, put_gradebook
from hypothesis import given
from hypothesis import strategies as st

from course.errors import CourseError
from graders.autograde.gradebook import open_gradebook
from graders.autograde.late import check_rule, penalty, set_rule
from graders.autograde.place import CLASS_VARIABLE, load_config
from graders.exchange.gradebook import read_due, read_scores, read_students, set_due, write_students

# of nbgrader's own objects, each time it adds one
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
DUE = datetime(2026, 12, 1, 11, tzinfo=UTC)


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CLASS_VARIABLE, str(tmp_path / "class"))
    put_gradebook(tmp_path / "class")
    return tmp_path / "class"


def release(max_score: float = 10, cells: int = 2) -> None:
    """`order`, with as many graded cells, as `nbgrader generate_assignment` would put it there."""
    with open_gradebook() as book:
        book.update_or_create_assignment("order")
        book.update_or_create_notebook("order", "order")
        for number in range(cells):
            book.update_or_create_grade_cell(
                f"cell{number}", "order", "order", max_score=max_score / cells, cell_type="code"
            )


def grade(student: str, scores: list[float | None], submitted: datetime | None = None, manual: bool = False) -> None:
    """As `nbgrader autograde` would."""
    with open_gradebook() as book:
        time = submitted.astimezone(UTC).replace(tzinfo=None) if submitted else None
        book.update_or_create_submission("order", student, timestamp=time)
        for number, score in enumerate(scores):
            one = book.find_grade(f"cell{number}", "order", "order", student)
            one.auto_score, one.needs_manual_grade = score, manual
        book.db.commit()


def test_a_gradebook_is_made_where_there_is_none(room: Path) -> None:
    (room / "gradebook.db").unlink()
    assert write_students([ADA]).added == ("ada1",)
    assert read_students() == (ADA,)


def test_students_are_added_and_updated_and_never_removed() -> None:
    changes = write_students(ROSTER)
    assert (changes.added, changes.updated, changes.absent) == (("ada1", "sean2", "li3"), (), ())
    changes = write_students([replace(ADA, last_name="King", email=""), SEAN])
    assert (changes.added, changes.updated, changes.absent) == ((), ("ada1",), ("li3",))
    kept = replace(ADA, last_name="King")
    assert set(read_students()) == {kept, SEAN, LI}


def test_an_id_that_differs_in_capital_letters_only_is_refused_before_anything_is_written() -> None:
    write_students(ROSTER)
    with pytest.raises(CourseError, match="'ada1', the file 'ADA1'"):
        write_students([replace(LI, id="new"), replace(ADA, id="ADA1")])
    assert "new" not in {one.id for one in read_students()}


def test_who_could_not_be_graded_has_no_score() -> None:
    release()
    write_students([*ROSTER, replace(LI, id="none"), replace(LI, id="collected")])
    grade("ada1", [5, 3.5])
    grade("sean2", [5, None])
    grade("li3", [5, 5], manual=True)
    with open_gradebook() as book:
        book.update_or_create_submission("order", "collected")
        for notebook in book.find_submission("order", "collected").notebooks:
            book.db.delete(notebook)
        book.db.commit()
    found = {one.student.id: (one.score, one.why) for one in read_scores("order")}
    assert found == {
        "ada1": (8.5, ""),
        "sean2": (None, "a cell has no score"),
        "li3": (None, "needs manual grading"),
        "none": (None, "nothing handed in"),
        "collected": (None, "not graded yet"),
    }


def test_a_hand_graded_cell_counts() -> None:
    release()
    write_students([ADA])
    grade("ada1", [None, None], manual=True)
    with open_gradebook() as book:
        for number in range(2):
            one = book.find_grade(f"cell{number}", "order", "order", "ada1")
            one.manual_score, one.extra_credit, one.needs_manual_grade = 4, 0.25, False
        book.db.commit()
    (ada,) = read_scores("order")
    assert (ada.score, ada.max_score) == (8.5, 10)


def test_grades_of_an_assignment_that_was_not_released_are_none() -> None:
    with pytest.raises(CourseError, match="no grades for 'order'"):
        read_scores("order")


def test_a_due_date_is_kept_in_utc_and_can_be_taken_away() -> None:
    release()
    set_due("order", datetime.fromisoformat("2026-12-01T12:00+01:00"))
    assert read_due("order") == DUE
    with open_gradebook() as book:
        assert book.find_assignment("order").duedate == datetime(2026, 12, 1, 11)
    set_due("order", None)
    assert read_due("order") is None
    assert read_due("volumes") is None


def late_notebook(student: str) -> float:
    """What nbgrader's own preprocessor, under our configuration, takes from a graded notebook."""
    from nbgrader.preprocessors import AssignLatePenalties

    config = load_config()
    resources: dict[str, Any] = {
        "nbgrader": {
            "notebook": "order",
            "assignment": "order",
            "student": student,
            "db_url": config.CourseDirectory.db_url,
        }
    }
    AssignLatePenalties(config=config).preprocess(nbformat.v4.new_notebook(), resources)
    with open_gradebook() as book:
        return float(book.find_submission("order", student).late_submission_penalty)


@pytest.fixture
def ours(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """nbgrader's configuration with this test's gradebook, whichever it names itself."""
    load = load_config

    def here() -> Any:
        config = load()
        config.CourseDirectory.db_url = f"sqlite:///{room / 'gradebook.db'}"
        return config

    monkeypatch.setattr(f"{__name__}.load_config", here)


@pytest.mark.parametrize(
    ("rule", "late", "points"),
    [
        ("none", timedelta(days=3), 0),
        ("zero", timedelta(seconds=1), 8),
        ("zero", timedelta(seconds=0), 0),
        ("10%", timedelta(seconds=0), 0),
        ("10%", timedelta(seconds=1), 1),
        ("10%", timedelta(days=1), 1),
        ("10%", timedelta(days=1, seconds=1), 2),
        ("10%", timedelta(days=30), 8),
        ("2.5%", timedelta(hours=-1), 0),
    ],
)
@pytest.mark.parametrize("order", ["due first", "graded first"])
@pytest.mark.usefixtures("ours")
def test_nbgrader_takes_the_penalty_that_was_set(rule: str, late: timedelta, points: float, order: str) -> None:
    release()
    write_students([ADA])
    if order == "due first":
        set_rule("order", rule)
        set_due("order", datetime.fromisoformat("2026-12-01T12:00+01:00"))
        grade("ada1", [4, 4], DUE + late)
        assert late_notebook("ada1") == points
    else:
        grade("ada1", [4, 4], DUE + late)
        assert late_notebook("ada1") == 0
        set_rule("order", rule)
        assert set_due("order", DUE) == (points > 0)
    (ada,) = read_scores("order")
    assert (ada.score, ada.late_penalty) == (8 - points, points)
    assert set_due("order", None) == 0
    assert read_scores("order")[0].score == 8


@pytest.mark.usefixtures("ours")
def test_an_unknown_time_is_not_late_and_an_extension_counts() -> None:
    release()
    write_students([ADA, SEAN])
    set_rule("order", "zero")
    set_due("order", DUE)
    grade("ada1", [4, 4])
    grade("sean2", [4, 4], DUE + timedelta(hours=5))
    with open_gradebook() as book:
        book.grant_extension("order", "sean2", hours=6)
    assert late_notebook("ada1") == late_notebook("sean2") == 0
    assert set_due("order", DUE) == 0
    assert set_due("order", None) == 0


@pytest.mark.parametrize("rule", ["", "10", "101%", "-5%", "most", "1e1%", "10 %"])
def test_a_rule_that_is_none_is_refused(rule: str) -> None:
    with pytest.raises(CourseError, match="is no penalty"):
        check_rule(rule)


@given(
    rule=st.one_of(st.sampled_from(["none", "zero"]), st.integers(0, 100).map(lambda percent: f"{percent}%")),
    score=st.floats(0, 100),
    max_score=st.floats(0, 100),
    seconds=st.floats(-1e6, 1e8),
)
def test_a_penalty_is_never_more_than_there_is_and_none_in_time(
    rule: str, score: float, max_score: float, seconds: float
) -> None:
    points = penalty(check_rule(rule), score, max_score, seconds)
    assert 0 <= points <= score
    assert points == 0 or seconds > 0
    assert points <= penalty(rule, score, max_score, abs(seconds) + 86400)
