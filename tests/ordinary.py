"""An ordinary user of this machine: another uid, no groups, no capabilities, and no way to gain any.

The tests run as root, whose Python and project may be where no other user can read. Such a user is given links to them.
"""

import os
import shutil
import site
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
UID, OTHER_UID = 64_301, 64_302


class Ordinary:
    """Runs programs as this user, in `folder`, which is theirs."""

    def __init__(self, folder: Path, uid: int = UID) -> None:
        self.uid = uid
        self.folder = folder
        self.home = folder / "home"
        self.temporary = folder / "tmp"
        for path in (self.home, self.temporary):
            path.mkdir(exist_ok=True, mode=0o700)
            os.chown(path, uid, uid)
        self.python_path = self._link_python()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "USER": "learner",
            "TMPDIR": str(self.temporary),
            "LAYER_BY_LAYER_HOME": str(self.home / "course"),
            "PYTHONPATH": f"{self.folder / 'project'}{os.pathsep}{self.folder / 'packages'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "LD_LIBRARY_PATH": str(self.folder / "python/lib"),
        }

    @property
    def course_home(self) -> Path:
        """Where the course keeps this user's engine."""
        return self.home / "course"

    def command(self, *words: str) -> list[str]:
        """`words` as a command of this user."""
        return command_of(self.uid, *words)

    def python(self, code: str, *words: str, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        """Run Python code that can import the course."""
        return self.run(str(self.python_path), "-c", code, *words, timeout_s=timeout_s)

    def course(self, *words: str, timeout_s: float = 900) -> subprocess.CompletedProcess[str]:
        """`course ...`."""
        return self.run(str(self.python_path), "-m", "course.cli", *words, timeout_s=timeout_s)

    def run(self, *words: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*words), capture_output=True, timeout=timeout_s, check=False, **self._how())

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        """`course ...`, in the background and in a process group of its own."""
        command = self.command(str(self.python_path), "-m", "course.cli", *words)
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True, **self._how())

    def _how(self) -> dict[str, Any]:
        return {"env": self.environment, "cwd": self.home, "stdin": subprocess.DEVNULL, "text": True}

    def _link_python(self) -> Path:
        _link(Path(site.getsitepackages()[0]), self.folder / "packages")
        for name in ("course", "graders", "notebooks"):
            shutil.copytree(PROJECT / name, self.folder / "project" / name, dirs_exist_ok=True)
        _link(Path(sys.base_prefix) / "lib", self.folder / "python/lib")
        _link(Path(sys.base_prefix) / "bin", self.folder / "python/bin")
        _link(Path(sys.prefix) / "share", self.folder / "python/share")
        return self.folder / "python/bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def command_of(uid: int, *words: str) -> list[str]:
    """`words` as a command of an ordinary user."""
    dropped = ["--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", *dropped, *words]


def _link(source: Path, target: Path) -> None:
    """The same files, readable for everybody whose modes allow it; a copy where links cannot be made."""
    if not target.exists():
        for options in ("-al", "-a"):
            target.parent.mkdir(parents=True, exist_ok=True)
            copied = subprocess.run(["cp", options, str(source), str(target)], capture_output=True, check=False)
            if copied.returncode == 0:
                return
            shutil.rmtree(target, ignore_errors=True)
