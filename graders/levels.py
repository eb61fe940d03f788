"""How well a replay is kept away from the machine: the one place where a level is chosen and a replay engine opened.

Enters: docker-py's client, the images, and the level that is asked for. Leaves: a `ReplayEngine` and its `Level`. May
import `course`, `graders.rubric` and `graders.sandbox`.

A level is never silently the lower one: who asks for one gets it or a `CourseError`. A machine's own container engine
gives UNSANDBOXED, a replay engine inside a virtual machine of the graders' own gives ISOLATED.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from docker import DockerClient

from course.errors import CourseError
from course.images import OnProgress
from graders.rubric import Level
from graders.sandbox import ReplayEngine, replay_engine


def obstacle(level: Level) -> str | None:
    """Why submissions cannot be replayed at this level here, None where they can."""
    if level is Level.ISOLATED:
        return "submissions cannot be replayed in a virtual machine yet"
    return None


def choose(level: Level | None) -> Level:
    """The level that was asked for, else the best that is to be had; raises `CourseError` where there is none such."""
    if level is None:
        return next(one for one in (Level.ISOLATED, Level.UNSANDBOXED) if obstacle(one) is None)
    if reason := obstacle(level):
        raise CourseError(f"Level {level} is not to be had here: {reason}.", fix=f"--level {Level.UNSANDBOXED}")
    return level


@contextmanager
def open_engine(
    client: DockerClient, images: Sequence[str], *, level: Level | None = None, on_progress: OnProgress | None = None
) -> Iterator[tuple[ReplayEngine, Level]]:
    """A clean replay engine and the level that it gives; raises `CourseError` where that level is not to be had."""
    chosen = choose(level)
    with replay_engine(client, images, on_progress=on_progress) as engine:
        yield engine, chosen
