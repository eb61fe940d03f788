"""What commands say of their progress in a log, and of what fails."""

import os
import pty
import select
import subprocess
import sys
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


def test_a_question_in_a_terminal_stays_until_it_is_answered() -> None:
    ask = (
        "from course.commands import reporting\nfrom course.engine.install import allowed\n"
        "with reporting('Looking'):\n    print(allowed(['docker.io'], agreed=False))\n"
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", ask], stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while b"[y/N] " not in shown:
            shown += os.read(ours, 1024)
        assert not select.select([ours], [], [], 0.5)[0], "nothing is written over it"
        os.write(ours, b"y\n")
        process.wait(timeout=30)
    assert b"True" in os.read(ours, 1024)
    os.close(ours)


def test_a_folder_that_cannot_be_made_is_said_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "file/home"))
    assert main(["engine", "reset"]) == 1
    assert "Not a directory" in capsys.readouterr().err
