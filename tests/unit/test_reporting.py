"""What a command says of its progress where no terminal shows it."""

import pytest

from course.commands import reporting


def test_each_thing_is_a_line_in_a_log_and_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting("Building") as say:
        for doing in ("fetching [all]", "fetching [all]", "booting"):
            say(doing)
    assert capsys.readouterr().err.splitlines() == ["Building", "fetching [all]", "booting"]
