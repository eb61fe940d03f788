"""What the cache would answer for each operation of a build: `judge(graph, store, ...) -> {vertex: Answer}`.

Enters: operations and a store. Leaves: for each vertex, whether a result is found, surely or perhaps. Reads the store
and never writes it; `settle` writes what came of it. Pure.

The rules are those of moby/buildkit solver/edge.go. The one that shapes all: what is not found gives its followers no
key, so a follower can be found by the content of its inputs only, and for the input that it stands on there is no such
key. That is why one miss makes misses of all below it in a stage, and why `COPY --from` can hit again.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Final

from course.cache.effects import Results
from course.cache.frontend import Graph, reachable
from course.cache.keys import cache_map
from course.cache.nouns import BuildKit, Verdict
from course.cache.operations import Operation, Source
from course.cache.state import CONTEXT
from course.cache.store import Store, Way
from course.cache.tree import Missing, Tree, digest

REMOTE: Final = ("http", "git")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is known of one operation. `keys` lead to its result for sure, `perhaps` may; `missing` is a path that a
    copy does not find.
    """

    operation: Operation
    digest: str
    ways: tuple[Way, ...]
    verdict: Verdict
    keys: tuple[str, ...] = ()
    perhaps: frozenset[str] = frozenset()
    missing: str | None = None


Actual = Callable[[Operation], Verdict | None]
"""What became of an operation on the engine, where that is known."""


class Solver:
    """The answers for one build, input by input."""

    def __init__(self, store: Store, context: Tree, buildkit: BuildKit, actual: Actual = lambda _: None) -> None:
        self._store, self._buildkit, self._actual = store, buildkit, actual
        self._count = store.count
        self.results = Results(context, self._name)
        self.answers: dict[str, Answer] = {}

    def judge(self, graph: Graph) -> Mapping[str, Answer]:
        """Answer for every operation that the result of `graph` needs."""
        for operation in reachable(graph):
            self.answers[operation.vertex] = self._judge(operation)
        return self.answers

    def _judge(self, operation: Operation) -> Answer:
        keys = cache_map(operation, self._buildkit)
        if not operation.inputs:
            return self._judge_source(operation, keys.digest)
        try:
            ways = self._ways(operation)
        except Missing as error:
            return Answer(operation=operation, digest=keys.digest, ways=(), verdict=Verdict.MISS, missing=str(error))
        sure: tuple[str, ...] = ()
        perhaps: frozenset[str] = frozenset()
        if not operation.forced:
            sure = tuple(key for key in self._store.find(keys.digest, ways) if self._store.result(key))
            guesses = tuple(
                replace(way, keys=(*way.keys, *self._perhaps(o))) for way, o in zip(ways, operation.inputs, strict=True)
            )
            perhaps = frozenset(key for key in self._store.may_find(keys.digest, guesses) if self._store.result(key))
        verdict = Verdict.HIT if sure else Verdict.DEPENDS if perhaps else Verdict.MISS
        answer = Answer(operation=operation, digest=keys.digest, ways=ways, verdict=verdict, keys=sure, perhaps=perhaps)
        return self._with_actual(answer)

    def _judge_source(self, operation: Operation, own: str) -> Answer:
        key = f"root:{own}"
        known = self._store.result(key) is not None and not operation.forced
        action = operation.action
        if operation is CONTEXT or not known:
            return Answer(operation=operation, digest=own, ways=(), verdict=Verdict.MISS)
        if isinstance(action, Source) and _is_open(action):
            return Answer(operation=operation, digest=own, ways=(), verdict=Verdict.DEPENDS, perhaps=frozenset((key,)))
        return Answer(operation=operation, digest=own, ways=(), verdict=Verdict.HIT, keys=(key,))

    def _with_actual(self, answer: Answer) -> Answer:
        actual = self._actual(answer.operation)
        if actual is Verdict.HIT and not answer.keys and answer.perhaps:
            key = self._store.newest(answer.perhaps)
            return replace(answer, keys=(key,) if key else ())
        if actual is Verdict.MISS:
            return replace(answer, keys=(), perhaps=frozenset())
        return answer

    def _perhaps(self, operation: Operation) -> frozenset[str]:
        return self.answers[operation.vertex].perhaps

    def _ways(self, operation: Operation) -> tuple[Way, ...]:
        """How each input may lead to a result. Raises `Missing` where a selected path is not there."""
        ways = []
        for needed, key in zip(operation.inputs, cache_map(operation, self._buildkit).inputs, strict=True):
            content = None
            if key.content is not None:
                content = self.results.tree(needed).checksum_all(key.content)
            ways.append(Way(keys=self.answers[needed.vertex].keys, selector=key.selector, content=content))
        return tuple(ways)

    def _name(self, operation: Operation) -> str:
        """The name of the files that an operation leaves: of the run that is reused, or of this very one."""
        answer = self.answers[operation.vertex]
        if isinstance(operation.action, Source) and not _is_open(operation.action):
            return "image:" + answer.digest
        key = self._store.newest(answer.keys)
        return (key and self._store.result(key)) or self.run(operation)

    def run(self, operation: Operation) -> str:
        """A name for what `operation` would leave if it ran in this build."""
        return "run:" + digest(operation.vertex, self._count)[:16]


def _is_open(source: Source) -> bool:
    """Whether a server decides what it holds."""
    return source.kind in REMOTE and not source.identity


def settle(solver: Solver, store: Store, *, unfinished: Set[str] = frozenset()) -> Mapping[str, str | None]:
    """Write into `store` what the build left there, and say under which key the result of each vertex is kept.

    `unfinished` are the vertices that failed or were never reached.
    """
    final: dict[str, str | None] = {}
    for vertex, answer in solver.answers.items():
        inputs = [final[needed.vertex] for needed in answer.operation.inputs]
        sources_only = all(needed is CONTEXT for needed in answer.operation.inputs if final[needed.vertex] is None)
        if answer.operation is CONTEXT or answer.missing or vertex in unfinished or not sources_only:
            final[vertex] = None
            continue
        ways = tuple(_with_key(way, key) for way, key in zip(answer.ways, inputs, strict=True))
        key = store.newest(answer.keys)
        if key is not None:
            store.connect(answer.digest, ways, key)
        else:
            key = store.save(answer.digest, ways, run=solver.run(answer.operation))
        final[vertex] = key
    return final


def _with_key(way: Way, key: str | None) -> Way:
    return way if key is None or key in way.keys else replace(way, keys=(*way.keys, key))
