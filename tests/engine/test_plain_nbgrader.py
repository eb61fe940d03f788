"""nbgrader's own commands, with the course's configuration and without `graders run`: the same marks. --long only."""

from pathlib import Path

import pytest
from classes import ALWAYS, ASSIGNMENT, CORPUS, SchoolClass, expected

pytestmark = [pytest.mark.engine, pytest.mark.long, pytest.mark.differs_in_vm]


@pytest.mark.usefixtures("client")
def test_plain_nbgrader_gives_the_same_marks(tmp_path: Path) -> None:
    """It goes through the submitted folders by itself, which ends for the whole class where one is like these."""
    made = SchoolClass(folder=tmp_path)
    for cheat in ALWAYS:
        made.hand_in_cheat(cheat)
    made.hand_in("right", CORPUS / "layers/right-two-stages")
    (tmp_path / "submitted/right/layers/layers.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "submitted/right/layers/stolen").symlink_to("/etc/passwd")
    made.nbgrader("generate_assignment", ASSIGNMENT)
    made.nbgrader("autograde", ASSIGNMENT, "--PutReports.level=unsandboxed")
    with made.gradebook() as book:
        scores = {one.student_id: one.score for one in book.assignment_submissions(ASSIGNMENT)}
    assert scores == {"right": 10} | {name: expected(name)["score"] for name in ALWAYS}
    kept = {path.name for path in (tmp_path / "autograded/right/layers").iterdir()}
    assert kept == {"Dockerfile", ".dockerignore", "answers.json", "layers.ipynb"}
