"""Who reaches whom in a table: of the many ways between two, the one that tells most.

Enters: a `Setup` and the `Reach`es measured in it. Leaves: `ReachMatrix`. Pure; may import its neighbours' nouns.
"""

from collections.abc import Sequence

from course.lab.explain_reach import names
from course.lab.reach import HOST, Answer, Reach
from course.lab.setup import Setup


class ReachMatrix:
    """Sources and targets in the set-up's order, the host and the world outside last; and what is said of each pair."""

    def __init__(self, setup: Setup, reaches: Sequence[Reach]) -> None:
        self._setup = setup
        self._pairs: dict[tuple[str, str], list[Reach]] = {}
        for reach in reaches:
            self._pairs.setdefault((reach.source, reach.target), []).append(reach)
        places = {one.name: place for place, one in enumerate(setup.containers)}
        sources, targets = (dict.fromkeys(pair[end] for pair in self._pairs) for end in (0, 1))
        self.sources = tuple(sorted(sources, key=lambda name: places.get(name, len(places))))
        self.targets = tuple(sorted(targets, key=lambda name: places.get(name, len(places))))

    def all_ways(self, source: str, target: str) -> Sequence[Reach]:
        """Every way that was tried between two."""
        return self._pairs.get((source, target), ())

    def ways(self, source: str, target: str) -> Sequence[Reach]:
        """The same, without a container's localhost where that means itself."""
        found = self.all_ways(source, target)
        return [one for one in found if one.address != "localhost" or source in (target, HOST)] or found

    def best(self, source: str, target: str) -> Reach | None:
        """The way that tells most: one that works, by name before by address; else the first."""
        ways = self.ways(source, target)
        return next((one for one in ways if one.answer is Answer.ANSWERED), ways[0] if ways else None)

    def summary(self, reach: Reach) -> str:
        """In two or three words how it was reached, or why not."""
        if reach.answer is not Answer.ANSWERED:
            return reach.answer.value
        if reach.address == "localhost":
            return f"localhost:{reach.port}"
        target = next((one for one in self._setup.containers if one.name == reach.target), None)
        return "by name" if target is None or reach.address in names(target) else "by address"
