"""A process killed in the middle of an experiment: the next clean-up removes all of it, and nothing else."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from docker import DockerClient
from docker_cli import find_cli

from course import images, labels
from course.builds import record
from course.clean import clean
from course.folders import notebooks_folder

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]

EXPERIMENTS = {
    "hiding": "from course.lab.mounts import run_hiding_experiment as run; run(scratch)",
    "ownership": "from course.lab.mounts import run_ownership_experiment as run; run(scratch)",
    "removal": "from course.lab.mounts import run_removal_experiment as run; run(scratch)",
    "persistence": "from course.lab.persistence import run_persistence_experiment as run; run(scratch)",
    "reload": "from course.lab.reload import run_reload_experiment as run; run(scratch, Path(sys.argv[1]))",
    "reach": (
        "from course.lab import measure_reach, read_setup\n"
        "web = scratch.network('web')\n"
        "for name in ('a', 'b', 'c'):\n"
        "    scratch.run('busybox:stable', ['sleep', '100'], name=name, networks=[web], listens=[80])\n"
        "while True: measure_reach(scratch.client, read_setup(scratch.client))"
    ),
}
START = (
    "import sys\nfrom pathlib import Path\nfrom course import labels\nfrom course.engine import connect\n"
    "from course.lab import Scratch\n"
    "with Scratch(connect(start=False)) as scratch:\n    print(labels.session(), scratch.folder, flush=True)\n"
)


FINISHING_S = 20
"""A build that the engine was about to finish when its client was killed may still become an image."""


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_nothing_is_left_of_a_killed_experiment_and_nothing_else_is_touched(
    client: DockerClient, experiment: str, long: bool, tmp_path: Path
) -> None:
    images.ensure(client, ("mongo:8", "node:24-slim"), consent=True)
    body = "".join(f"    {line}\n" for line in EXPERIMENTS[experiment].splitlines())
    dice = random.Random(experiment)
    with strangers_own(client, tmp_path) as still_there:
        for _ in range(8 if long else 2):
            session, folder = kill_in_the_middle(START + body, dice.uniform(0.2, 4.0))
            clean(client)
            deadline = time.monotonic() + FINISHING_S
            while left_of(client, session) and time.monotonic() < deadline:
                clean(client)
            assert left_of(client, session) == []
            assert not folder.exists()
            assert session not in record.noted_sessions()
        assert still_there()


@contextmanager
def strangers_own(client: DockerClient, folder: Path) -> Iterator[Callable[[], bool]]:
    """One of everything that is not the course's, with no label of it; and whether all of it is still there."""
    name = f"strangers-{uuid4().hex[:8]}"
    (folder / "Dockerfile").write_text(f"FROM busybox:stable\nRUN echo {name}\n")
    network, volume = client.networks.create(name), client.volumes.create(name)
    container = client.containers.run("busybox:stable", ["sleep", "600"], name=name, network=name, detach=True)

    def still_there() -> bool:
        container.reload()
        network.reload()
        volume.reload()
        return bool(container.status == "running" and find_cli().build(client, folder) == image)

    try:
        image = find_cli().build(client, folder)
        assert image
        yield still_there
    finally:
        container.remove(force=True)
        network.remove()
        volume.remove()
        client.images.remove(str(image), force=True)


def kill_in_the_middle(code: str, after_s: float) -> tuple[str, Path]:
    """Run it, kill it, and give the name of its session and its folder."""
    command = [sys.executable, "-c", code, str(notebooks_folder() / "apps/live")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        session, folder = process.stdout.readline().split()
        assert Path(folder).is_dir()
        deadline = time.monotonic() + after_s
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
    return session, Path(folder)


def left_of(client: DockerClient, session: str) -> list[str]:
    mine: dict[str, str | list[str] | bool] = {"label": f"{labels.SESSION}={session}"}
    return [
        *(str(one.name) for one in client.containers.list(all=True, filters=mine)),
        *(str(one.name) for one in client.networks.list(filters=mine)),
        *(one.name for one in client.volumes.list(filters=mine)),
        *(one["Id"] for one in client.api.images(filters=mine)),
    ]
