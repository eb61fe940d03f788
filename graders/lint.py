"""The static findings of a submission: hadolint's, where it is installed, and the graders' own.

Enters: an assignment and a student's artifacts. Leaves: `StaticFinding`s, within a second. Runs hadolint as a process
in an empty folder; may import `course` and `graders.findings`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from course import labels
from course.assignments import Assignment
from course.dockerfile import DockerfileError, parse
from course.patterns import read_patterns
from graders.findings import StaticFinding, find_all, visible, without_doubles
from graders.submission import Artifacts

TIMEOUT_S: Final = 20
AT_MOST: Final = 30
_SECRETS: Final = "hadolint DL3064"
"""Its rule on secrets in variables."""


def lint(assignment: Assignment, artifacts: Artifacts) -> tuple[StaticFinding, ...]:
    """Look through the Dockerfile that was handed in; nothing where there is none."""
    if "Dockerfile" not in artifacts.files:
        return ()
    text = artifacts.files["Dockerfile"].decode("utf-8", "replace")
    ignored = read_patterns(artifacts.files.get(".dockerignore", b"").decode("utf-8", "replace"))
    names = {path.name for path in assignment.app.iterdir()} if assignment.app.is_dir() else set()
    try:
        ours = find_all(parse(text), ignored, names)
    except DockerfileError:  # hadolint says where
        ours = ()
    found = without_doubles(hadolint(text), ours, _SECRETS)[:AT_MOST]
    return tuple(replace(one, text=visible(one.text)) for one in found)


def hadolint(text: str) -> tuple[StaticFinding, ...]:
    """What hadolint says of a Dockerfile, by its own rules alone; nothing where it is not installed."""
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    program = shutil.which("hadolint", path=places)
    if program is None:
        return ()
    with tempfile.TemporaryDirectory(prefix=labels.folder_prefix()) as empty:
        settings = {"HOME": empty, "XDG_CONFIG_HOME": empty, "LC_ALL": "C.UTF-8"}  # no .hadolint.yaml of anyone's
        try:
            done = subprocess.run(
                [program, "--no-fail", "--format", "json", "-"],
                input=text.encode(),
                capture_output=True,
                cwd=empty,
                env=settings,
                timeout=TIMEOUT_S,
                check=True,
            )
            said = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.SubprocessError):  # a word beside the grade; it must not cost one
            return ()
    return tuple(
        StaticFinding(line=one["line"], text=str(one["message"]).splitlines()[0], source=f"hadolint {one['code']}")
        for one in said
    )
