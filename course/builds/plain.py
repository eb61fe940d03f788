"""The progress of an engine that has no BuildKit trace, read from the lines that it prints.

Enters: the text of Podman's `POST /build`. Leaves: vertices, named as BuildKit names them. Pure; may import its
neighbours in `course.builds`.

Podman says which step begins and whether it was found in its cache (containers/buildah imagebuildah/executor.go and
stage_executor.go). What is lost against BuildKit: its cache follows rules of its own, steps run one after another, and
the times are when a line came in.
"""

import dataclasses
import re
from typing import Final

from course.builds.join import numbered_steps
from course.builds.trace import Fold, Vertex
from course.dockerfile import Dockerfile

_STEP: Final = re.compile(r"^(?:\[(?P<stage>\d+)/\d+\] )?STEP (?P<step>\d+)/\d+: ")
_COMMIT: Final = re.compile(r"^(?:\[\d+/\d+\] )?COMMIT\b")
_CACHED: Final = "--> Using cache"
_LAYER: Final = "--> "


class PlainReader:
    """Turns printed lines into vertices of `fold`, as they come."""

    def __init__(self, dockerfile: Dockerfile, fold: Fold) -> None:
        self._fold = fold
        self._names = {(stage, step.index): name for stage, step, name in numbered_steps(dockerfile)}
        self._current: str | None = None

    def line(self, text: str, *, now_s: float) -> None:
        """Take in one line."""
        step = _STEP.match(text)
        if step or _COMMIT.match(text):
            self._end(now_s)
        if step:
            name = self._names.get((int(step["stage"] or 1) - 1, int(step["step"]) - 1))
            if name:
                self._current = name
                self._fold.vertices[name] = Vertex(digest=name, name=name, started=now_s)
        elif self._current and text.startswith(_CACHED):
            self._change(cached=True)
        elif self._current and not text.startswith(_LAYER):
            self._fold.logs.setdefault(self._current, bytearray()).extend(text.encode())

    def fail(self, message: str, *, now_s: float) -> None:
        """The step that is under way is the one that failed."""
        self._change(error=message)
        self._end(now_s)

    def _end(self, now_s: float) -> None:
        self._change(completed=now_s)
        self._current = None

    def _change(self, **changes: object) -> None:
        if self._current:
            vertex = self._fold.vertices[self._current]
            self._fold.vertices[self._current] = dataclasses.replace(vertex, **changes)  # type: ignore[arg-type]
