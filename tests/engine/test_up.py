"""`course up`, as it is run by who begins, or by a supervisor."""

import os
import subprocess
import sys
from urllib.request import urlopen

import psutil
import pytest
from docker import DockerClient
from jupyter_server.serverapp import list_running_servers

pytestmark = pytest.mark.engine


def test_up_serves_the_lessons_until_it_is_told_to_end(client: DockerClient) -> None:
    command = [sys.executable, "-m", "course.cli", "up", "--install", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COLUMNS": "200"}) as up:
        assert up.stdout is not None
        said = []
        for line in up.stdout:
            said.append(line)
            if line.startswith("Stop"):
                break
        address = next(line.split()[1] for line in said if line.startswith("Open"))
        lab = next(one["pid"] for one in list_running_servers() if one["token"] in address)
        with urlopen(address.replace("/lab?", "/api/contents/03-order.ipynb?"), timeout=30) as answer:
            assert answer.status == 200
        up.terminate()
        assert up.wait(30) == 0
    assert not psutil.pid_exists(lab)
