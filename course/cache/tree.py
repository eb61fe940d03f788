"""Trees of files, and what BuildKit digests of them: `Tree(entries).checksum(selector) -> Content`.

Enters: fingerprints and selectors (a path, whether links are followed, patterns). Leaves: digests that are equal
exactly when BuildKit's are. Pure; may import `course.fingerprint` and `course.patterns`.

A port of the rules, not of the code, of moby/buildkit cache/contenthash/checksum.go. The tree of a stage is partly
unknown once a command has run in it, or where it begins from an image: `unknown` then names that result, digests carry
the name, and two digests with different names may be of equal files.
"""

import fnmatch
import hashlib
import posixpath
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from course.cache.nouns import BuildKit
from course.fingerprint import Fingerprint
from course.patterns import Matched, PatternMatcher

LINKS: Final = 255
_NEWEST: Final = BuildKit()
_LAST: Final = "\U0010ffff"
REST: Final = "\0rest"
"""The name of an entry that stands for whatever else an unknown result put into a directory."""


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Which part of a tree an operation reads (moby/buildkit solver/llbsolver/ops/opsutils/contenthash.go)."""

    path: str
    follow: bool = False
    wildcard: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def filtered(self) -> bool:
        """Whether names are matched, so that the digest is of a list of files."""
        return self.wildcard or bool(self.include or self.exclude)


@dataclass(frozen=True, kw_only=True)
class Content:
    """The digest of selected files; `unknown` names the results in it whose files are not known, and `known` holds the
    records of the files and links that are, by path.

    Equal digests are equal files. Different digests are different files where all is known, or where a known file
    differs from the one at the same path; a file that is known in one only, an unknown result may have held before.
    """

    digest: str
    unknown: frozenset[str] = frozenset()
    known: Mapping[str, str] = field(default_factory=dict)

    def may_equal(self, other: "Content") -> bool:
        """Whether the files may be the same, for all that is known."""
        if self.digest == other.digest or self.unknown != other.unknown:
            return True
        return bool(self.unknown) and all(
            other.known.get(path, record) == record for path, record in self.known.items()
        )


class Missing(LookupError):
    """A selected path is not in the tree: the build would fail here. Its argument is the path."""


class Tree:
    """An immutable tree: absolute paths to fingerprints; `unknown` names the result that lies under the known
    entries.
    """

    def __init__(
        self, entries: Mapping[str, Fingerprint], *, unknown: str | None = None, buildkit: BuildKit = _NEWEST
    ) -> None:
        self.entries = entries
        self.unknown = unknown
        self.buildkit = buildkit
        self._checksums: dict[Selector, Content] = {}

    @cached_property
    def _ordered(self) -> tuple[list[str], list[str]]:
        pairs = sorted((path.replace("/", "\0"), path) for path in self.entries if path != "/")
        return [key for key, _ in pairs], [path for _, path in pairs]

    def below(self, path: str) -> list[str]:
        """All paths under `path`, a directory before what it holds."""
        keys, paths = self._ordered
        prefix = path.rstrip("/").replace("/", "\0") + "\0"
        return paths[bisect_left(keys, prefix) : bisect_left(keys, prefix + _LAST)]

    def resolve(self, path: str, *, last: bool = True) -> str:
        """`path` with the links on its way followed, inside the tree; `last` also where it ends in a link."""
        for _ in range(LINKS):
            step = self._follow_one(path, last=last)
            if step is None:
                return path
            path = step
        raise Missing(path)

    def _follow_one(self, path: str, *, last: bool) -> str | None:
        parts = _parts(path)
        current = "/"
        for number, part in enumerate(parts):
            here = posixpath.join(current, part)
            entry = self.entries.get(here)
            if entry is not None and entry.kind == "link" and (last or number < len(parts) - 1):
                rest = "/".join(parts[number + 1 :])
                return clean(posixpath.join(current, entry.link, rest))
            current = here
        return None

    def checksum(self, selector: Selector) -> Content:
        """What BuildKit digests for `selector`. Raises `Missing` where BuildKit would fail."""
        if selector not in self._checksums:
            self._checksums[selector] = self._filtered(selector) if selector.filtered else self._plain(selector)
        return self._checksums[selector]

    def checksum_all(self, selectors: Sequence[Selector]) -> Content:
        """What BuildKit digests for several selectors of one input."""
        contents = [self.checksum(selector) for selector in selectors]
        unknown = frozenset[str]().union(*(content.unknown for content in contents))
        known = {f"{n} {path}": record for n, one in enumerate(contents) for path, record in one.known.items()}
        return Content(digest=digest("all", [content.digest for content in contents]), unknown=unknown, known=known)

    def checksum_of(self, path: str) -> str:
        """The digest of what is at `path`; empty where nothing is known to be there."""
        try:
            return self.checksum(Selector(path=path)).digest
        except Missing:
            return ""

    def selected(self, selector: Selector) -> tuple[str, ...]:
        """The paths that `selector` covers, for people: what a step reads."""
        if selector.filtered:
            return tuple(path for path, _ in self._included(selector))
        try:
            path = self.resolve(selector.path, last=selector.follow)
        except Missing:
            return ()
        return (*((path,) if path in self.entries else ()), *self.below(path))

    def _plain(self, selector: Selector) -> Content:
        path = self.resolve(selector.path, last=selector.follow)
        entry = self.entries.get(path)
        if entry is not None and entry.kind not in ("directory", "unknown"):
            return Content(digest=entry.record)
        if entry is not None or path == "/":
            return self._directory(path)
        above = self._unknown_above(path)
        if above is None:
            raise Missing(selector.path)
        return Content(digest=digest("in", above, path), unknown=frozenset((above,)))

    def _unknown_above(self, path: str) -> str | None:
        """The unknown result that may hold `path`, which is not among the known entries."""
        parent = path
        while parent != "/":
            parent = posixpath.dirname(parent)
            for name in (parent, posixpath.join(parent, REST)):
                if self._is_unknown(name):
                    return self.entries[name].digest
        return self.unknown

    def _directory(self, path: str) -> Content:
        entry = self.entries.get(path)
        start = len(path.rstrip("/"))
        found = [("", entry.record if entry else "root")]
        found += [(name[start:], self.entries[name].record) for name in self.below(path)]
        return self._content("directory", path, found)

    def _content(self, kind: str, path: str, found: list[tuple[str, str]]) -> Content:
        below = self.below(path) if "unknown" in self._kinds else []
        unknown = {self.entries[name].digest for name in [path, *below] if self._is_unknown(name)}
        if self.unknown is not None:
            unknown.add(self.unknown)
        elif not unknown:
            return Content(digest=digest(kind, found))
        known = {name: record for name, record in found if record in self._sure}
        under = (path, self.unknown) if self.unknown is not None else ()
        return Content(digest=digest(kind, *under, found), unknown=frozenset(unknown), known=known)

    @cached_property
    def _kinds(self) -> frozenset[str]:
        return frozenset(entry.kind for entry in self.entries.values())

    @cached_property
    def _sure(self) -> frozenset[str]:
        """The records of files and links: what a directory was before something was put into it may be unknown."""
        return frozenset(entry.record for entry in self.entries.values() if entry.kind in ("file", "link"))

    def _is_unknown(self, path: str) -> bool:
        return path in self.entries and self.entries[path].kind == "unknown"

    def _filtered(self, selector: Selector) -> Content:
        found: list[tuple[str, str]] = []
        inside = () if selector.wildcard else (_folder(clean(selector.path)),)
        for path, entry in self._included(selector):
            record = entry.record
            nested = path.startswith(inside)
            if entry.kind == "directory" and not nested:
                inside = (_folder(path),)
            if self.buildkit.digests_matched_directories_whole and entry.kind == "directory":
                record = self._directory(path).digest
            elif selector.follow and entry.kind == "link" and (self.buildkit.follows_nested_links or not nested):
                record = self._plain(Selector(path=path, follow=True)).digest
            found.append((path, record))
        if self.unknown is not None or "unknown" in self._kinds:
            return self._content(f"list {selector}", "/", found)
        if not found:
            return Content(digest=digest("empty"))
        if len(found) == 1 and posixpath.basename(found[0][0]) == posixpath.basename(selector.path):
            return Content(digest=found[0][1])
        if self.buildkit.digests_paths_below_patterns:
            above = "/" + "/".join(_split_pattern(selector.path)[0] if selector.wildcard else _parts(selector.path))
            return Content(digest=digest("list", [(path.removeprefix(above), record) for path, record in found]))
        return Content(digest=digest("list", [(posixpath.basename(path), record) for path, record in found]))

    def _included(self, selector: Selector) -> Iterator[tuple[str, Fingerprint]]:
        """The entries that patterns choose, with parents of chosen ones, in the tree's order (includedPaths)."""
        if selector.wildcard:
            starts = [(path, path) for path in self.glob(selector.path)]
        else:
            starts = [(self.resolve(selector.path), clean(selector.path))]
        for real, shown in starts:
            entry = self.entries.get(real)
            if self.buildkit.digests_matched_directories_whole or (entry is not None and entry.kind != "directory"):
                if entry is not None:
                    yield shown, entry
                continue
            yield from self._below_by_pattern(real, shown, selector)

    def _below_by_pattern(self, real: str, shown: str, selector: Selector) -> Iterator[tuple[str, Fingerprint]]:
        chosen = _chooser(selector)
        start = len(real.rstrip("/")) + 1
        waiting: list[tuple[str, Fingerprint]] = []
        top = self.entries.get(real)
        if top is not None and chosen(""):
            yield shown, top
        elif top is not None:
            waiting.append((real, top))
        for path in self.below(real):
            entry = self.entries[path]
            waiting = [(parent, e) for parent, e in waiting if path.startswith(parent.rstrip("/") + "/")]
            if chosen(path[start:]):
                yield from ((posixpath.join(shown, parent[start:]), e) for parent, e in waiting)
                waiting = []
                yield posixpath.join(shown, path[start:]), entry
            elif entry.kind == "directory":
                waiting.append((path, entry))

    def glob(self, pattern: str) -> list[str]:
        """The paths that a pattern with wildcards matches, as Go's path.Match has it: `*` never matches a slash."""
        fixed, wild = _split_pattern(pattern)
        start = "/" + "/".join(fixed)
        real = self.resolve(start)
        depth = len(_parts(real))
        patterns = [_go_pattern(part) for part in wild]
        found = []
        for path in self.below(real):
            parts = path.split("/")[1 + depth :]
            if len(parts) == len(patterns) and all(p.fullmatch(part) for p, part in zip(patterns, parts, strict=True)):
                found.append(path)
        return found


