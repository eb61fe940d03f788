"""One submission from its folder to its report.

Enters: an assignment's name and a folder. Leaves: a `Report`, whatever the folder holds. May import `course` and all of
this room but its command line.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from docker.errors import DockerException

from course.assignments import find_assignment
from course.clean import clean_session
from course.engine import connect
from course.errors import CourseError
from course.images import ensure
from graders.evidence import gather
from graders.rubric import Report, could_not_check
from graders.rubrics import order
from graders.submission import collect

RUBRICS: Final = {"order": order.RUBRIC}
IMAGES: Final = {"order": ("node:24-slim",)}


def judge(name: str, folder: Path) -> Report:
    """Replay and judge a submission; trouble that is not the student's makes a report that is not gradable.

    Raises `CourseError` when there is no such assignment or folder.
    """
    assignment = find_assignment(name)
    artifacts = collect(assignment, folder)
    rubric = RUBRICS[name]
    try:
        client = connect()
    except CourseError as error:
        return could_not_check(rubric, error.message)
    try:
        ensure(client, IMAGES[name])
        gathered = gather(client, assignment, artifacts)
        return rubric.judge(gathered.evidence, missing=dict(gathered.missing))
    except (CourseError, DockerException, OSError) as error:
        reason = error.message if isinstance(error, CourseError) else str(error)
        return could_not_check(rubric, f"the engine failed: {reason}")
    finally:
        clean_session(client)
        client.close()


def check(name: str, folder: str | Path = ".") -> Report:
    """Judge the files of a folder, by default the notebook's own; the result shows itself as a table.

    It runs in a process of its own: nothing that was defined in the notebook can reach it, and what it made on the
    engine is gone when it ends, also when the cell is interrupted.
    """
    command = [sys.executable, "-P", "-m", "graders.cli", "check", name, str(Path(folder).resolve()), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        output, errors = process.communicate()
    except KeyboardInterrupt:
        process.wait()  # the interrupt reached it as well, and it tidies up
        raise
    if process.returncode not in (0, 3):
        what, _, fix = errors.strip().partition("\nTry: ")
        raise CourseError(what or "the graders ended without a word", fix=fix or f"graders check {name} {folder}")
    return Report.from_json(json.loads(output))
