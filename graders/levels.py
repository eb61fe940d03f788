"""How well a replay is kept away from the machine: the one place where a level is chosen and a replay engine opened.

Enters: the kind of engine and the level that are asked for. Leaves: a `ReplayEngine` of that level, gone at the end.
May import `course`, `graders.rubric` and `graders.sandbox`.

A level is never silently the lower one: who asks for one gets it or a `CourseError`. A container on an engine of this
machine gives UNSANDBOXED, the graders' virtual machine gives ISOLATED.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from course.clean import clean, clean_session
from course.engine import connect
from course.errors import CourseError
from course.images import OnProgress
from graders.rubric import Level
from graders.sandbox import ReplayEngine, isolated, isolated_engine, replay_engine


def obstacle(level: Level) -> str | None:
    """Why submissions cannot be replayed at this level here, None where they can."""
    if level is Level.ISOLATED and not isolated.is_built():
        return f"the virtual machine to grade in is not built (`{isolated.BUILD}`)"
    return None


def choose(kind: str, level: Level | None) -> Level:
    """The level that was asked for, else the best that an engine of this kind gives here.

    Raises `CourseError` where it is not to be had.
    """
    if kind == "native" and level is None:
        return Level.UNSANDBOXED
    if kind == "vm" and level is None:
        level = Level.ISOLATED
    if level is None:
        return next(one for one in (Level.ISOLATED, Level.UNSANDBOXED) if obstacle(one) is None)
    if (kind, level) in (("native", Level.ISOLATED), ("vm", Level.UNSANDBOXED)):
        raise CourseError(f"An engine of kind {kind} does not grade at level {level}.", fix="leave out one of the two")
    if reason := obstacle(level):
        fix = isolated.BUILD if kind == "vm" else f"--level {Level.UNSANDBOXED}"
        raise CourseError(f"Level {level} is not to be had here: {reason}.", fix=fix)
    return level


@contextmanager
def open_engine(
    images: Sequence[str], *, kind: str, level: Level, on_progress: OnProgress | None = None
) -> Iterator[ReplayEngine]:
    """A clean replay engine of this level; raises `CourseError` where it cannot be started."""
    if level is Level.ISOLATED:
        with isolated_engine(images) as engine:
            yield engine
        return
    client = connect(kind=kind)
    try:
        clean(client)  # what killed processes left
        with replay_engine(client, images, on_progress=on_progress) as engine:
            yield engine
    finally:
        clean_session(client)
        client.close()