def tree_of(files: Iterable[Fingerprint], *, buildkit: BuildKit = _NEWEST) -> Tree:
    """The tree of a context: fingerprints with paths from its root."""
    return Tree({"/" + file.path: file for file in files}, buildkit=buildkit)


def clean(path: str) -> str:
    """Go's path.Clean of an absolute path."""
    return "/" + posixpath.normpath("/" + path).lstrip("/")


def has_wildcard(name: str) -> bool:
    """Whether a source is a pattern: `*`, `?` or `[` that no backslash escapes."""
    return re.search(r"(?<!\\)(?:\\\\)*[*?\[]", name) is not None


def digest(*facts: object) -> str:
    """A digest of plain data."""
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()


def _chooser(selector: Selector) -> Callable[[str], bool]:
    include = PatternMatcher(selector.include) if selector.include else None
    exclude = PatternMatcher(selector.exclude) if selector.exclude else None

    def chosen(name: str) -> bool:
        if include is not None and not (name and _matches(include, name)):
            return False
        return not (exclude is not None and name and _matches(exclude, name))

    return chosen


def _matches(matcher: PatternMatcher, name: str) -> bool:
    """Whether a path or a folder that it lies in matches, as patterns with exceptions decide it."""
    above: Matched = ()
    found = False
    parts = name.split("/")
    for end in range(1, len(parts) + 1):
        found, above = matcher.match("/".join(parts[:end]), above)
    return found


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _split_pattern(pattern: str) -> tuple[list[str], list[str]]:
    """The names before the first one with a wildcard, and the others (splitWildcards)."""
    parts = _parts(pattern)
    first = next((number for number, part in enumerate(parts) if has_wildcard(part)), len(parts))
    return parts[:first], parts[first:]


def _folder(path: str) -> str:
    return path.rstrip("/") + "/"


def _go_pattern(part: str) -> re.Pattern[str]:
    """One path element of a Go pattern: a backslash escapes, `[^` negates."""
    pieces = re.findall(r"\\.|\[\^?[^\]]*\]|.", part, re.DOTALL)
    regex = ""
    for piece in pieces:
        if piece.startswith("\\") and len(piece) == 2:
            regex += re.escape(piece[1])
        elif piece.startswith("[") and len(piece) > 2:
            regex += fnmatch.translate(piece.replace("[^", "[!", 1)).removeprefix("(?s:").removesuffix(")\\Z")
        else:
            regex += {"*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece))
    return re.compile(regex, re.DOTALL)
