"""How far a run over a class has come, while it runs.

Enters: what has happened. Leaves: a bar and a line on a terminal; on anything else a line for each student.
"""

from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from graders.classroom import Progress
from graders.findings import visible


class Liveboard:
    """Shows who is being replayed now, and what came of those who were."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self._bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task: TaskID = self._bar.add_task("looking through what was handed in", total=total)
        self._busy: list[str] = []

    def __enter__(self) -> "Liveboard":
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """What is being done apart from replays."""
        self._bar.update(self._task, description=escape(text))

    def follow(self, progress: Progress) -> None:
        """Take in what has happened."""
        if progress.row is None:
            self._busy.append(progress.student)
        else:
            self._busy = [name for name in self._busy if name != progress.student]
            self._bar.advance(self._task)
            if not self._console.is_terminal:
                score = "" if progress.row.score is None else f" {progress.row.score:g} of {progress.row.max_score:g}"
                self._console.print(escape(f"{visible(progress.student)}: {progress.row.state}{score}"))
        self.say(", ".join(map(visible, self._busy[:4])) + (" …" if len(self._busy) > 4 else ""))
