"""Installing what a private engine and the recipes need, with the system's own package manager.

Enters: names of Debian packages. Leaves: them installed. Runs apt-get as root; may import `course.errors`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from course.errors import CourseError

ENGINE_PACKAGES = ("docker.io",)


def engine_is_installed() -> bool:
    """Whether there is a dockerd to start."""
    return shutil.which("dockerd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin") is not None


def allowed(packages: Sequence[str], *, agreed: bool) -> bool:
    """Whether to install: yes when `agreed` beforehand; else a person at a terminal is asked."""
    if agreed:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(
        f"This needs the system package(s) {', '.join(packages)}. Install with apt-get? [y/N] ", end="", file=sys.stderr
    )
    return input().strip().lower() in ("y", "yes")


def install(packages: Sequence[str]) -> None:
    """`apt-get install` these packages; raises `CourseError` with apt's own words."""
    if not packages:
        return
    if shutil.which("apt-get") is None:
        fix = f"install {' and '.join(packages)} with your system's package manager, or Docker Desktop"
        raise CourseError("There is no apt-get on this system.", fix=fix)
    if os.geteuid() != 0:
        raise CourseError(
            f"Installing {', '.join(packages)} needs root.", fix=f"sudo apt-get install {' '.join(packages)}"
        )
    _run(["apt-get", "update", "-qq"])
    _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages])


def _run(command: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
        raise CourseError(f"`{' '.join(command)}` failed: {last[0]}", fix="run it by hand and read all it says")
