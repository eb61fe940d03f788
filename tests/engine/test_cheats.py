"""Cheats beside right answers: none gains a mark, none touches anything else; a few always, all with --long."""

from pathlib import Path

import pytest
from classes import ALWAYS, ASSIGNMENT, CHEATS, CORPUS, SchoolClass, cheats, expected

from graders.cli import main
from graders.rubric import Level
from graders.sandbox import isolated

pytestmark = [pytest.mark.engine, pytest.mark.differs_in_vm]

RIGHT = {"layers": "right-two-stages", "networks": "right-compose", "volumes": "right-compose"}
AFTERWARDS = ("zed", "zoe")
"""Their right answers are the last to be replayed, one by each worker, on what the cheats have left."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A class for each assignment, and of those that an engine gets to see one at the higher level, where each takes
    minutes; without --long one alone.
    """
    every = [*((name, Level.UNSANDBOXED) for name in RIGHT), (ASSIGNMENT, Level.ISOLATED)]
    chosen = every if metafunc.config.getoption("--long") else every[:1]
    metafunc.parametrize(("assignment", "level"), chosen, ids=[f"{name}-{level}" for name, level in chosen])


@pytest.mark.usefixtures("client")
def test_no_cheat_gains_a_mark_or_leaves_a_trace(tmp_path: Path, long: bool, assignment: str, level: Level) -> None:
    if level is Level.ISOLATED and not isolated.is_built():
        assert main(["build-vm"]) == 0
    made = SchoolClass(folder=tmp_path, assignment=assignment)
    chosen = cheats(assignment) if long else ALWAYS[:3]
    if level is Level.ISOLATED:
        chosen = [cheat for cheat in chosen if (CHEATS / cheat / "Dockerfile").is_file()]
    for cheat in chosen:
        made.hand_in_cheat(cheat)
    for student in AFTERWARDS if long else AFTERWARDS[:1]:
        made.hand_in(student, CORPUS / assignment / RIGHT[assignment])
    rows = made.run("--workers", "2", "--level", level)
    assert {name: rows[name]["score"] for name in chosen} == {name: expected(name)["score"] for name in chosen}
    assert {row["score"] for name, row in rows.items() if name in AFTERWARDS} == {10}
    assert {row["level"] for row in rows.values()} <= {level, None}
    for cheat in chosen:
        for name in expected(cheat)["files"]:
            assert not (tmp_path / name).exists(), cheat
        shown = made.feedback(cheat) if "unseen" in expected(cheat) else ""
        assert not [text for text in expected(cheat).get("unseen", ()) if text in shown], cheat
    with made.gradebook() as book:
        for submission in book.assignment_submissions(assignment):
            score = rows[submission.student_id]["score"]
            assert (submission.score, bool(submission.needs_manual_grade)) == (score or 0, score is None)
