"""Where submissions are replayed one after the other: one replay engine, clean for each of them.

Enters: `Task`s. Leaves: `Answer`s, as plain data. Creates a replay engine when it is first needed; may import `course`,
`graders.judge` and `graders.levels`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from docker.errors import DockerException

from course.errors import CourseError
from graders.judge import judge_artifacts, notice
from graders.levels import open_engine
from graders.rubric import Level, Report, could_not_check
from graders.rubrics import find_grading
from graders.sandbox import ReplayEngine
from graders.submission import Artifacts


@dataclass(frozen=True, kw_only=True)
class Task:
    """A submission to replay; `notes` are what could not be read of it."""

    student: str
    assignment: str
    artifacts: Artifacts
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a task, after how many seconds of replay."""

    student: str
    report: Report
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As it travels from a worker."""
        return {"student": self.student, "report": self.report.to_json(), "seconds": self.seconds}

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Answer":
        """The answer that `to_json` wrote."""
        return Answer(student=data["student"], report=Report.from_json(data["report"]), seconds=float(data["seconds"]))


class Crew(Protocol):
    """Workers: processes of this machine, or a cluster."""

    def grade(self, tasks: Sequence[Task], on_start: Callable[[Task], None]) -> Iterator[Answer]:
        """Answer all tasks, in whatever order; one that fails has a report that is not gradable."""

    def close(self) -> None:
        """Stop what is under way, and leave nothing on any engine."""


def failed(task: Task, reason: str) -> Answer:
    """The answer to a task that nobody could do."""
    return Answer(
        student=task.student, report=could_not_check(find_grading(task.assignment).rubric, reason), seconds=0.0
    )


class Workplace:
    """A replay engine, opened for the first task, made clean before each further one, and anew after trouble."""

    def __init__(self, *, kind: str, level: Level) -> None:
        self._kind = kind
        self._level = level
        self._stack = ExitStack()
        self._open: tuple[str, ReplayEngine] | None = None

    def grade(self, task: Task) -> Answer:
        """Replay and judge; whatever goes wrong is in the report."""
        began = time.monotonic()
        try:
            report = judge_artifacts(self._engine(task.assignment), task.assignment, task.artifacts)
            findings = notice(task.assignment, task.artifacts, task.notes)
            report = replace(report, findings=findings, level=self._level)
        except Exception as error:  # of the engine or the graders: one submission never stops the others
            reason = error.message if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
            report = replace(failed(task, f"the replay failed: {reason}").report, level=self._level)
        if not report.gradable:
            self.close()
        return Answer(student=task.student, report=report, seconds=round(time.monotonic() - began, 1))

    def close(self) -> None:
        """Remove the engine and all that was made for it."""
        self._open = None
        stack, self._stack = self._stack, ExitStack()
        with suppress(Exception):  # it may be in any state; what is left carries the label of this process
            stack.close()

    def _engine(self, assignment: str) -> ReplayEngine:
        if self._open and self._open[0] == assignment:
            with suppress(CourseError, DockerException, OSError):  # the last submission may have broken it for good
                self._open[1].reset()
                return self._open[1]
        self.close()
        images = find_grading(assignment).images
        engine = self._stack.enter_context(open_engine(images, kind=self._kind, level=self._level))
        self._open = (assignment, engine)
        return engine
