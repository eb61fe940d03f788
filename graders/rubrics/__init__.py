"""What each assignment is judged by: its checks, how their evidence is gathered, and the images that this takes."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from course.assignments import Assignment
from graders.rubric import Gathered, Rubric, SeenBuild
from graders.sandbox import ReplayEngine
from graders.submission import Artifacts

Gather = Callable[[ReplayEngine, Assignment, Artifacts], Iterator[Gathered[Any]]]


@dataclass(frozen=True, kw_only=True)
class Grading:
    """A rubric and where its evidence comes from. `gather` yields all that is known each time that more is known.

    `builds` are the parts of the evidence that a report shows as pictures, each with the picture's title.
    """

    rubric: Rubric[Any]
    gather: Gather
    images: tuple[str, ...]
    builds: Mapping[str, str] = field(default_factory=dict)

    def seen(self, evidence: object) -> tuple[SeenBuild, ...]:
        """The builds to show, as far as they came about."""
        found = ((title, getattr(evidence, part)) for part, title in self.builds.items())
        return tuple(SeenBuild(title=title, trace=trace) for title, trace in found if trace is not None)


GRADINGS: Final = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))
"""The assignments that can be graded; each is a module of this folder."""


def find_grading(name: str) -> Grading:
    """The grading of an assignment; raises `KeyError` where there is none."""
    if name not in GRADINGS:
        raise KeyError(name)
    grading: Grading = importlib.import_module(f"graders.rubrics.{name}").GRADING
    return grading
