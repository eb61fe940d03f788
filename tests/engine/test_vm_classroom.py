"""A class graded in the virtual machine: the same marks, at the level `isolated`, which takes minutes: --long only."""

from pathlib import Path

import pytest
from classes import CORPUS, SchoolClass

from graders.cli import main
from graders.sandbox import isolated

pytestmark = [pytest.mark.engine, pytest.mark.long]


def test_a_class_is_graded_in_the_virtual_machine(tmp_path: Path) -> None:
    if not isolated.is_built():
        assert main(["build-vm"]) == 0
    made = SchoolClass(folder=tmp_path)
    made.hand_in("ada", CORPUS / "layers/right-two-stages")
    made.hand_in_cheat("links-to-the-solution")
    rows = made.run("--level", "isolated", "--workers", "1")
    assert {name: row["score"] for name, row in rows.items()} == {"ada": 10, "links-to-the-solution": 0}
    assert {row["level"] for row in rows.values()} == {"isolated"}
    rows = made.run("--level", "unsandboxed")  # what was graded better is good enough
    assert {row["state"] for row in rows.values()} == {"graded before"}
