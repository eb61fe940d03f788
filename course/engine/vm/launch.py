"""Starting keepers, and asking them.

Enters: a `Task`. Leaves: a running machine, or `CourseError` with what it said. Starts processes; may import
`course.errors` and its neighbours.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final

from course.engine.vm.keeper import FILES, Task, realm
from course.engine.vm.place import is_own
from course.errors import CourseError

_COURSE: Final = Path(__file__).parents[2]
_BOOTSTRAP: Final = """
import sys, types
for name, path in {packages!r}.items():
    package = types.ModuleType(name)
    package.__path__ = [path]
    sys.modules[name] = package
from course.engine.vm.keeper import main
sys.exit(main(sys.argv[1:]))
"""
"""The packages' own `__init__` would import the whole course, for which the engine would wait."""
_END_TIMEOUT_S: Final = 10


def launch(task: Task, *, say: Callable[[str], None] = lambda doing: None) -> subprocess.Popen[str]:
    """Start a keeper and wait until its engine answers; it outlives this process unless the task is `bound` to it."""
    folder = Path(task.run)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    packages = {
        "course": str(_COURSE),
        "course.engine": str(_COURSE / "engine"),
        "course.engine.vm": str(_COURSE / "engine/vm"),
    }
    command = [sys.executable, "-I", "-S", "-c", _BOOTSTRAP.format(packages=packages), json.dumps(asdict(task))]
    with (folder / "keeper.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if task.bound else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd="/",
            start_new_session=True,
        )
    try:
        _await_ready(process, task, say)
    except BaseException:
        process.terminate()
        process.wait(_END_TIMEOUT_S)
        raise
    return process


def _await_ready(process: subprocess.Popen[str], task: Task, say: Callable[[str], None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        report = json.loads(line)
        if "ready" in report:
            process.stdout.close()
            return
        if "error" in report:
            raise _not_started(report["error"], task)
        say(report["doing"])
    last = ["its keeper ended"]
    with suppress(OSError):
        log = Path(task.run, "keeper.log")
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or last
    raise _not_started(last[-1], task)


def _not_started(reason: str, task: Task) -> CourseError:
    fix = "see whether the disk is full, then again" if task.bound else "`course engine reset`, then again"
    return CourseError(f"The VM engine did not start: {reason}.", fix=fix)


def ask(folder: Path, **what: Any) -> dict[str, Any]:
    """The answer of the keeper in `folder`; raises `CourseError` when it refuses, or ends before it answers."""
    try:
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(folder / "control.sock"))
            control.sendall(json.dumps(what).encode() + b"\n")
            with control.makefile() as answers:
                line = answers.readline()
    except OSError as error:
        raise CourseError(f"The VM engine is gone: {error}.", fix="course engine start") from error
    if not line:
        raise CourseError("The VM engine has ended before it answered.", fix="course engine start")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise CourseError(f"The VM engine: {answer['error']}.", fix=f"read the logs in {folder}")
    return answer


def is_kept(folder: Path) -> bool:
    """Whether a keeper of this user's lives in `folder`: it holds the lock for as long as it does."""
    if not is_own(folder):
        return False
    with suppress(FileNotFoundError), (folder / "lock").open() as lock:
        return not _can_lock(lock)
    return False


def record(folder: Path) -> dict[str, Any] | None:
    """What the living keeper in `folder` noted of itself, once it has come so far."""
    with suppress(OSError, ValueError):
        noted: dict[str, Any] = json.loads((folder / "keeper.json").read_text(encoding="utf-8"))
        return noted if is_kept(folder) else None
    return None


def end(folder: Path) -> bool:
    """End the keeper in `folder` and its machine, and remove what one that was killed left; whether one lived.

    Raises `CourseError` for one that is not of this machine, or not to be seen from this container.
    """
    lived = is_kept(folder)
    began = time.monotonic()
    while is_kept(folder):
        late = time.monotonic() - began > _END_TIMEOUT_S
        with suppress(ProcessLookupError, FileNotFoundError):  # it has just ended
            pid, _, where = (folder / "lock").read_text(encoding="ascii").strip().partition(" ")
            if pid and where in ("", realm()):  # an earlier version wrote no more than the pid
                os.kill(int(pid), signal.SIGKILL if late else signal.SIGTERM)
            elif late:
                raise CourseError(
                    "The VM engine runs on another machine or in another container.", fix="`course engine stop` there"
                )
        time.sleep(0.05)
    if is_own(folder):
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
    return lived


def _can_lock(file: IO[str]) -> bool:
    import fcntl  # there is none on Windows

    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
