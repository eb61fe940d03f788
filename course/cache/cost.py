"""What a Dockerfile costs: expected seconds per rebuild and minutes per week, from what changes how often.

Enters: a build, the seconds that each step takes, and how many times a week each file changes. Leaves: a `Cost`.
Pure. For each file the predictor says which steps would run after an edit of it; their seconds are added up. A step
that depends on a command's output is counted as if it ran.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from course.cache.nouns import BuildInput, Prediction, Verdict
from course.cache.predictor import Predictor
from course.cache.tree import digest


@dataclass(frozen=True, kw_only=True)
class EditCost:
    """What one kind of edit costs: the steps that run, by their lines, and their seconds. `path` may be several."""

    path: str
    per_week: float
    seconds: float
    lines: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a Dockerfile costs under a mix of edits."""

    edits: tuple[EditCost, ...]

    @property
    def seconds_per_rebuild(self) -> float:
        """The seconds of a rebuild after an edit drawn from the mix."""
        total = sum(edit.per_week for edit in self.edits)
        return sum(edit.per_week * edit.seconds for edit in self.edits) / total if total else 0.0

    @property
    def minutes_per_week(self) -> float:
        """All rebuilds of a week, one after each edit."""
        return sum(edit.per_week * edit.seconds for edit in self.edits) / 60


def cost(
    build: BuildInput,
    *,
    seconds: Mapping[str, float],
    per_week: Mapping[str, float] | Mapping[tuple[str, ...], float],
) -> Cost:
    """The cost of `build`: `seconds` by the text of a step, `per_week` by path or pattern (`src/**`, `*.md`), or by
    several of them that are edited before one build.
    """
    predictor = Predictor()
    predictor.observe(build)
    edits = []
    for key, times in per_week.items():
        patterns = (key,) if isinstance(key, str) else key
        after = build
        for pattern in patterns:
            path = next((f.path for f in build.files if f.kind == "file" and _matches(f.path, pattern)), None)
            after = edited(after, path) if path else after
        ran = [p for p in predictor.predict(after) if p.verdict in (Verdict.MISS, Verdict.DEPENDS)]
        edits.append(
            EditCost(
                path=", ".join(patterns),
                per_week=times,
                seconds=sum(_seconds(p, seconds) for p in ran),
                lines=tuple(p.step.line for p in ran),
            )
        )
    return Cost(edits=tuple(edits))


def edited(build: BuildInput, path: str) -> BuildInput:
    """`build` after an edit of the file at `path`."""
    files = tuple(
        replace(file, digest=digest("edited", file.digest)) if file.path == path else file for file in build.files
    )
    return replace(build, files=files)


def _seconds(prediction: Prediction, seconds: Mapping[str, float]) -> float:
    return seconds.get(prediction.step.text, 0.0)


def _matches(path: str, pattern: str) -> bool:
    if pattern.endswith("/**"):
        return path.startswith(pattern[:-2])
    return path == pattern or fnmatchcase(path, pattern)
