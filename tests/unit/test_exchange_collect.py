"""A download of each platform, collected: whose it is, what is taken, when it came, and again."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from exchange_class import ADA, DOCKERFILE, LI, ROSTER, SEAN, an_assignment, in_folder, zipped

from course.errors import CourseError
from graders.exchange.collecting import Collection, Known, collect
from graders.exchange.matching import parse_time, read_map
from graders.exchange.stored import Collected
from graders.exchange.tables import parse_table
from graders.exchange.worksheet import in_zone, read_worksheet

KNOWN = Known(roster=ROSTER)
SUBMITTED = zipped({"order/Dockerfile": DOCKERFILE, "order/.dockerignore": b"node_modules\n"})
FILES = {"Dockerfile": DOCKERFILE, ".dockerignore": b"node_modules\n"}
WORKSHEET = (
    '\ufeffIdentifier,"Full name","Email address",Status,Grade,"Maximum grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\n'
    '"Participant 11","Ada Lovelace",ada@example.org,"Submitted for grading - ",,10.00,Yes,'
    '"Monday, 23 November 2026, 11:59 PM",-,\n'
    '"Participant 12","Seán O\'Brien-Ruiz",sean@example.org,"Submitted for grading - 3 mins 31 secs late",,10.00,Yes,'
    '"Tuesday, November 24, 2026, 12:03 AM",-,\n'
    '"Participant 13",李明,li@example.org,"No submission - ",,10.00,Yes,-,-,\n'
)


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "class"


def collected(room: Path, source: dict[str, bytes] | Path, known: Known = KNOWN) -> Collection:
    path = source
    if isinstance(source, dict):
        path = room.parent / "download.zip"
        path.write_bytes(zipped(source))
    assert isinstance(path, Path)
    return collect(an_assignment(room.parent / "order"), path, room, known)


def of(room: Path, student: str) -> dict[str, bytes]:
    return in_folder(room / "submitted" / student / "order")


@pytest.mark.parametrize("end", ["", "_"])
def test_moodles_folders_with_plain_files_and_with_a_zip(room: Path, end: str) -> None:
    done = collected(
        room,
        {
            f"Ada Lovelace_11_assignsubmission_file{end}/order.zip": SUBMITTED,
            f"Seán OBrien-Ruiz_12_assignsubmission_file{end}/Dockerfile": DOCKERFILE,
            f"Seán OBrien-Ruiz_12_assignsubmission_file{end}/.dockerignore": b"node_modules\n",
            f"李明_13_assignsubmission_file{end}/sub/order/Dockerfile": DOCKERFILE,
            "Ada Lovelace_11_assignsubmission_onlinetext/onlinetext.html": b"<p>",
        },
    )
    assert [one.student for one in done.taken] == [ADA, SEAN, LI]
    assert not done.left and len(done.unclear) == 1
    assert of(room, "ada1") == of(room, "sean2") == FILES
    assert of(room, "li3") == {"Dockerfile": DOCKERFILE}
    assert Collected(room, "order").records["ada1"].folder == f"Ada Lovelace_11_assignsubmission_file{end}"


def test_moodles_flat_form(room: Path) -> None:
    done = collected(
        room,
        {
            "Ada Lovelace_11_assignsubmission_file_Dockerfile": DOCKERFILE,
            "Ada Lovelace_11_assignsubmission_file_.dockerignore": b"node_modules\n",
            "Seán OBrien-Ruiz_12_assignsubmission_file_my order.zip": SUBMITTED,
        },
    )
    assert [one.student for one in done.taken] == [ADA, SEAN]
    assert of(room, "ada1") == of(room, "sean2") == FILES
    assert Collected(room, "order").records["ada1"].folder == "Ada Lovelace_11_assignsubmission_file_"


def test_moodles_download_that_somebody_unpacked(room: Path) -> None:
    folder = room.parent / "unpacked/Ada Lovelace_11_assignsubmission_file_"
    folder.mkdir(parents=True)
    (folder / "order.zip").write_bytes(SUBMITTED)
    assert [one.student for one in collected(room, folder.parent).taken] == [ADA]
    assert of(room, "ada1") == FILES


def test_anonymous_participants_are_known_by_the_worksheet_only(room: Path) -> None:
    source = {f"Participant_{number}_assignsubmission_file_/order.zip": SUBMITTED for number in (11, 12)}
    assert [problem for _, problem in collected(room, source).left] == ["nobody on the roster is 'Participant'"] * 2
    known = replace(KNOWN, worksheet=read_worksheet(parse_table(WORKSHEET)))
    assert [one.student for one in collected(room, source, known).taken] == [ADA, SEAN]


def test_moodles_times_are_the_worksheets_in_its_time_zone_and_not_the_zips(room: Path) -> None:
    source = {
        "Ada Lovelace_11_assignsubmission_file_/Dockerfile": DOCKERFILE,
        "Seán OBrien-Ruiz_12_assignsubmission_file_/Dockerfile": DOCKERFILE,
    }
    collected(room, source)
    assert "timestamp.txt" not in of(room, "ada1")
    worksheet = read_worksheet(parse_table(WORKSHEET))
    known = replace(KNOWN, worksheet=worksheet, zone=ZoneInfo("Europe/Berlin"))
    done = collected(room, source, known)
    assert of(room, "ada1")["timestamp.txt"] == b"2026-11-23 22:59:00.000000 UTC\n"
    assert of(room, "sean2")["timestamp.txt"] == b"2026-11-23 23:03:00.000000 UTC\n"
    assert [one.record.late for one in done.taken] == [False, True]
    due = parse_time("2026-11-23T23:30+01:00")
    assert [one.record.late for one in collected(room, source, replace(known, late_after=due)).taken] == [True, True]


def test_a_zips_own_times_are_taken_where_a_person_says_so(room: Path) -> None:
    known = replace(KNOWN, entry_times=True, zone=ZoneInfo("America/New_York"))
    collected(room, {"ada1/Dockerfile": DOCKERFILE}, known)
    assert of(room, "ada1")["timestamp.txt"] == b"2026-11-23 17:00:00.000000 UTC\n"


@pytest.mark.parametrize(
    ("zone", "wall", "expected"),
    [
        ("Europe/Berlin", datetime(2026, 10, 25, 2, 30), "2026-10-25T00:30:00+00:00"),
        ("Europe/Berlin", datetime(2026, 10, 25, 3, 30), "2026-10-25T02:30:00+00:00"),
        ("Asia/Kolkata", datetime(2026, 7, 1, 0, 0), "2026-06-30T18:30:00+00:00"),
    ],
)
def test_wall_clocks_become_utc_across_the_change_of_the_hour(zone: str, wall: datetime, expected: str) -> None:
    assert in_zone(wall, ZoneInfo(zone)).isoformat() == expected


def test_nbgrader_reads_the_times_that_are_written(room: Path) -> None:
    from nbgrader.utils import parse_utc

    known = replace(KNOWN, entry_times=True, zone=ZoneInfo("Asia/Kolkata"))
    collected(room, {"ada1/Dockerfile": DOCKERFILE}, known)
    assert parse_utc(of(room, "ada1")["timestamp.txt"].decode().strip()) == datetime(2026, 11, 23, 6, 30)


def test_canvas_download_with_late_marks_and_files_handed_in_again(room: Path) -> None:
    done = collected(
        room,
        {
            "lovelaceada_12345_900_Dockerfile-2": DOCKERFILE,
            "lovelaceada_12345_800_Dockerfile-1": b"FROM old\n",
            "lovelaceada_12345_901_.dockerignore": b"node_modules\n",
            "obrienruizseán_LATE_777_902_order-1.zip": SUBMITTED,
            "李明_999_903_order.zip": SUBMITTED,
            "lovelaceada_12345_text.html": b"<p>",
        },
    )
    assert [(one.student, one.record.late) for one in done.taken] == [(ADA, False), (SEAN, True), (LI, False)]
    assert of(room, "ada1") == of(room, "sean2") == of(room, "li3") == FILES
    assert done.unclear == ("lovelaceada_12345_text.html (a text or a link, no file)",)


def test_a_namesake_in_canvas_is_nobody_elses(room: Path) -> None:
    done = collected(room, {"lovelaceada_54321_900_Dockerfile": DOCKERFILE})
    assert done.left == (("lovelaceada_54321", "nobody on the roster is 'lovelaceada'"),)


def test_folders_and_zips_of_ones_own_go_by_id_or_name(room: Path) -> None:
    source = room.parent / "mine"
    for name in ("ada1", "Sean2", "nobody", "__MACOSX"):
        (source / name).mkdir(parents=True)
        (source / name / "Dockerfile").write_bytes(DOCKERFILE)
    (source / "李明.zip").write_bytes(SUBMITTED)
    (source / "readme.txt").touch()
    done = collected(room, source)
    assert {one.student.id for one in done.taken} == {"ada1", "sean2", "li3"}
    assert done.left == (("nobody", "nobody on the roster is 'nobody'"),)
    assert done.unclear == ("readme.txt",)
    assert of(room, "li3") == FILES


def test_what_course_submit_made_needs_a_name(room: Path) -> None:
    path = room.parent / "order.zip"
    path.write_bytes(SUBMITTED)
    with pytest.raises(CourseError, match="does not say whose it is"):
        collected(room, path)
    collected(room, path, replace(KNOWN, student="ada1"))
    assert of(room, "ada1") == FILES
    assert collected(room, path, replace(KNOWN, student="eve")).left


def test_two_of_one_name_are_settled_by_a_map(room: Path) -> None:
    twin = replace(ADA, id="ada9", email="other@example.org", lms_user_id="")
    known = Known(roster=(*ROSTER, twin))
    source = {f"Ada Lovelace_{number}_assignsubmission_file_/Dockerfile": DOCKERFILE for number in (11, 19)}
    done = collected(room, source, known)
    assert done.left[0] == ("Ada Lovelace_11", "it could be ada1 (Ada Lovelace) or ada9 (Ada Lovelace)")
    assert not (room / "submitted").exists()
    text = "submission,student,submitted\nAda Lovelace_11,ada9,2026-11-23T12:00:00+01:00\nAda Lovelace_19,ada1,\n"
    known = replace(known, mapped=read_map(parse_table(text)))
    assert [one.student.id for one in collected(room, source, known).taken] == ["ada9", "ada1"]
    assert of(room, "ada9")["timestamp.txt"] == b"2026-11-23 11:00:00.000000 UTC\n"


def test_a_map_must_name_the_class_and_a_time_zone(room: Path) -> None:
    known = replace(KNOWN, mapped=read_map(parse_table("submission,student\nada1,eve\n")))
    with pytest.raises(CourseError, match="'eve', who is not on the roster"):
        collected(room, {"ada1/Dockerfile": DOCKERFILE}, known)
    with pytest.raises(CourseError, match="in which time zone"):
        read_map(parse_table("submission,student,submitted\na,ada1,2026-11-23T12:00\n"))
    with pytest.raises(CourseError, match="no columns"):
        read_map(parse_table("from,to\na,b\n"))


def test_two_submissions_of_one_student_are_not_chosen_between(room: Path) -> None:
    done = collected(room, {"ada1/Dockerfile": DOCKERFILE, "Ada Lovelace/Dockerfile": b"FROM b\n"})
    assert [problem for _, problem in done.left] == ["2 submissions are ada1 (Ada Lovelace)'s"] * 2


def test_a_folder_in_a_submission_cannot_pass_for_another_student(room: Path) -> None:
    done = collected(
        room,
        {
            "sean2/Ada Lovelace_11_assignsubmission_file_/Dockerfile": DOCKERFILE,
            "sean2/lovelaceada_12345_900_Dockerfile": DOCKERFILE,
        },
    )
    assert [one.student for one in done.taken] == [SEAN]


def test_one_bad_submission_stops_no_other(room: Path) -> None:
    done = collected(
        room,
        {
            "Ada Lovelace_11_assignsubmission_file_/order.zip": b"no zip",
            "Seán OBrien-Ruiz_12_assignsubmission_file_/../../../evil": b"x",
            "Seán OBrien-Ruiz_12_assignsubmission_file_/Dockerfile": DOCKERFILE,
            "../evil": b"x",
            "李明_13_assignsubmission_file_/Dockerfile": DOCKERFILE,
        },
    )
    assert [one.student for one in done.taken] == [LI]
    assert [problem for _, problem in done.left] == [
        "order.zip: the zip is damaged or none",
        "a name in it points outside of it",
    ]
    assert sorted(path.name for path in room.parent.iterdir()) == ["class", "download.zip", "order"]


def said(room: Path, dockerfile: bytes, known: Known = KNOWN, number: int = 900) -> str:
    (one,) = collected(room, {f"lovelaceada_12345_{number}_Dockerfile": dockerfile}, known).taken
    return one.said


def test_collecting_again_takes_the_newer_one(room: Path) -> None:
    assert said(room, DOCKERFILE) == "collected"
    assert said(room, DOCKERFILE) == "unchanged"
    assert said(room, b"FROM new\n", number=901) == "replaced by the newer one"
    assert said(room, DOCKERFILE, number=900) == "kept: what was collected before is newer"
    assert of(room, "ada1") == {"Dockerfile": b"FROM new\n"}
    assert in_folder(room / "collected/replaced/order/ada1") == {"Dockerfile": DOCKERFILE}
    assert not list((room / "collected/partial").rglob("Dockerfile"))


def test_times_decide_where_they_are_known_and_are_not_lost(room: Path) -> None:
    def at(time: str) -> Known:
        text = f"submission,student,submitted\nlovelaceada_12345,ada1,{time}\n"
        return replace(KNOWN, mapped=read_map(parse_table(text)))

    assert said(room, DOCKERFILE, at("2026-11-23T12:00Z")) == "collected"
    assert said(room, b"FROM old\n", at("2026-11-23T12:59+01:00")) == "kept: what was collected before is newer"
    assert said(room, DOCKERFILE) == "unchanged"
    assert of(room, "ada1")["timestamp.txt"] == b"2026-11-23 12:00:00.000000 UTC\n"
    assert said(room, DOCKERFILE, at("2026-11-23T13:30Z")) == "replaced by the newer one"
    assert Collected(room, "order").records["ada1"].submitted == datetime(2026, 11, 23, 13, 30, tzinfo=UTC).isoformat()


def test_a_collection_that_was_cut_off_is_finished_by_the_next(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said(room, DOCKERFILE)
    rename = Path.rename

    def dies(path: Path, target: Path) -> Path:
        if "partial" in path.parts:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", dies)
    with pytest.raises(KeyboardInterrupt):
        said(room, b"FROM new\n", number=901)
    monkeypatch.undo()
    assert in_folder(room / "collected/replaced/order/ada1") == {"Dockerfile": DOCKERFILE}
    assert said(room, b"FROM new\n", number=901) == "collected"
    assert of(room, "ada1") == {"Dockerfile": b"FROM new\n"}


def test_a_source_that_is_none_is_said(room: Path) -> None:
    with pytest.raises(CourseError, match="cannot be read"):
        collected(room, room.parent / "nothing.zip")
    (room.parent / "text.zip").write_text("no zip")
    with pytest.raises(CourseError, match="damaged or none"):
        collected(room, room.parent / "text.zip")
    with pytest.raises(CourseError, match="no grading worksheet"):
        read_worksheet(parse_table("Bezeichner,Bewertung\n"))
