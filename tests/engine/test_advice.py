"""A proposal, proven: both orders built from nothing and after an edit, with a real npm install."""

import shutil
from pathlib import Path

import pytest
from docker import DockerClient

from course import images
from course.advice import advise, prove
from course.folders import notebooks_folder

pytestmark = [pytest.mark.engine, pytest.mark.long]  # lesson 03 proves a proposal always

NAIVE = """\
FROM node:24-slim
WORKDIR /app
COPY . .
RUN npm install
CMD ["node", "server.js"]
"""


def test_the_proposed_order_keeps_the_image_and_saves_the_install(client: DockerClient, tmp_path: Path) -> None:
    images.ensure(client, ("node:24-slim",), consent=True)
    app = tmp_path / "app"
    shutil.copytree(notebooks_folder() / "apps/live", app)
    (app / "Dockerfile").write_text(NAIVE)
    (app / ".dockerignore").write_text("Dockerfile\n")
    proof = prove(client, advise(app))
    assert proof.edit.startswith("src/")
    assert proof.differing == ()
    ran = {
        order: {step.text for step in order.edited.steps if step.status == "RAN"}
        for order in (proof.now, proof.proposed)
    }
    assert "RUN npm install" in ran[proof.now]
    assert ran[proof.proposed] == {"COPY . ."}
    assert proof.proposed.cost.seconds_per_rebuild < proof.now.cost.seconds_per_rebuild
