"""Assignments: where they are, a learner's own copy of one, and what to hand in of it.

Enters: the assignment's name. Leaves: a folder in notebooks/my-work, which git ignores, or a zip of the artifacts.
Reads and writes files; may import `course.errors` and `course.folders`.
"""

import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from course.errors import CourseError
from course.folders import notebooks_folder

MINE: Final = "my-work"
GIVEN: Final = "given.Dockerfile"
"""What an app's folder gives to read and to better; its other Dockerfiles are answers."""
_NOT_FOR_LEARNERS: Final = ("solution", "assignment.json", "*.ipynb", ".ipynb_checkpoints")


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One assignment: its `folder`, the `app` that comes with it, and the files that a learner hands in."""

    name: str
    folder: Path
    app: Path
    artifacts: tuple[str, ...]


def find_assignment(name: str) -> Assignment:
    """The assignment of this name; raises `CourseError` that names the known ones."""
    root = notebooks_folder() / "assignments"
    known = sorted(path.parent.name for path in root.glob("*/assignment.json"))
    if name not in known:
        raise CourseError(f"There is no assignment {name!r}.", fix=f"one of {', '.join(known)}")
    described = json.loads((root / name / "assignment.json").read_text(encoding="utf-8"))
    app = notebooks_folder() / described["app"]
    return Assignment(name=name, folder=root / name, app=app, artifacts=tuple(described["artifacts"]))


def copy_app(assignment: Assignment, folder: Path) -> None:
    """The app, without the Dockerfile and .dockerignore that are to be written; what is given stays."""

    def left_out(path: str, names: list[str]) -> set[str]:
        written = ("*Dockerfile", ".dockerignore") if Path(path) == assignment.app else ()
        return shutil.ignore_patterns("node_modules", "generated", *written)(path, names) - {GIVEN}

    shutil.copytree(assignment.app, folder, dirs_exist_ok=True, ignore=left_out)


def begin(name: str) -> Path:
    """Make the learner's copy, without solutions; raises `CourseError` when there is one already."""
    assignment = find_assignment(name)
    target = notebooks_folder() / MINE / name
    if target.exists():
        fix = f"open {target.relative_to(notebooks_folder().parent)}, or rename it to start again"
        raise CourseError(f"You have begun {name!r} already.", fix=fix)
    partial = target.with_name(f".{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    copy_app(assignment, partial)
    shutil.copytree(assignment.folder, partial, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_NOT_FOR_LEARNERS))
    for notebook in assignment.folder.glob("*.ipynb"):
        (partial / notebook.name).write_text(without_solutions(notebook), encoding="utf-8")
    partial.rename(target)
    return target


def submit(name: str) -> Path:
    """Make the zip to hand in: the artifacts that the assignment names, and the notebook, which may hold answers."""
    assignment = find_assignment(name)
    mine = notebooks_folder() / MINE / name
    if not mine.is_dir():
        raise CourseError(f"You have not begun {name!r} yet.", fix=f"course begin {name}")
    present = [mine / artifact for artifact in assignment.artifacts if (mine / artifact).is_file()]
    if not present:
        missing = " and no ".join(assignment.artifacts)
        raise CourseError(f"There is nothing to hand in: no {missing}.", fix=f"write them in {mine}")
    target, notebook = mine.with_suffix(".zip"), mine / f"{name}.ipynb"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (*present, *([notebook] if notebook.is_file() else ())):
            archive.write(path, f"{name}/{path.name}")
    return target


def without_solutions(notebook: Path) -> str:
    """What `nbgrader generate_assignment` would release, by nbgrader's own preprocessors."""
    import nbformat  # these take a second to import, and most commands do without
    from nbconvert.exporters import NotebookExporter
    from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearOutput, ClearSolutions, LockCells

    exporter = NotebookExporter()
    for preprocessor in (LockCells, ClearSolutions, ClearOutput, ClearHiddenTests, ClearMarkScheme):
        exporter.register_preprocessor(preprocessor, enabled=True)
    text, _ = exporter.from_notebook_node(nbformat.read(notebook, as_version=4))
    return str(text)
