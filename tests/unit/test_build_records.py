"""The notes of builds, which many processes look after at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from course.builds.record import BuildNote, Work, forget, noted_sessions, notes, remember
from course.folders import HOME_VARIABLE

HERE, ELSEWHERE = "unix:///here.sock", "tcp://elsewhere:2376"


def note(engine: str, number: int) -> BuildNote:
    return BuildNote(session="1-1", engine=engine, work=(Work(is_command=True, started=number, ended=number + 1),))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))


def test_notes_of_another_engine_stay_once_however_many_forget_at_a_time() -> None:
    for number in range(200):
        remember(note(HERE, number))
        remember(note(ELSEWHERE, number))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: forget(HERE, ["1-1"]), range(40)))
    assert notes(HERE, ["1-1"]) == ()
    assert notes(ELSEWHERE, ["1-1"]) == tuple(note(ELSEWHERE, number) for number in range(200))


def test_a_session_without_notes_leaves_no_file() -> None:
    remember(note(HERE, 1))
    assert noted_sessions() == ("1-1",)
    forget(HERE, ["1-1", "2-2"])
    assert noted_sessions() == ()
