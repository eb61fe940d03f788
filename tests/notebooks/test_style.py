"""The rules of the notebooks that a machine can check."""

import json
import re
import statistics
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
CLAIMS = Path(__file__).with_name("claims.md")
VARIES = "nbval-ignore-output"
FORBIDDEN = {
    "an image or container id": r"sha256:[0-9a-f]{12,}|\b[0-9a-f]{64}\b",
    "a path of a machine": r"/(?:home|root|tmp|Users)/\w",
    "a traceback": r"Traceback \(most recent",
    "a date": r"\b20\d\d-\d\d-\d\d\b",
}


def cells(notebook: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == kind]


def lines(cell: dict[str, Any]) -> list[str]:
    return [line for line in "".join(cell["source"]).splitlines() if line.strip()]


def shows_picture(cell: dict[str, Any]) -> bool:
    return any("image/svg+xml" in output.get("data", {}) for output in cell.get("outputs", ()))


def test_there_are_lessons() -> None:
    assert LESSONS


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_cells_are_short(lesson: Path) -> None:
    lengths = [len(lines(cell)) for cell in cells(lesson, "code")]
    assert max(lengths) <= 12
    assert statistics.median(lengths) <= 4


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_opens_with_a_question_and_ends_with_what_was_shown(lesson: Path) -> None:
    prose = ["".join(cell["source"]) for cell in cells(lesson, "markdown")]
    assert "?" in prose[0].splitlines()[0]
    assert "pin to the wall" in prose[-1]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_stored_outputs_hold_nothing_that_changes(lesson: Path) -> None:
    for cell in cells(lesson, "code"):
        stored = json.dumps(cell["outputs"])
        for what, pattern in FORBIDDEN.items():
            assert not re.search(pattern, stored), f"{what} in the output of {cell['source']}"
        if VARIES not in cell["metadata"].get("tags", ()):
            assert not re.search(r"\b\d+\.\d s\b", stored), f"seconds in the output of {cell['source']}"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_picture_is_followed_by_prose_or_a_proof(lesson: Path) -> None:
    every = json.loads(lesson.read_text())["cells"]
    for cell, following in zip(every, [*every[1:], None], strict=True):
        if shows_picture(cell):
            assert following is not None
            assert not shows_picture(following)


def test_every_claim_is_tested_by_a_cell_that_exists() -> None:
    known = {(path.stem, cell["id"]) for path in LESSONS for cell in cells(path, "code")}
    rows = [line.split("|")[2] for line in CLAIMS.read_text().splitlines() if line.startswith("| ")][1:]
    assert rows
    for row in rows:
        for part in row.split(";"):
            lesson, _, ids = part.strip().partition(": ")
            assert {(lesson, one.strip()) for one in ids.split(",")} <= known, row
