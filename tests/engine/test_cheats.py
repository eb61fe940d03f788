"""Cheats beside a right answer: none gains a mark, none touches anything else; a few always, all with --long."""

from pathlib import Path

import pytest
from classes import ALWAYS, CORPUS, SchoolClass, cheats, expected

pytestmark = pytest.mark.engine


@pytest.mark.usefixtures("client")
def test_no_cheat_gains_a_mark_or_leaves_a_trace(tmp_path: Path, long: bool) -> None:
    made = SchoolClass(folder=tmp_path)
    chosen = cheats() if long else ALWAYS
    for cheat in chosen:
        made.hand_in_cheat(cheat)
    made.hand_in("right", CORPUS / "layers/right-two-stages")
    rows = made.run("--workers", "2")
    assert rows["right"]["score"] == 10
    assert {name: rows[name]["score"] for name in chosen} == {name: expected(name)["score"] for name in chosen}
    for cheat in chosen:
        for name in expected(cheat)["files"]:
            assert not (tmp_path / name).exists(), cheat
    with made.gradebook() as book:
        for submission in book.assignment_submissions("layers"):
            assert submission.score == rows[submission.student_id]["score"]
            assert not submission.needs_manual_grade
