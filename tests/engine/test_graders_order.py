"""The `order` assignment on a real engine: at the terminal, in a notebook, and with nbgrader."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from docker import DockerClient
from nbgrader.api import Gradebook

from course import images
from course.clean import clean
from graders.autograde.ungradable import KeepUngraded
from graders.rubric import could_not_check
from graders.rubrics.order import RUBRIC

pytestmark = [pytest.mark.engine, pytest.mark.differs_in_vm]

PROJECT = Path(__file__).parents[2]
CORPUS = PROJECT / "tests/corpus/order"
TOOLS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
"""nbgrader looks for `alembic` on the PATH."""


@pytest.fixture(scope="module", autouse=True)
def node(client: DockerClient) -> None:
    images.ensure(client, ("node:24-slim",), consent=True)


def graders_check(folder: Path) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "graders.cli", "check", "order", str(folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def test_the_judge_leaves_nothing_behind(client: DockerClient) -> None:
    clean(client)
    graders_check(CORPUS / "wrong-faked")
    assert clean(client).total == 0


def test_outcomes_are_told_as_soon_as_they_are_known(client: DockerClient) -> None:
    command = [sys.executable, "-m", "graders.cli", "check", "order", str(CORPUS / "wrong-broken"), "--stream"]
    began, told = time.monotonic(), []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told.append((json.loads(line), time.monotonic() - began))
    outcomes = [(event["outcome"]["id"], seconds) for event, seconds in told if "outcome" in event]
    report = told[-1][0]["report"]
    assert outcomes[0][0] == "nothing_leaks_in"
    assert {name for name, _ in outcomes} == {outcome["id"] for outcome in report["outcomes"]}
    print(f"\nfirst outcome after {outcomes[0][1]:.1f} s, the report after {told[-1][1]:.1f} s")


def test_a_folder_or_an_assignment_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for words in (["order", str(tmp_path / "nowhere")], ["nonsense", str(tmp_path)]):
        command = [sys.executable, "-m", "graders.cli", "check", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "Try:" in done.stderr
        assert "Traceback" not in done.stderr


def test_without_an_engine_nothing_is_graded_and_nothing_is_a_zero(tmp_path: Path) -> None:
    lonely = {**os.environ, "DOCKER_HOST": "unix:///nowhere.sock", "LAYER_BY_LAYER_HOME": str(tmp_path), "PATH": ""}
    command = [sys.executable, "-m", "graders.cli", "check", "order", str(CORPUS / "wrong-faked"), "--json"]
    code = "import sys; from course.engine import find; find._usual_sockets = lambda: iter(()); "
    code += "from course.engine import native; native.obstacle = lambda: 'none can be started here'; "
    code += "from graders.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *command[3:]], env=lonely, capture_output=True, text=True, check=False
    )
    report = json.loads(done.stdout)
    assert done.returncode == 3
    assert not report["gradable"]
    assert {outcome["status"] for outcome in report["outcomes"]} == {"COULD_NOT_CHECK"}


@pytest.mark.long
def test_nbgrader_releases_grades_and_explains(tmp_path: Path, client: DockerClient) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns(".git", ".venv", "build", "my-work", "tests"))
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(project / "graders/autograde"),
        "PYTHONPATH": str(project),
        "PATH": TOOLS,
    }

    def nbgrader(*words: str) -> None:
        command = [sys.executable, "-m", "nbgrader", *words]
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    nbgrader("generate_assignment", "order")
    release = project / "build/nbgrader/release/order"
    assert (release / "src/index.js").exists()
    assert not (release / "solution").exists()
    assert "npm ci" not in "".join(
        path.read_text() for path in release.rglob("*") if path.is_file() and path.suffix in (".ipynb", "")
    )
    for student in ("wrong-faked", "wrong-broken"):
        submitted = project / "build/nbgrader/submitted" / student / "order"
        shutil.copytree(release, submitted)
        shutil.copyfile(CORPUS / student / "Dockerfile", submitted / "Dockerfile")
        shutil.copyfile(CORPUS / student / ".dockerignore", submitted / ".dockerignore")
    (project / "build/nbgrader/submitted/wrong-broken/order/.dockerignore").write_text("")
    nbgrader("autograde", "order", "--PutReports.level=unsandboxed")
    nbgrader("generate_feedback", "order")
    nbgrader("export", "--to", str(tmp_path / "grades.csv"))
    rows = (tmp_path / "grades.csv").read_text().splitlines()
    score = rows[0].split(",").index("score")
    scores = {row.split(",")[3]: float(row.split(",")[score]) for row in rows[1:]}
    assert scores == {"wrong-faked": 1.0, "wrong-broken": 0.0}
    page = (project / "build/nbgrader/feedback/wrong-broken/order/order.html").read_text()
    assert "unknown instruction: INSTALL" in page
    assert "<svg" not in page, "nothing was built"
    built = (project / "build/nbgrader/feedback/wrong-faked/order/order.html").read_text()
    assert "Built again after an edit of the source" in built
    assert built.count("<svg") == 3
    assert str(tmp_path) not in page
    assert "Traceback (most recent" not in page


def test_what_could_not_be_graded_waits_for_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", TOOLS)
    info = {"db_url": f"sqlite:///{tmp_path}/g.db", "notebook": "order", "assignment": "order", "student": "s"}
    with Gradebook(info["db_url"]) as gradebook:
        gradebook.add_assignment("order")
        gradebook.add_notebook("order", "order")
        gradebook.add_grade_cell("c", "order", "order", max_score=10, cell_type="code")
        gradebook.add_student("s")
        gradebook.add_submission("order", "s")
        gradebook.find_grade("c", "order", "order", "s").auto_score = 10
        gradebook.db.commit()
    cell = nbformat.v4.new_code_cell("check('order')")
    cell.metadata.nbgrader = {"grade": True, "solution": False, "grade_id": "c", "points": 10, "schema_version": 3}
    shown = could_not_check(RUBRIC, "no engine")._repr_mimebundle_()
    cell.outputs = [nbformat.v4.new_output("execute_result", shown)]
    KeepUngraded().preprocess_cell(cell, {"nbgrader": info}, 0)
    with Gradebook(info["db_url"]) as gradebook:
        grade = gradebook.find_grade("c", "order", "order", "s")
        assert grade.auto_score is None
        assert grade.needs_manual_grade
