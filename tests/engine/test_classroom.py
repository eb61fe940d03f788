"""A small class on real replays and with real nbgrader: graded, killed, resumed, and on a cluster."""

import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from classes import ASSIGNMENT, CORPUS, UNSANDBOXED, SchoolClass
from distributed import LocalCluster
from docker import DockerClient
from docker.models.containers import Container

from course import labels
from course.folders import HOME_VARIABLE

pytestmark = pytest.mark.engine

LATE = "2026-03-01 12:00:00 UTC"
ODD = "c.y d {é}+(1)"
SCORES = {"ada": 10, "bob": 7, ODD: 0, "dan": 3}
GONE_S = 60


def make_class(folder: Path) -> SchoolClass:
    """Right, wrong, empty, and one with a broken notebook, beside things that no folder should hold."""
    made = SchoolClass(folder=folder)
    made.hand_in("ada", CORPUS / "layers/right-two-stages")
    bob = made.hand_in("bob", CORPUS / "layers/wrong-deleted-later")
    (bob / "timestamp.txt").write_text(LATE, encoding="utf-8")
    made.hand_in(ODD, None)
    dan = made.hand_in("dan", CORPUS / "cheats/is-no-notebook")
    os.mkfifo(dan / "Dockerfile")
    (dan / "deep/er").mkdir(parents=True)
    (dan / "deep/er/loop").symlink_to(dan)
    (dan / ".dockerignore").symlink_to("/etc/passwd")
    return made


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, client: DockerClient) -> SchoolClass:
    made = make_class(tmp_path_factory.mktemp("class"))
    rows = made.run("--workers", "2")
    assert {name: row["score"] for name, row in rows.items()} == SCORES
    assert {row["state"] for row in rows.values()} == {"graded"}
    assert {row["level"] for row in rows.values()} == {"unsandboxed"}
    assert rows["dan"]["notes"] == ["layers.ipynb is not a notebook"]
    return made


def test_a_second_run_grades_nothing_twice(undisturbed: SchoolClass) -> None:
    before = undisturbed.marks()
    rows = undisturbed.run()
    assert {row["state"] for row in rows.values()} == {"graded before"}
    assert {name: row["score"] for name, row in rows.items()} == SCORES
    assert undisturbed.marks() == before
    assert {name: marks[1] for name, marks in before.items()} == SCORES  # type: ignore[index]


def test_what_is_handed_in_again_is_graded_again_and_manual_scores_stay(
    undisturbed: SchoolClass, tmp_path: Path
) -> None:
    shutil.copytree(undisturbed.folder, tmp_path / "copy", symlinks=True, ignore=shutil.ignore_patterns("dan"))
    copy = SchoolClass(folder=tmp_path / "copy")
    with copy.gradebook() as book:
        book.find_grade("layers-check", ASSIGNMENT, ASSIGNMENT, "bob").manual_score = 9
        book.db.commit()
    (copy.folder / "submitted/bob/layers/answers.json").unlink()
    rows = copy.run()
    assert (rows["bob"]["state"], rows["bob"]["score"]) == ("graded", 4)
    assert {row["state"] for name, row in rows.items() if name != "bob"} == {"graded before"}
    with copy.gradebook() as book:
        grade = book.find_grade("layers-check", ASSIGNMENT, ASSIGNMENT, "bob")
        assert (grade.auto_score, grade.manual_score, grade.needs_manual_grade) == (4, 9, True)


def test_feedback_shows_the_report_and_nothing_of_the_server(undisturbed: SchoolClass) -> None:
    with undisturbed.start(command="feedback") as process:
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    for student in SCORES:
        page = (undisturbed.folder / f"feedback/{student}/layers/layers.html").read_text(encoding="utf-8")
        assert "Level: unsandboxed" in page
        assert str(undisturbed.folder) not in page
        assert str(CORPUS.parents[1]) not in page
        assert "Traceback (most" not in page
        assert "root:" not in page


def test_a_killed_run_goes_on_where_it_was(
    undisturbed: SchoolClass, tmp_path: Path, client: DockerClient, long: bool
) -> None:
    dice = random.Random(10)
    for number in range(5 if long else 1):
        made = make_class(tmp_path / str(number))
        for kill in range(4):
            kill_in_the_middle(made, dice.uniform(2, 16 if long else 9), whole=kill % 2 == 0)
        made.run("--workers", "2")
        assert made.marks() == undisturbed.marks()
    wait_until_nothing_is_left(client)


