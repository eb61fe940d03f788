"""A process killed in the middle of an experiment: the next clean-up removes all of it, and nothing else."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from docker import DockerClient

from course import images, labels
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


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_nothing_is_left_of_a_killed_experiment_and_nothing_else_is_touched(
    client: DockerClient, experiment: str, long: bool
) -> None:
    images.ensure(client, ("mongo:8", "node:24-slim"), consent=True)
    stranger = client.volumes.create("strangers-own")
    body = "".join(f"    {line}\n" for line in EXPERIMENTS[experiment].splitlines())
    dice = random.Random(experiment)
    try:
        for _ in range(8 if long else 2):
            session = kill_in_the_middle(START + body, dice.uniform(0.2, 4.0))
            clean(client)
            assert left_of(client, session) == []
        assert client.volumes.get("strangers-own")
    finally:
        stranger.remove()


def kill_in_the_middle(code: str, after_s: float) -> str:
    """Run it, kill it, and give the name of its session."""
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
    return session


def left_of(client: DockerClient, session: str) -> list[str]:
    mine: dict[str, str | list[str] | bool] = {"label": f"{labels.SESSION}={session}"}
    return [
        *(str(one.name) for one in client.containers.list(all=True, filters=mine)),
        *(str(one.name) for one in client.networks.list(filters=mine)),
        *(one.name for one in client.volumes.list(filters=mine)),
        *(one["Id"] for one in client.api.images(filters=mine)),
    ]
