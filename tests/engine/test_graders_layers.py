"""The `layers` assignment on a real engine: the solution, the learner's own copy, and the findings beside."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from docker import DockerClient
from nbclient import NotebookClient

from course import assignments
from course.assignments import begin, find_assignment
from graders.judge import judge_on
from graders.rubrics.layers import GRADING
from graders.sandbox import ReplayEngine, replay_engine

pytestmark = [pytest.mark.engine, pytest.mark.differs_in_vm]


@pytest.fixture(scope="module")
def engine(client: DockerClient) -> Iterator[ReplayEngine]:
    with replay_engine(client, GRADING.images) as started:
        yield started


def test_the_solution_gets_full_marks_and_the_beginning_its_share(
    engine: ReplayEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assignment = find_assignment("layers")
    report = judge_on(engine, "layers", assignment.folder / "solution")
    assert (repr(report), report.max_score) == ("10", 10)
    monkeypatch.setattr(assignments, "MINE", str(tmp_path))
    mine = begin("layers")
    assert {"given.Dockerfile", "visits.txt", "layers.ipynb", "answers.json"} <= {path.name for path in mine.iterdir()}
    assert repr(judge_on(engine, "layers", mine)) == "3"


def test_findings_stand_below_the_table(client: DockerClient) -> None:
    folder = Path(__file__).parents[1] / "corpus/layers/wrong-given"
    command = [sys.executable, "-m", "graders.cli", "check", "layers", str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["score"] == 6
    assert {"line": 13, "source": "graders"} in [
        {key: one[key] for key in ("line", "source")} for one in report["findings"]
    ]


def test_a_notebook_asks_and_shows_the_report(client: DockerClient, tmp_path: Path) -> None:
    shutil.copytree(find_assignment("layers").folder / "solution", tmp_path, dirs_exist_ok=True)
    cells = ["from graders import check", "report = check('layers')", "report", "report.score"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    live, (shown,), (score,) = (cell.outputs for cell in notebook.cells[1:])
    assert live, "outcomes show while they come in"
    assert "10 of 10" in shown["data"]["text/html"]
    assert "Level: unsandboxed" in shown["data"]["text/html"]
    assert score["data"]["text/plain"] in ("10", "10.0")