def kill_in_the_middle(made: SchoolClass, after_s: float, *, whole: bool) -> None:
    """Start it and kill it, either the parent alone or its workers as well."""
    with made.start("--workers", "2", *UNSANDBOXED) as process:
        deadline = time.monotonic() + after_s
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if process.poll() is None:
            (os.killpg if whole else os.kill)(process.pid, signal.SIGKILL)


def test_an_interrupt_ends_in_order(tmp_path: Path, client: DockerClient) -> None:
    made = make_class(tmp_path)
    with made.start("--workers", "2", *UNSANDBOXED) as process:
        reports = made.folder / "reports" / ASSIGNMENT
        deadline = time.monotonic() + 120
        while not list(reports.glob("[a-z]*.json")) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    wait_until_nothing_is_left(client)


def test_what_could_not_be_graded_is_no_zero(tmp_path: Path) -> None:
    made = SchoolClass(folder=tmp_path)
    made.hand_in("eve", CORPUS / "layers/unknown-base")
    made.hand_in("f[a]y", None)  # which nbgrader reads as a pattern
    rows = made.run("--workers", "2")
    assert {(row["state"], row["score"]) for row in rows.values()} == {("could not grade", None)}
    assert rows["eve"]["reason"]
    assert "cannot take a student whose name" in rows["f[a]y"]["reason"]
    with made.gradebook() as book:
        grade = book.find_grade("layers-check", ASSIGNMENT, ASSIGNMENT, "eve")
        assert (grade.auto_score, grade.needs_manual_grade) == (None, True)


def test_an_engine_and_a_worker_that_die_cost_no_mark(tmp_path: Path, client: DockerClient) -> None:
    made = SchoolClass(folder=tmp_path)
    made.hand_in("ada", CORPUS / "layers/right-two-stages")
    with made.start("--json", *UNSANDBOXED) as process:
        first = container_of(client, process.pid)
        first.kill()
        second = container_of(client, process.pid, other_than=first)
        os.kill(owner_of(second), signal.SIGKILL)
        said, errors = process.communicate()
    assert process.returncode == 0, errors
    (row,) = json.loads(said)["students"]
    assert (row["state"], row["score"]) == ("graded", 10)
    wait_until_nothing_is_left(client)


def container_of(client: DockerClient, pid: int, other_than: Container | None = None) -> Container:
    """The replay engine of a worker of this process, once there is one, as soon as it runs."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        workers = {child.pid for child in psutil.Process(pid).children(recursive=True)}
        for one in client.containers.list(filters=labels.owned_filter(), ignore_removed=True):
            if owner_of(one) in workers and one.id != (other_than and other_than.id):
                return one
        time.sleep(0.1)
    raise AssertionError("no worker started an engine")


def owner_of(container: Container) -> int:
    """The process that made a container."""
    return int((labels.made_by(container.labels) or "0").partition("-")[0])


@pytest.fixture
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as started:  # type: ignore[no-untyped-call]
        yield started


def test_a_cluster_gives_the_same_gradebook(undisturbed: SchoolClass, tmp_path: Path, cluster: LocalCluster) -> None:
    made = make_class(tmp_path)
    rows = made.run("--scheduler", cluster.scheduler_address)
    assert {name: row["score"] for name, row in rows.items()} == SCORES
    assert made.marks() == undisturbed.marks()


def test_a_level_that_is_not_to_be_had_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_class(tmp_path / "class")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))  # where no virtual machine is built
    with made.start("--level", "isolated") as process:
        _, errors = process.communicate()
    assert process.returncode == 1
    assert "isolated" in errors
    assert not (made.folder / "reports").exists()


def wait_until_nothing_is_left(client: DockerClient) -> None:
    """A worker whose parent was killed removes its own engine; what a killed worker left the next run removes."""
    deadline = time.monotonic() + GONE_S
    while left := left_by_the_dead(client):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def left_by_the_dead(client: DockerClient) -> list[str]:
    """Containers and temporary folders whose process is gone."""
    mine = client.containers.list(all=True, filters=labels.owned_filter(), ignore_removed=True)
    folders = {path.name: labels.folder_session(path.name) for path in Path(tempfile.gettempdir()).iterdir()}
    return [
        *(str(one.name) for one in mine if not labels.is_alive(labels.made_by(one.labels) or "")),
        *(name for name, session in folders.items() if session and not labels.is_alive(session)),
    ]
