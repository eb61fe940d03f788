"""The order experiment on a real engine, with a real npm install: --long only, since lesson 03 makes it, too."""

import json
from pathlib import Path

import pytest
from docker import DockerClient

from course import images, labels
from course.lab import OrderExperiment, Project, run_order_experiment

pytestmark = [pytest.mark.engine, pytest.mark.long, pytest.mark.slow_emulated]
API = Path(__file__).parents[2] / "notebooks/apps/api"


@pytest.fixture(scope="module")
def experiment(client: DockerClient) -> OrderExperiment:
    images.ensure(client, ("node:24-slim",), consent=True)
    return run_order_experiment(client)


def status(experiment: OrderExperiment, number: int, text: str) -> str:
    return next(s["status"] for s in experiment.to_json()["builds"][number]["steps"] if s["text"] == text)


def test_the_first_build_of_each_order_runs_everything(experiment: OrderExperiment) -> None:
    for number in (0, 2):
        assert status(experiment, number, "RUN npm install") == "RAN"
        assert status(experiment, number, "RUN npx prisma generate") == "RAN"


def test_in_the_naive_order_an_edit_of_the_source_installs_everything_again(experiment: OrderExperiment) -> None:
    assert status(experiment, 1, "RUN npm install") == "RAN"


def test_in_the_good_order_the_same_edit_reuses_the_install(experiment: OrderExperiment) -> None:
    assert status(experiment, 3, "RUN npm install") == "REUSED"
    assert status(experiment, 3, "RUN npx prisma generate") == "REUSED"
    assert status(experiment, 3, "COPY . .") == "RAN"


def test_the_json_names_each_build_and_what_was_saved(experiment: OrderExperiment) -> None:
    data = json.loads(json.dumps(experiment.to_json()))
    assert [(one["dockerfile"], one["edit"]) for one in data["builds"]] == [
        ("naive", None),
        ("naive", "src/index.js"),
        ("ordered", None),
        ("ordered", "src/index.js"),
    ]
    assert data["saved_seconds"] > 1


def test_the_api_that_was_built_starts_and_answers(client: DockerClient) -> None:
    with Project(API, client=client, dockerfile="ordered.Dockerfile") as project:
        trace = project.build(no_cache=False)
    assert trace.image_id
    container = client.containers.run(trace.image_id, detach=True, labels=labels.labels())
    try:
        ask = (
            "for (let n = 0; n < 100; n++) try {"
            "  console.log(await (await fetch('http://localhost:3000/health')).text()); break"
            "} catch { await new Promise(r => setTimeout(r, 100)) }"
        )
        code, answer = container.exec_run(["node", "-e", ask])
        assert (code, json.loads(answer)) == (0, {"status": "ok"})
    finally:
        container.remove(force=True)
