"""The notes of builds, when several processes drop the same dead session's at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from course.builds import record
from course.builds.record import BuildNote, Work
from course.folders import HOME_VARIABLE


def note(engine: str, started: float) -> BuildNote:
    return BuildNote(session="1-1", engine=engine, work=(Work(is_command=True, started=started, ended=started + 1),))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))


def test_what_was_noted_of_another_engine_stays_once_whoever_forgets_at_the_same_time(tmp_path: Path) -> None:
    for number in range(20):
        record.remember(note("here", number))
        record.remember(note("elsewhere", number))
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda _: record.forget("here", ["1-1"]), range(64)))
    assert record.notes("here", ["1-1"]) == ()
    assert record.notes("elsewhere", ["1-1"]) == tuple(note("elsewhere", number) for number in range(20))
    assert [path.name for path in (tmp_path / "builds").iterdir()] == ["1-1.jsonl"]


def test_notes_that_were_doubled_become_single_and_the_last_ones_go_with_their_file() -> None:
    for _ in range(3):
        record.remember(note("elsewhere", 1))
    record.forget("here", ["1-1"])
    assert record.notes("elsewhere", ["1-1"]) == (note("elsewhere", 1),)
    record.forget("elsewhere", ["1-1"])
    assert record.noted_sessions() == ()
