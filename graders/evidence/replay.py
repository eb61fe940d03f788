"""One submission in its folder: built, edited, built again, and the images that came of it.

Enters: a `ReplayEngine`, an assignment and a student's artifacts. Leaves: traces, and the reason where a failure is not
the student's. Builds on the replay engine; may import `course` and its neighbours.
"""

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from course import labels
from course.assignments import Assignment, copy_app
from course.builds import BuildTrace, build
from course.builds.model import BuildError, Status
from course.dockerfile import Dockerfile, Stage
from graders.sandbox import ReplayEngine
from graders.sandbox.limits import DISK_IS_FULL, LOST
from graders.submission import Artifacts

BUILD_TIMEOUT_S: Final = 240
_SYNTAX: Final = re.compile(
    rb"(?i)\A((?:#.*\n)*?)#[ \t]*syntax[ \t]*=[ \t]*(?:docker\.io/)?docker/dockerfile(?::[\w.-]+)?[ \t\r]*$", re.M
)


class Replay:
    """A submission among the assignment's own files, and how it is edited and built."""

    def __init__(self, engine: ReplayEngine, root: Path) -> None:
        self.engine = engine
        self.root = root

    def build(
        self, *, dockerfile: str = "Dockerfile", no_cache: bool = False, timeout_s: float = BUILD_TIMEOUT_S
    ) -> BuildTrace:
        """Build the folder as it is; once more where a container was lost, which is nobody's doing."""
        client, patience_s = self.engine.client, timeout_s * self.engine.pace

        def built() -> BuildTrace:
            return build(client, self.root, dockerfile=dockerfile, no_cache=no_cache, timeout_s=patience_s)

        trace = built()
        return built() if any(LOST in step.log for step in trace.steps) else trace

    def edited(
        self, path: str, change: Callable[[str], str], *, also: Mapping[str, Callable[[str], str]] | None = None
    ) -> BuildTrace:
        """Build with these files changed, and put them back."""
        changes = {path: change, **(also or {})}
        before = {name: (self.root / name).read_text(encoding="utf-8") for name in changes}
        try:
            for name, one in changes.items():
                (self.root / name).write_text(one(before[name]), encoding="utf-8")
            return self.build()
        finally:
            for name, text in before.items():
                (self.root / name).write_text(text, encoding="utf-8")

    def up_to(self, dockerfile: Dockerfile, stage: Stage, index: int) -> BuildTrace:
        """Build as if the Dockerfile ended with this step; all of it is reused, so it is quick."""
        lines = dockerfile.text.splitlines()[: stage.steps[index].end_line]
        original = self.root / "Dockerfile"
        try:
            original.write_text("\n".join(lines) + "\n", encoding="utf-8")
            return self.build()
        finally:
            original.write_text(dockerfile.text, encoding="utf-8")

    def judged(self, build: Callable[[], BuildTrace]) -> tuple[BuildTrace, str | None]:
        """A build, and why its failure is not the student's; None where it is, or where it did not fail."""
        blocked = self.engine.blocked()
        asked, _ = self.engine.packages_missing()
        trace = build()
        if trace.error is None:
            return trace, None
        if _disk_is_full(trace):  # which step finds it so, and in which words, is a matter of chance
            return replace(trace, error=BuildError(message=DISK_IS_FULL)), None
        failed = next((step for step in trace.steps if step.status is Status.FAILED), None)
        if failed is None:
            outside = "before its first step it wants something from the internet, such as the frontend of `# syntax=`"
            return trace, outside if self.engine.blocked() > blocked else None
        if failed.instruction == "FROM":
            image = failed.text.split()[1] if len(failed.text.split()) > 1 else "?"
            return trace, f"the base image {image} of line {failed.line} is not at hand in the replay"
        if LOST in failed.log:
            return trace, f"the engine failed twice to begin a container for line {failed.line}"
        missing = self.engine.packages_missing(asked)[1]
        if missing:
            return trace, f"line {failed.line} wants what the graders' package cache lacks: {', '.join(missing)}"
        if self.engine.blocked() > blocked:
            return trace, f"line {failed.line} wants something from the internet, which a replay has not: {failed.text}"
        return trace, None


def failure(trace: BuildTrace) -> str:
    """Why a build has no image, with the last line that its failed step printed."""
    logs = (step.log for step in trace.steps if step.status is Status.FAILED)
    last = next((line.strip() for log in logs for line in reversed(log.splitlines()) if line.strip()), "")
    printed = f": {last[:200]}" if last and not _disk_is_full(trace) else ""
    return f"the build fails: {trace.error}{printed}"


def _disk_is_full(trace: BuildTrace) -> bool:
    said = (str(trace.error), *(step.log for step in trace.steps if step.status is Status.FAILED))
    return any("no space left on device" in text.lower() for text in said)


@contextmanager
def open_replay(engine: ReplayEngine, assignment: Assignment, artifacts: Artifacts) -> Iterator[Replay]:
    """The student's artifacts among the instructor's own copy of everything else, in a folder that goes at the end."""
    with tempfile.TemporaryDirectory(prefix=labels.folder_prefix()) as folder:
        root = Path(folder).resolve() / "project"
        copy_app(assignment, root)
        artifacts.write(root)
        _use_own_syntax(root / "Dockerfile")
        yield Replay(engine, root)


def _use_own_syntax(dockerfile: Path) -> None:
    """A `# syntax=docker/dockerfile:1` is a wish to download the frontend that the replay engine has already."""
    if dockerfile.is_file():
        dockerfile.write_bytes(_SYNTAX.sub(rb"\1# the syntax of the engine", dockerfile.read_bytes(), count=1))
