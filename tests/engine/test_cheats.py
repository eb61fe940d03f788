"""Cheats beside a right answer: none gains a mark, none touches anything else; a few always, all with --long."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from classes import CORPUS, PROJECT, SchoolClass, cheats, expected

from graders.autograde.place import CLASS_VARIABLE

pytestmark = pytest.mark.engine

ALWAYS = ("comes-from-the-future", "doubles-the-test", "is-no-notebook", "links-to-the-solution", "skips-the-test")


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


@pytest.mark.usefixtures("client")
def test_plain_nbgrader_gives_the_same_marks(tmp_path: Path, long: bool) -> None:
    """It goes through the submitted folders by itself, which ends for the whole class where one is like these."""
    made = SchoolClass(folder=tmp_path)
    chosen = [name for name in ALWAYS if long or name == "doubles-the-test"]
    for cheat in chosen:
        made.hand_in_cheat(cheat)
    made.hand_in("right", CORPUS / "layers/right-two-stages")
    (tmp_path / "submitted/right/layers/layers.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "submitted/right/layers/stolen").symlink_to("/etc/passwd")
    for words in (["generate_assignment", "layers"], ["autograde", "layers", "--PutReports.level=unsandboxed"]):
        settings = {CLASS_VARIABLE: str(tmp_path), "JUPYTER_CONFIG_DIR": str(PROJECT / "graders/autograde")}
        command = [sys.executable, "-m", "nbgrader", *words]
        done = subprocess.run(
            command, cwd=PROJECT, env=os.environ | settings, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
    with made.gradebook() as book:
        scores = {one.student_id: one.score for one in book.assignment_submissions("layers")}
    assert scores == {"right": 10} | {name: expected(name)["score"] for name in chosen}
    kept = {path.name for path in (tmp_path / "autograded/right/layers").iterdir()}
    assert kept == {"Dockerfile", ".dockerignore", "answers.json", "layers.ipynb"}
