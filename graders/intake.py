"""A submitted folder, which may hold anything, becomes a clean one that nbgrader can take.

Enters: a folder and the notebook as it was released. Leaves: `Submission`, and a folder of plain files. Reads and
writes files; may import `course.assignments`, `course.errors` and `graders.submission`. Runs nothing.

The notebook is the instructor's own. From the student's come only the texts of the answer cells (nbgrader's
`solution`), so that test cells cannot be changed, removed, doubled or told not to run. What cannot be read is noted,
and costs no mark that the artifacts earn.
"""

import hashlib
import json
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from course.assignments import Assignment, without_solutions
from graders.submission import Artifacts, NotTaken, collect, read_plain

NOTEBOOK_BYTES: Final = 16 << 20
"""A notebook with pictures in it is a few MiB."""
ANSWER_CHARACTERS: Final = 50_000
TIMESTAMP: Final = "timestamp.txt"


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What was taken of a student's folder; `notebook` is JSON, `notes` say what could not be."""

    artifacts: Artifacts
    notebook: str
    timestamp: str | None
    notes: tuple[str, ...]

    @property
    def digest(self) -> str:
        """The same for the same submission."""
        rest = json.dumps([self.notebook, self.timestamp, self.notes])
        return hashlib.sha256(f"{digest_of(self.artifacts)}{rest}".encode()).hexdigest()

    def write(self, folder: Path, name: str) -> None:
        """Put it into `folder`, which is made for it; `name` is the notebook's."""
        folder.mkdir(parents=True)
        self.artifacts.write(folder)
        (folder / f"{name}.ipynb").write_text(self.notebook, encoding="utf-8")
        if self.timestamp:
            (folder / TIMESTAMP).write_text(f"{self.timestamp}\n", encoding="utf-8")


def digest_of(artifacts: Artifacts) -> str:
    """The same for the same artifacts and the same trouble with them."""
    content = {name: hashlib.sha256(data).hexdigest() for name, data in artifacts.files.items()}
    return hashlib.sha256(json.dumps([content, dict(artifacts.problems)], sort_keys=True).encode()).hexdigest()


def released_notebook(assignment: Assignment) -> str:
    """The assignment's notebook as students get it, as JSON."""
    return without_solutions(assignment.folder / f"{assignment.name}.ipynb")


def take_in(assignment: Assignment, folder: Path, released: str) -> Submission:
    """Take what counts from a student's folder; it never fails because of what the folder is or holds."""
    if not _is_plain_folder(folder):
        problem = f"{folder.name} is not a plain folder"
        nothing = Artifacts(files={}, problems=dict.fromkeys(assignment.artifacts, problem))
        return Submission(artifacts=nothing, notebook=released, timestamp=None, notes=(problem,))
    notebook, notes = with_answers(released, folder / f"{assignment.name}.ipynb")
    timestamp, more = _timestamp(folder / TIMESTAMP)
    return Submission(
        artifacts=collect(assignment, folder), notebook=notebook, timestamp=timestamp, notes=(*notes, *more)
    )


def _is_plain_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def with_answers(released: str, path: Path) -> tuple[str, tuple[str, ...]]:
    """The released notebook with a student's own answers in it, and what could not be read of theirs."""
    rebuilt = json.loads(released)
    cells = {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in rebuilt["cells"] if _is_answer(cell)}
    answers: dict[str, str] = {}
    notes: list[str] = []
    try:
        for name, text in _texts(json.loads(read_plain(path, limit_bytes=NOTEBOOK_BYTES))):
            if name in cells and name in answers:
                notes.append(f"{path.name} holds more than one cell {name!r}; the last one counts")
            answers[name] = text
    except NotTaken as problem:
        notes.append(str(problem))
    except (ValueError, RecursionError, MemoryError):
        notes.append(f"{path.name} is not a notebook")
    for name, cell in cells.items():
        if name in answers:
            text = answers[name][:ANSWER_CHARACTERS].encode("utf-8", "replace").decode()
            cell["source"] = text if cell["cell_type"] == "code" or text == "".join(cell["source"]) else _quoted(text)
        if len(answers.get(name, "")) > ANSWER_CHARACTERS:
            notes.append(f"the answer in cell {name!r} is longer than {ANSWER_CHARACTERS} characters and was cut")
    return json.dumps(rebuilt, indent=1, ensure_ascii=False), tuple(dict.fromkeys(notes))


def _quoted(text: str) -> str:
    """A student's text as Markdown that shows it as it is: others read it in a browser, and it could hold scripts."""
    fence = "`" * max([3, *(len(one) + 1 for one in re.findall("`+", text))])
    return f"{fence}\n{text}\n{fence}"


def _is_answer(cell: object) -> bool:
    return _inside(cell, "metadata", "nbgrader", "solution") is True


def _texts(notebook: object) -> Iterator[tuple[str, str]]:
    """The id and the text of every cell that bears one; raises `ValueError` where it is no notebook."""
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise ValueError("it has no cells")
    for cell in cells:
        name = _inside(cell, "metadata", "nbgrader", "grade_id")
        source = _inside(cell, "source")
        text = "".join(part for part in source if isinstance(part, str)) if isinstance(source, list) else source
        if isinstance(name, str) and isinstance(text, str):
            yield name, text


def _inside(data: object, *keys: str) -> object:
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data


def _timestamp(path: Path) -> tuple[str | None, tuple[str, ...]]:
    """When it was handed in, as nbgrader's `timestamp.txt` says; None where there is no such file."""
    from nbgrader.utils import parse_utc

    try:
        text = read_plain(path, limit_bytes=200).decode().strip()
        parsed = parse_utc(text) if text else None
    except NotTaken as problem:
        return None, () if str(problem) == f"there is no {path.name}" else (str(problem),)
    except (ValueError, OverflowError, TypeError, AttributeError, ArithmeticError):
        return None, (f"{path.name} holds no time",)
    return (text, ()) if parsed else (None, (f"{path.name} holds no time",))
