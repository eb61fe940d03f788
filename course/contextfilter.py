"""Which entries of a folder travel to the engine, by its include and exclude patterns.

Enters: patterns, and paths from the top down. Leaves: a `Verdict` for each. Pure; may import
`course.patterns`.

Source: tonistiigi/fsutil filter.go (NewFilterFS, filterFS.Walk).
"""

import os
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from course.patterns import Matched, PatternMatcher

_GLOBS: Final = frozenset("*[]?^" if os.sep == "\\" else "*[]?^\\")

Passed = tuple[Matched, Matched]
"""What matched a directory, for the entries in it: of the include and of the exclude patterns."""
ROOT: Final[Passed] = ((), ())


class Verdict(Enum):
    """What becomes of an entry."""

    SEND = auto()
    LOOK_BELOW = auto()
    """A directory that travels only if something in it does."""
    LEAVE = auto()


class Filter:
    """Include and exclude patterns together."""

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        """Without `include` patterns everything is in. Raises `BadPattern`."""
        self._include = PatternMatcher(include) if include else None
        self._exclude = PatternMatcher(exclude) if exclude else None
        self._wanted = _prefixes(self._include, brings_back=False)
        self._exceptions = _prefixes(self._exclude, brings_back=True)
        self.is_open = not (include or exclude)

    def decide(self, path: str, passed: Passed, *, is_folder: bool) -> tuple[Verdict, Passed]:
        """What becomes of `path`, and what to pass on for the entries in it."""
        included, excluded = passed
        wanted = True
        if self._include:
            wanted, included = self._include.match(path, included)
            if not wanted and is_folder and not _leads_to(path, self._wanted):
                return Verdict.LEAVE, passed
        if self._exclude:
            refused, excluded = self._exclude.match(path, excluded)
            if refused and is_folder and not _leads_to(path, self._exceptions):
                return Verdict.LEAVE, passed
            wanted = wanted and not refused
        if wanted:
            return Verdict.SEND, (included, excluded)
        return Verdict.LOOK_BELOW if is_folder else Verdict.LEAVE, (included, excluded)


def _prefixes(matcher: PatternMatcher | None, *, brings_back: bool) -> tuple[str, ...] | None:
    """The plain paths that patterns of one sort begin with, or None when some could match anywhere."""
    patterns = [pattern for pattern in matcher.patterns if pattern.brings_back == brings_back] if matcher else []
    plain = [pattern.text.removesuffix("/**").removesuffix("/*") + "/" for pattern in patterns]
    return None if any(_GLOBS.intersection(path) for path in plain) else tuple(plain)


def _leads_to(folder: str, prefixes: tuple[str, ...] | None) -> bool:
    return prefixes is None or any(prefix.startswith(folder + "/") for prefix in prefixes)
