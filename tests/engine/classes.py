"""Classes for tests: a folder of submissions, `graders run` over it, and what the gradebook holds afterwards."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker import DockerClient
from nbgrader.api import Gradebook

from course import labels
from course.assignments import find_assignment
from graders.autograde.place import CLASS_VARIABLE
from graders.intake import released_notebook

PROJECT = Path(__file__).parents[2]
CORPUS = PROJECT / "tests/corpus"
CHEATS = CORPUS / "cheats"
ALWAYS = ("comes-from-the-future", "doubles-the-test", "is-no-notebook", "links-to-the-solution", "skips-the-test")
"""Those that are tried without --long too."""
ASSIGNMENT = "layers"
"""Its replay is the shortest."""
LATE = "2026-03-01 12:00:00 UTC"
ODD = "c.y d {é}+(1)"
SCORES = {"ada": 10, "bob": 7, ODD: 0, "dan": 3}
BROKEN = ("wrong-answers-not-json", "wrong-empty", "wrong-link", "wrong-syntax")
HOSTILE = ("wrong-fills-the-disk", "wrong-fork-bomb")
SLOW = ("wrong-endless-build", "wrong-never-ends")
GONE_S = 60
UNSANDBOXED = ("--level", "unsandboxed")
"""A virtual machine would be taken where one is built, and takes longer."""


@dataclass(frozen=True, kw_only=True)
class SchoolClass:
    """A class's folder, and what it has handed in."""

    folder: Path
    assignment: str = ASSIGNMENT

    def hand_in(self, student: str, submission: Path | None) -> Path:
        """A student's submission: a copy of a folder, or nothing in it."""
        target = self.folder / "submitted" / student / self.assignment
        target.mkdir(parents=True)
        if submission is not None:
            left_out = shutil.ignore_patterns("expected.json")
            shutil.copytree(submission, target, dirs_exist_ok=True, symlinks=True, ignore=left_out)
        return target

    def hand_in_cheat(self, cheat: str) -> None:
        """A cheat of the corpus, with its links to the instructor's files and with what no repository can hold."""
        target = self.hand_in(cheat, CHEATS / cheat)
        for name, at in expected(cheat).get("links", {}).items():
            (target / name).symlink_to(PROJECT / at)
        for name, kind in expected(cheat).get("makes", {}).items():
            MAKERS[kind](target / name)

    def start(self, *words: str, command: str = "run") -> "subprocess.Popen[str]":
        """Begin a command of `graders` on this class, in a session of its own."""
        line = [sys.executable, "-m", "graders.cli", command, self.assignment, *words]
        environment = {**os.environ, CLASS_VARIABLE: str(self.folder)}
        return subprocess.Popen(
            line, env=environment, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def run(self, *words: str) -> dict[str, dict[str, Any]]:
        """Run to the end, at the lower level unless told otherwise; the rows of its summary by student."""
        with self.start("--json", *(() if "--level" in words else UNSANDBOXED), *words) as process:
            said, errors = process.communicate()
        assert process.returncode in (0, 3), errors
        rows = json.loads(said)["students"]
        assert (process.returncode == 3) == any(row["state"] == "could not grade" for row in rows)
        return {row["student"]: row for row in rows}

    def kill_in_the_middle(self, after_s: float, *, whole: bool) -> bool:
        """Start a run and kill it, either the parent alone or its workers as well; whether it still ran then."""
        with self.start("--workers", "2", *UNSANDBOXED) as process:
            deadline = time.monotonic() + after_s
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            if process.poll() is not None:
                return False
            (os.killpg if whole else os.kill)(process.pid, signal.SIGKILL)
            return True

    def feedback(self, student: str) -> str:
        """The page that a student may see, which is made now."""
        with self.start("--students", student, command="feedback") as process:
            _, errors = process.communicate()
        assert process.returncode == 0, errors
        made = self.folder / "feedback" / student / self.assignment / f"{self.assignment}.html"
        return made.read_text(encoding="utf-8")

    def nbgrader(self, *words: str, whole: bool = True) -> None:
        """One of nbgrader's own commands on this class, which is to go through the `whole` of it."""
        settings = {CLASS_VARIABLE: str(self.folder), "JUPYTER_CONFIG_DIR": str(PROJECT / "graders/autograde")}
        command = [sys.executable, "-m", "nbgrader", *words]
        done = subprocess.run(
            command, cwd=PROJECT, env=os.environ | settings, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not whole, done.stderr[-3000:]

    def gradebook(self) -> Gradebook:
        """nbgrader's own view of it."""
        return Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}", "layer-by-layer")

    def marks(self) -> Mapping[str, object]:
        """All that the gradebook says of each student's submission."""
        with self.gradebook() as book:
            return {
                one.student_id: (
                    one.timestamp,
                    one.score,
                    one.needs_manual_grade,
                    [
                        (grade.name, grade.auto_score, grade.manual_score, grade.extra_credit, grade.needs_manual_grade)
                        for notebook in one.notebooks
                        for grade in notebook.grades
                    ],
                    [
                        (comment.name, comment.auto_comment, comment.manual_comment)
                        for notebook in one.notebooks
                        for comment in notebook.comments
                    ],
                    [notebook.late_submission_penalty for notebook in one.notebooks],
                )
                for one in book.assignment_submissions(ASSIGNMENT)
            }


def _make_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


MAKERS: Mapping[str, Callable[[Path], None]] = {
    "a FIFO": os.mkfifo,
    "a folder": Path.mkdir,
    "a terabyte": _make_sparse,
    "nothing": Path.touch,
}
"""What a cheat may want to be in its folder."""


def expected(cheat: str) -> dict[str, Any]:
    """What a cheat says is to come of it."""
    said: dict[str, Any] = json.loads((CHEATS / cheat / "expected.json").read_text(encoding="utf-8"))
    return said


def cheats(assignment: str) -> list[str]:
    """All cheats of the corpus in this assignment."""
    every = sorted(path.parent.name for path in CHEATS.glob("*/expected.json"))
    return [name for name in every if expected(name)["assignment"] == assignment]


def make_class(folder: Path) -> SchoolClass:
    """Right, wrong, empty, and one with a broken notebook, beside things that no folder should hold."""
    made = SchoolClass(folder=folder)
    made.hand_in("ada", CORPUS / "layers/right-two-stages")
    bob = made.hand_in("bob", CORPUS / "layers/wrong-deleted-later")
    (bob / "timestamp.txt").write_text(LATE, encoding="utf-8")
    made.hand_in(ODD, None)
    dan = made.hand_in("dan", CORPUS / "cheats/is-no-notebook")
    os.mkfifo(dan / "Dockerfile")
    (dan / "deep/er").mkdir(parents=True)
    (dan / "deep/er/loop").symlink_to(dan)
    (dan / ".dockerignore").symlink_to("/etc/passwd")
    return made


def make_class_of_thirty(folder: Path) -> SchoolClass:
    """Right, wrong, broken, hostile and slow ones, one after the other; the right ones' names begin with `right`."""
    made = SchoolClass(folder=folder)
    right, wrong = (
        sorted(path.name for path in (CORPUS / ASSIGNMENT).glob(f"{kind}-*")) for kind in ("right", "wrong")
    )
    others = [name for name in wrong if name not in (*BROKEN, *HOSTILE, *SLOW)]
    notebook = released_notebook(find_assignment(ASSIGNMENT))
    for name in (*right[:10], *others[:8], *BROKEN, *HOSTILE, *SLOW):
        submitted = made.hand_in(name, CORPUS / ASSIGNMENT / name)
        (submitted / f"{ASSIGNMENT}.ipynb").write_text(notebook, encoding="utf-8")
    for cheat in ALWAYS[:4]:
        made.hand_in_cheat(cheat)
    return made


def wait_until_nothing_is_left(client: DockerClient) -> None:
    """A worker whose parent was killed removes its own engine; what a killed worker left the next run removes."""
    deadline = time.monotonic() + GONE_S
    while left := left_by_the_dead(client):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def left_by_the_dead(client: DockerClient) -> list[str]:
    """This user's containers and temporary folders whose process is gone."""
    mine = client.containers.list(all=True, filters=labels.owned_filter(), ignore_removed=True)
    folders: dict[str, str | None] = {}
    for path in Path(tempfile.gettempdir()).iterdir():
        with suppress(FileNotFoundError):  # a living one has just removed it
            folders[path.name] = labels.folder_session(path.name) if path.stat().st_uid == os.getuid() else None
    return [
        *(str(one.name) for one in mine if not labels.is_alive(labels.made_by(one.labels) or "")),
        *(name for name, session in folders.items() if session and not labels.is_alive(session)),
    ]
