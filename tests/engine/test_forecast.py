"""What is predicted on an engine that has dropped cache since."""

import uuid
from pathlib import Path

import pytest
from docker import DockerClient

from course.clean import clean_session
from course.forecast import explain, hand_on, take_over

pytestmark = pytest.mark.engine


def test_dropped_cache_is_said_and_not_guessed(
    client: DockerClient, busybox: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYER_BY_LAYER_HOME", str(tmp_path / "home"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "Dockerfile").write_text(f"FROM busybox:stable\nRUN echo {uuid.uuid4()}\nRUN echo again\n")
    explain(client, project)
    kept = explain(client, project)
    assert [one.verdict for one in kept.predictions] == ["HIT", "HIT", "HIT"]
    assert not kept.surprises
    clean_session(client)
    after = explain(client, project)
    assert [one.verdict for one in after.predictions] == ["HIT", "DEPENDS", "DEPENDS"]
    assert [step.status for step in after.trace.steps][1:] == ["RAN", "RAN"]
    again = explain(client, project)
    assert [one.verdict for one in again.predictions] == ["HIT", "HIT", "HIT"]
    assert not again.surprises


def test_what_was_learned_of_an_engine_is_handed_on_with_it(
    client: DockerClient, busybox: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, carried = tmp_path / "project", tmp_path / "carried"
    project.mkdir()
    carried.mkdir()
    (project / "Dockerfile").write_text(f"FROM busybox:stable\nRUN echo {uuid.uuid4()}\n")
    monkeypatch.setenv("LAYER_BY_LAYER_HOME", str(tmp_path / "builder"))
    explain(client, project)
    hand_on(client, carried)
    monkeypatch.setenv("LAYER_BY_LAYER_HOME", str(tmp_path / "learner"))
    take_over(tmp_path / "missing")
    take_over(carried)
    first = explain(client, project)
    assert [one.verdict for one in first.predictions] == ["HIT", "HIT"]
    assert not first.surprises
