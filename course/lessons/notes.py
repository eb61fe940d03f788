"""What a learner answered in a lesson, kept in notebooks/my-work, so that it outlives the kernel.

Enters: a lesson's name and answers. Leaves: a JSON file, made with the first answer. Reads and writes files; may import
`course.assignments` and `course.folders`.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from course.assignments import MINE
from course.folders import notebooks_folder

GUESSES: Final = "guesses"
QUESTIONS: Final = "questions"


class Notes:
    """The answers of one lesson: `{"guesses": {key: [words]}, "questions": {text: [options in the order picked]}}`."""

    def __init__(self, lesson: str) -> None:
        self.path = notes_folder() / f"{lesson}.json"

    def read(self, what: str) -> dict[str, tuple[str, ...]]:
        """All answers of one kind."""
        return {key: tuple(words) for key, words in self._all().get(what, {}).items()}

    def write(self, what: str, key: str, words: Sequence[str]) -> None:
        """Note one answer; it replaces an earlier one."""
        data = self._all()
        data.setdefault(what, {})[key] = list(words)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
        partial.replace(self.path)

    def _all(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # none yet, or one that somebody has edited by hand
            return {}
        return found


def notes_folder() -> Path:
    """Where the notes of all lessons are."""
    return notebooks_folder() / MINE / "answers"
