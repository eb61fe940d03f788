"""Builds every row of cache_rows.py, each predicted first, and the rules that no row can state."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cache_rows import HIT, MISS, ROWS, Edit, Row, chmod, made, nothing
from docker import DockerClient

from course.baseimages import with_engine
from course.builds import build
from course.cache import BuildInput, Prediction, Predictor
from course.context import fingerprints, open_context
from course.dockerfile import parse

pytestmark = [pytest.mark.engine, pytest.mark.slow_emulated, pytest.mark.usefixtures("busybox")]


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A context that no other test's build has seen."""
    salt = str(time.time_ns())
    for name in ("salt", "a.txt", "same.txt"):
        (tmp_path / name).write_text(salt)
    for name in ("b.txt", "d/e", "p/a", "q/a", "q/b", "ignored/x", "t.tar"):
        made(tmp_path / name).write_text(salt + name.rpartition("/")[2])
    (tmp_path / "l").symlink_to("a.txt")
    (tmp_path / "d/l").symlink_to("nowhere")
    (tmp_path / ".dockerignore").write_text("ignored\n")
    yield tmp_path


class Experiment:
    """Builds of one folder, each predicted first."""

    def __init__(self, client: DockerClient, root: Path) -> None:
        self.client, self.root, self.predictor = client, root, Predictor()

    def build(self, text: str, edit: Edit = nothing, **told: Any) -> tuple[tuple[Prediction, ...], list[str]]:
        (self.root / "Dockerfile").write_text(text)
        edit(self.root)
        asked = BuildInput(
            dockerfile=parse((self.root / "Dockerfile").read_bytes().decode()),
            files=fingerprints(open_context(self.root)),
            **told,
        )
        asked = with_engine(self.client, asked)
        predictions = self.predictor.predict(asked)
        trace = build(self.client, self.root, **told)
        assert trace.ok, trace.error
        statuses = [step.status.value for step in trace.steps]
        self.predictor.observe(asked, statuses)
        return predictions, statuses


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "_"))
def test_row(row: Row, client: DockerClient, root: Path) -> None:
    kit = with_engine(client, BuildInput(dockerfile=parse("FROM scratch\n"))).buildkit
    if not row.needs(kit):
        return
    lines = [row.lines, row.lines if row.after is None else row.after]
    if row.base == "FROM busybox:stable":  # the salt is in the lines
        lines = [line.replace("/salt", f"/{(root / 'salt').read_text()}") for line in lines]
    experiment = Experiment(client, root)
    experiment.build(f"{row.base}\n{lines[0]}\n", **row.told)
    told = row.told if row.told_after is None else row.told_after
    predictions, statuses = experiment.build(f"{row.base}\n{lines[1]}\n", row.edit, **told)
    agrees = {"HIT": ("REUSED",), "MISS": ("RAN",), "METADATA": ("METADATA",), "NOT_NEEDED": ("NOT_NEEDED",)}
    for prediction, status in zip(predictions, statuses, strict=True):
        assert status in agrees[prediction.verdict.value], (prediction, status)
    assert predictions[row.step].verdict.value == row.expected
    assert predictions[row.step].reason


def test_a_build_after_another_and_back_hits(client: DockerClient, root: Path) -> None:
    experiment = Experiment(client, root)
    base = "FROM busybox:stable\nCOPY salt /\n"
    experiment.build(f"{base}RUN : a\n")
    experiment.build(f"{base}RUN : b\n")
    assert experiment.build(f"{base}RUN : a\n")[1][-1] == "REUSED"
    experiment.build(f"{base}RUN : a\n", no_cache=True)
    predictions, statuses = experiment.build(f"{base}RUN : a\n")
    assert statuses[-1] == "REUSED"
    assert predictions[-1].verdict.value == "HIT"


