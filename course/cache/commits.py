"""How often which files change: the commits of a git history, counted by the kinds of files that they touch.

Enters: a recorded history. Leaves: `Commits`, and from them changes a week. Pure; imports no other room.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Commits:
    """`counts`: how many commits touch just these kinds of files together; a kind is the path that stands for it."""

    origin: str
    counts: Mapping[tuple[str, ...], int]

    @property
    def total(self) -> int:
        """All commits."""
        return sum(self.counts.values())

    def touching(self, path: str) -> int:
        """How many commits touch this kind of file, alone or with others."""
        return sum(count for paths, count in self.counts.items() if path in paths)

    def per_week(self, builds: float) -> dict[tuple[str, ...], float]:
        """The files that are edited before a build, and how often a week, when the edits are as in the history."""
        return {paths: builds * count / self.total for paths, count in self.counts.items()}


def parse_commits(data: Mapping[str, Any]) -> Commits:
    """Read `{"origin", "kinds": {kind: path}, "commits": {"kind kind": count}}`."""
    kinds = data["kinds"]
    counts = {tuple(kinds[kind] for kind in names.split()): int(count) for names, count in data["commits"].items()}
    return Commits(origin=data["origin"], counts=counts)
