"""What each assignment is judged by: its checks, how their evidence is gathered, and the images that this takes."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from course.assignments import Assignment
from graders.pictures import Picture, show
from graders.rubric import Gathered, Rubric
from graders.sandbox import ReplayEngine
from graders.submission import Artifacts

Gather = Callable[[ReplayEngine, Assignment, Artifacts], Iterator[Gathered[Any]]]


@dataclass(frozen=True, kw_only=True)
class Grading:
    """A rubric and where its evidence comes from. `gather` yields all that is known each time that more is known.

    `pictures` are the parts of the evidence that a report shows, each with its title.
    """

    rubric: Rubric[Any]
    gather: Gather
    images: tuple[str, ...]
    pictures: Mapping[str, str] = field(default_factory=dict)

    def seen(self, evidence: object) -> tuple[Picture, ...]:
        """What to show, as far as it came about."""
        found = (show(title, getattr(evidence, part)) for part, title in self.pictures.items())
        return tuple(one for one in found if one)


GRADINGS: Final = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))
"""The assignments that can be graded; each is a module of this folder."""


def find_grading(name: str) -> Grading:
    """The grading of an assignment; raises `KeyError` where there is none."""
    if name not in GRADINGS:
        raise KeyError(name)
    grading: Grading = importlib.import_module(f"graders.rubrics.{name}").GRADING
    return grading
