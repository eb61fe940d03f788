"""Why there is no image, in a sentence, with the line to blame and what to try.

Enters: the engine's message and the trace. Leaves: a `BuildError`. Looks at links in the context; may import its
neighbours in `course.builds`.

BuildKit gives messages without codes (moby/moby jsonmessage carries none for a build), so the engine's own words are
always kept; what is added comes from the trace and from the files.
"""

import re
from pathlib import Path
from typing import Final

from course.builds.model import BuildError, BuildTrace, Status, StepTrace

_REFERENCE: Final = re.compile(r"failed to calculate checksum of ref \S+: ")
"""BuildKit's own name for the folder that it looked in, another one in each build."""


def explain(failure: str, trace: BuildTrace, root: Path) -> BuildError:
    """The engine's message with its line: of the step that failed, else the one that BuildKit's parser names."""
    for step in trace.steps:
        if step.status is Status.FAILED:
            return BuildError(message=f"{_first_line(step)} failed: {_reason(step, root)}", line=step.line)
    named = re.search(r"(?:dockerfile parse error(?: on)? line |Dockerfile:)(\d+)", failure)
    return BuildError(message=_with_space(failure), line=int(named[1]) if named else None)


def _first_line(step: StepTrace) -> str:
    return step.text.splitlines()[0]


def _reason(step: StepTrace, root: Path) -> str:
    error = step.error or "no reason was given"
    if step.instruction == "RUN":
        code = re.search(r"exit code: (\d+)$", error)
        return f"the command ended with exit code {code[1]}; its last lines say why" if code else _with_space(error)
    if step.instruction in ("COPY", "ADD") and "not found" in error:
        return f"{_REFERENCE.sub('', error)}. {_missing(step, root)}"
    if step.instruction == "FROM":
        return f"the image cannot be had: {error}. Is the name right? `course images list` shows what is here"
    return _with_space(error)


def _missing(step: StepTrace, root: Path) -> str:
    for word in step.text.split()[1:-1]:
        source = root / word.lstrip("/")
        if source.is_symlink() and not source.resolve().is_relative_to(root):
            return f"{word} is a link that leads out of the build's folder; put the file itself there"
    return "A build sees its own folder only, without what .dockerignore leaves out"


def _with_space(error: str) -> str:
    """ENOSPC reaches the client as Go's text for it (syscall.ENOSPC) and nothing else."""
    full = "no space left on device" in error
    return f"{error}. The engine's disk is full: `course clean`, or free some space" if full else error
