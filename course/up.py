"""The course from nothing: an engine, the images, then JupyterLab, a line for each.

Enters: what may be installed and where to serve. Leaves: a JupyterLab that runs until it is interrupted.
Starts processes; may import `course.engine`, `course.images`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

from jupyter_server.serverapp import list_running_servers

from course import engine
from course.errors import CourseError
from course.folders import notebooks_folder

LAB_TIMEOUT_S: Final = 120


def serve(*, port: int | None, browser: bool, docker_host: str | None, say: Callable[[str], None]) -> int:
    """Run JupyterLab at the notebooks until it ends, and return its exit status.

    Where `docker_host` is given, kernels and terminals get it as DOCKER_HOST.
    """
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={notebooks_folder()}",
    ]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"] if port else []
    command += [] if browser else ["--no-browser"]
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does
    environment = {**os.environ, **({"DOCKER_HOST": docker_host} if docker_host else {})}
    lab = subprocess.Popen([*command, "--Application.log_level=ERROR"], stdin=subprocess.DEVNULL, env=environment)
    try:
        say(f"Open     {_address(lab)}")
        say("Stop     Ctrl-C")
        return lab.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _end(lab)


def engine_line(status: engine.EngineStatus) -> str:
    """Which engine it is, in a few words."""
    own = "the course's own" if status.owned else "yours"
    return f"Engine   Docker {status.version}, {own}, at {status.docker_host}"


def _address(lab: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + LAB_TIMEOUT_S
    while time.monotonic() < deadline:
        if lab.poll() is not None:
            raise CourseError(
                f"JupyterLab ended with status {lab.returncode}.", fix="another --port, or read what it printed"
            )
        for server in list_running_servers():
            if server["pid"] == lab.pid:
                return f"{server['url']}lab?token={server['token']}"
        time.sleep(0.1)
    raise CourseError(f"JupyterLab did not start within {LAB_TIMEOUT_S} s.", fix="read what it printed")


def _end(lab: "subprocess.Popen[bytes]") -> None:
    if lab.poll() is None:
        lab.send_signal(signal.SIGTERM)
        try:
            lab.wait(10)
        except subprocess.TimeoutExpired:
            lab.kill()
            lab.wait()