def test_an_unused_stage_is_not_needed_and_its_edit_changes_nothing(client: DockerClient, root: Path) -> None:
    experiment = Experiment(client, root)
    used = "FROM busybox:stable\nCOPY salt /\n"
    experiment.build(f"FROM busybox:stable AS unused\nRUN : a\n{used}")
    predictions, statuses = experiment.build(f"FROM busybox:stable AS unused\nRUN : b\n{used}")
    assert statuses == ["NOT_NEEDED", "NOT_NEEDED", "REUSED", "REUSED"]
    assert [p.verdict.value for p in predictions] == ["NOT_NEEDED", "NOT_NEEDED", "HIT", "HIT"]


def test_removing_the_resulting_image_keeps_the_cache(client: DockerClient, root: Path) -> None:
    text = "FROM busybox:stable\nCOPY salt /\nRUN : a\n"
    experiment = Experiment(client, root)
    (root / "Dockerfile").write_text(text)
    trace = build(client, root)
    client.api.remove_image(trace.image_id, force=True)
    experiment.build(text)
    assert experiment.build(text)[1] == ["REUSED"] * 3


@pytest.mark.parametrize(
    ("change", "run", "copy"),
    [
        ("RUN echo more > /more", MISS, MISS),
        ("ENV MORE=1", MISS, HIT),
        ("LABEL more=1", HIT, HIT),
        ("", HIT, HIT),
    ],
    ids=["layers", "ENV", "LABEL", "retag"],
)
def test_another_base_image(change: str, run: str, copy: str, client: DockerClient, root: Path, tmp_path: Path) -> None:
    names = [f"layer-by-layer-test/{(root / 'salt').read_text()}:{n}" for n in (1, 2)]
    origin = made(root / "ignored/base/Dockerfile").parent
    for name, line in zip(names, ("", change), strict=True):
        (origin / "Dockerfile").write_text(f"FROM busybox:stable\nENV ONE={root.name}\n{line}\n")
        assert build(client, origin, tag=name).ok
    try:
        experiment = Experiment(client, root)
        for lines, expected in (("COPY salt /", copy), ("RUN : one", run)):
            experiment.build(f"FROM {names[0]}\n{lines}\n")
            predictions, statuses = experiment.build(f"FROM {names[1]}\n{lines}\n")
            assert predictions[-1].verdict.value == expected
            assert statuses[-1] == {"HIT": "REUSED", "MISS": "RAN"}[expected]
    finally:
        for name in names:
            client.images.remove(name, force=True)


def test_an_owner_on_the_host_changes_nothing(client: DockerClient, root: Path) -> None:
    if os.geteuid() != 0:  # only root can give files away; the fingerprint has no owner in any case
        assert all(file.owner == "0:0" for file in fingerprints(open_context(root)))
        return
    text = "FROM busybox:stable\nCOPY a.txt /\n"
    experiment = Experiment(client, root)
    experiment.build(text)
    predictions, statuses = experiment.build(text, lambda path: os.chown(path / "a.txt", 12345, 12345))
    assert (predictions[-1].verdict.value, statuses[-1]) == ("HIT", "REUSED")


def test_the_set_user_bit_counts(client: DockerClient, root: Path) -> None:
    text = "FROM busybox:stable\nCOPY a.txt /\n"
    experiment = Experiment(client, root)
    experiment.build(text)
    predictions, statuses = experiment.build(text, chmod("a.txt", 0o644 | stat.S_ISUID))
    assert (predictions[-1].verdict.value, statuses[-1]) == ("MISS", "RAN")


def test_extended_attributes_of_users_count(client: DockerClient, root: Path) -> None:
    text = "FROM busybox:stable\nCOPY a.txt /\n"
    experiment = Experiment(client, root)
    experiment.build(text)

    def edit(path: Path) -> None:
        os.setxattr(path / "a.txt", "user.note", b"1")

    predictions, statuses = experiment.build(text, edit)
    assert (predictions[-1].verdict.value, statuses[-1]) == ("MISS", "RAN")
    assert "extended attributes" in predictions[-1].reason
