"""What a BuildKit cache remembers: results under keys, and links between keys: `Store`.

Enters: cache maps, keys of inputs and digests of content. Leaves: the keys that match. Pure; JSON-able.

The shape is that of moby/buildkit solver/cachemanager.go: a key is a node; an operation on inputs is found by
walking, from each input's key (with the digest of the selected paths) or from the digest of its content, the links
with the operation's digest, and taking what all inputs lead to. So an operation may be found by the key of one input
and the content of another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from course.cache.tree import Content

Link: TypeAlias = tuple[str, int, str, str]
"""From a key or content, by an input's number, an operation's digest and a selector."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How one input may lead to a result: from the keys `keys` with `selector`, or from `content`."""

    keys: tuple[str, ...] = ()
    selector: str = ""
    content: Content | None = None

    def starts(self) -> list[tuple[str, str]]:
        """The nodes to walk from, with the selector that belongs to each."""
        found = [(key, self.selector) for key in self.keys]
        if self.content is not None:
            found.append((content_key(self.content), ""))
        return found


def content_key(content: Content) -> str:
    """The node of a content digest."""
    return "content:" + content.digest


class Store:
    """The keys and results of one engine's cache, as far as builds were observed."""

    def __init__(self) -> None:
        self._links: dict[Link, dict[str, None]] = {}
        self._contents: dict[tuple[int, str], dict[str, Content]] = {}
        self._results: dict[str, str] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._results)

    def result(self, key: str) -> str | None:
        """The name of the run whose files are kept under `key`; None when nothing is."""
        return self._results.get(key)

    def newest(self, keys: Iterable[str]) -> str | None:
        """The key, of those that have a result, that was saved last: the one that BuildKit loads."""
        wanted = set(keys)
        return next((key for key in reversed(self._results) if key in wanted), None)

    def find(self, digest: str, ways: Sequence[Way]) -> tuple[str, ...]:
        """The keys that every input leads to, oldest first."""
        found: dict[str, None] | None = None
        for number, way in enumerate(ways):
            here = self._walk(digest, number, way)
            found = here if found is None else {key: None for key in found if key in here}
        return tuple(found or ())

    def may_find(self, digest: str, ways: Sequence[Way]) -> frozenset[str]:
        """The keys that inputs may lead to where content is not known for sure."""
        found: set[str] | None = None
        for number, way in enumerate(ways):
            here = set(self._walk(digest, number, way))
            if way.content is not None:
                for content in self._contents.get((number, digest), {}).values():
                    if way.content.may_equal(content):
                        here |= set(self._links.get((content_key(content), number, digest, ""), ()))
            found = here if found is None else found & here
        return frozenset(found or ())

    def _walk(self, digest: str, number: int, way: Way) -> dict[str, None]:
        found: dict[str, None] = {}
        for key, selector in way.starts():
            found.update(self._links.get((key, number, digest, selector), {}))
        return found

    @property
    def count(self) -> int:
        """How many results were ever kept."""
        return self._count

    def save(self, digest: str, ways: Sequence[Way], *, run: str) -> str:
        """Keep the result of the run named `run`; returns its key: the one that its inputs lead to already, or a new
        one.
        """
        known = self.find(digest, ways) if ways else (f"root:{digest}",)
        self._count += 1
        key = known[0] if known else f"key:{self._count}"
        self._results.pop(key, None)
        self._results[key] = run
        self.connect(digest, ways, key)
        return key

    def connect(self, digest: str, ways: Sequence[Way], key: str) -> None:
        """Let all these ways lead to `key`."""
        for number, way in enumerate(ways):
            for start, selector in way.starts():
                self._links.setdefault((start, number, digest, selector), {})[key] = None
            if way.content is not None:
                self._contents.setdefault((number, digest), {})[way.content.digest] = way.content

    def drop(self, key: str) -> None:
        """Forget a result that the engine no longer has."""
        self._results.pop(key, None)

    def to_json(self) -> dict[str, Any]:
        """Plain data, to be kept between runs of the course."""
        return {
            "count": self._count,
            "links": [[*link, list(keys)] for link, keys in self._links.items()],
            "contents": [
                [number, digest, content.digest, sorted(content.unknown), dict(content.known)]
                for (number, digest), contents in self._contents.items()
                for content in contents.values()
            ],
            "results": list(self._results.items()),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Store":
        """The inverse of `to_json`."""
        store = cls()
        store._count = data["count"]
        store._links = {(a, b, c, d): dict.fromkeys(keys) for a, b, c, d, keys in data["links"]}
        for number, digest, content, unknown, known in data["contents"]:
            noted = Content(digest=content, unknown=frozenset(unknown), known=known)
            store._contents.setdefault((number, digest), {})[content] = noted
        store._results = dict(data["results"])
        return store
