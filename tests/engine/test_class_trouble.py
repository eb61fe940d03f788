"""A class whose run is interrupted, whose engine and workers die, and one on a cluster. --long only."""

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from classes import (
    ASSIGNMENT,
    CORPUS,
    UNSANDBOXED,
    SchoolClass,
    make_class,
    make_class_of_thirty,
    wait_until_nothing_is_left,
)
from distributed import LocalCluster
from docker import DockerClient
from docker.models.containers import Container

from course import labels

pytestmark = [pytest.mark.engine, pytest.mark.long, pytest.mark.differs_in_vm]


def test_an_interrupt_ends_in_order(tmp_path: Path, client: DockerClient) -> None:
    made = make_class(tmp_path)
    for number in range(8):  # so that there is much left to do
        made.hand_in(f"later-{number}", CORPUS / "layers/right-two-stages")
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


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, client: DockerClient) -> SchoolClass:
    """The class of thirty, graded."""
    made = make_class_of_thirty(tmp_path_factory.mktemp("undisturbed"))
    rows = made.run("--workers", "2")
    assert len(rows) == 30
    assert {row["state"] for row in rows.values()} == {"graded"}
    assert {name for name, row in rows.items() if row["score"] == 10} == {
        one for one in rows if one.startswith("right")
    }
    return made


def test_a_class_of_thirty_that_was_killed_twenty_times_ends_as_one_that_was_not(
    undisturbed: SchoolClass, tmp_path: Path, client: DockerClient
) -> None:
    killed = make_class_of_thirty(tmp_path)
    dice = random.Random(30)
    kills = [killed.kill_in_the_middle(dice.uniform(4, 24), whole=kill % 2 == 0) for kill in range(20)]
    assert all(kills[:10]), "there was something left to grade"
    print(f"{sum(kills)} runs were killed")
    killed.run("--workers", "2")
    assert killed.marks() == undisturbed.marks()
    wait_until_nothing_is_left(client)


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
    made = make_class_of_thirty(tmp_path)
    made.run("--scheduler", cluster.scheduler_address)
    assert made.marks() == undisturbed.marks()
