"""What a build did, step by step: `BuildTrace(steps, image_id, seconds, error)`.

Enters: nothing. Leaves: frozen nouns and the JSON of `course build --json`. Pure; imports no other room.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """What became of a step. A final trace holds the first five; WAITING and RUNNING only a live one."""

    REUSED = "REUSED"
    RAN = "RAN"
    FAILED = "FAILED"
    NOT_NEEDED = "NOT_NEEDED"
    """No step of the target needed it, or the build failed before its turn."""
    METADATA = "METADATA"
    """It changes no files: ENV, ARG, LABEL, CMD and the like, `WORKDIR /`, and FROM scratch or an earlier stage."""
    WAITING = "WAITING"
    RUNNING = "RUNNING"


@dataclass(frozen=True, kw_only=True)
class StepTrace:
    """One instruction of one stage. `seconds` is the time it ran, 0 for what was not run."""

    stage: str
    index: int
    line: int
    instruction: str
    text: str
    status: Status
    seconds: float = 0.0
    error: str | None = None
    log: str = ""


@dataclass(frozen=True, kw_only=True)
class BuildError:
    """Why there is no image: `message` for people, and the Dockerfile's `line` (from 1) where one is to blame."""

    message: str
    line: int | None = None

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class BuildTrace:
    """Every instruction of every stage in the file's order, and the image or the error that came of them."""

    steps: tuple[StepTrace, ...]
    image_id: str | None = None
    seconds: float = 0.0
    error: BuildError | None = None
    finished: bool = True

    @property
    def ok(self) -> bool:
        """Whether an image came of it."""
        return self.finished and self.error is None

    def step(self, line: int) -> StepTrace:
        """The step that begins on `line`; raises `KeyError` when none does."""
        for step in self.steps:
            if step.line == line:
                return step
        raise KeyError(f"no instruction begins on line {line}")

    def to_json(self, *, logs: bool = False) -> dict[str, Any]:
        """The object that `course build --json` prints; for a picture with all that it shows, also with the `logs`."""
        error = None if self.error is None else {"message": self.error.message, "line": self.error.line}
        return {
            "image_id": self.image_id,
            "seconds": round(self.seconds, 3),
            "error": error,
            "steps": [
                {
                    "stage": step.stage,
                    "index": step.index,
                    "line": step.line,
                    "instruction": step.instruction,
                    "text": step.text,
                    "status": step.status.value,
                    "seconds": round(step.seconds, 3),
                    "error": step.error,
                    **({"log": step.log} if logs else {}),
                }
                for step in self.steps
            ],
        }
