"""`mark(lesson, project)`: what `docker compose` makes of a project is the lesson's, by its names and its labels.

Enters: a lesson whose docker command has compose, and a project with a `compose.yaml`. Leaves: a second file beside it,
and variables by which `docker compose up` in a cell reads both. May import `course.errors`, `course.lab` and its
neighbour `lesson`.

Compose merges files in the order of COMPOSE_FILE (Docker's docs: 'Merge Compose files'); JSON is YAML. Which services,
networks and volumes there are is compose's own answer (`docker compose config`), the default network included. By the
project's name compose knows what is its own: a name of the person's, in COMPOSE_PROJECT_NAME, would be obeyed before
one in the file, and `down` would remove theirs.
"""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from course.errors import CourseError
from course.lab.project import Project
from course.lessons.lesson import Lesson

FILE: Final = "compose.yaml"
OVERRIDE: Final = "compose.override.yaml"
_TIMEOUT_S: Final = 60


def mark(lesson: Lesson, project: Project) -> None:
    """Have `docker compose` in cells use the project's compose.yaml, and mark all that it makes.

    To be called again when services, networks or volumes came or went. Raises `CourseError` with compose's own words.
    """
    file = project.root / FILE
    if not file.is_file():
        raise CourseError(f"There is no {FILE} yet.", fix=f'project.write("{FILE}", ...)')
    marked = marks(_resolved(file), lesson.scratch.labels(), lesson.scratch.name)
    project.write(OVERRIDE, json.dumps(marked, indent=2) + "\n")
    os.environ["COMPOSE_FILE"] = os.pathsep.join((str(file), str(project.root / OVERRIDE)))
    os.environ["COMPOSE_PROJECT_NAME"] = lesson.scratch.name("lesson")


def marks(resolved: Mapping[str, Any], labels: Mapping[str, str], name: Callable[[str], str]) -> dict[str, Any]:
    """What to add to a compose file, given as compose resolves it: labels, and names that are nobody else's.

    What is external was there before, and stays as it is.
    """
    carried = dict(labels)
    services = {one: {"container_name": name(one), "labels": carried} for one in resolved["services"]}
    found: dict[str, Any] = {"services": services}
    for kind in ("networks", "volumes"):
        own = [one for one, what in (resolved.get(kind) or {}).items() if not (what or {}).get("external")]
        if own:
            found[kind] = {one: {"name": name(one), "labels": carried} for one in own}
    return found


def _resolved(file: Path) -> dict[str, Any]:
    command = ["docker", "compose", "--file", str(file), "config", "--format", "json"]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        raise CourseError(f"{file.name} is not understood: {''.join(said)}", fix="correct it, and run the cell again")
    resolved: dict[str, Any] = json.loads(done.stdout)
    return resolved
