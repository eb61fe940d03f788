"""What commands say of their progress in a log, and of what fails."""

from pathlib import Path

import pytest

from course.cli import main
from course.commands import reporting
from course.folders import HOME_VARIABLE


def test_each_thing_is_a_line_in_a_log_and_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting("Building") as say:
        for doing in ("fetching [all]", "fetching [all]", "booting"):
            say(doing)
    assert capsys.readouterr().err.splitlines() == ["Building", "fetching [all]", "booting"]


def test_a_folder_that_cannot_be_made_is_said_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "file/home"))
    assert main(["engine", "reset"]) == 1
    assert "Not a directory" in capsys.readouterr().err
