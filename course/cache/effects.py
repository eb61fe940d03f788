"""What operations do to files: `Results(context).tree(operation) -> Tree`.

Enters: operations, the context's tree, and for each command or image a name for its result. Leaves: the tree after an
operation, as far as it is known without running it: copies are known, what a command writes is not. Pure.

Follows the copy of tonistiigi/fsutil and moby/buildkit solver/llbsolver/file/backend.go. It is needed for
`COPY --from` and `--mount=from=`, which the cache judges by content.
"""

import hashlib
import posixpath
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from course.cache.operations import Copy, Files, Local, Merge, Mkdir, Mkfile, Operation
from course.cache.tree import REST, Missing, Selector, Tree, digest, has_wildcard
from course.fingerprint import Fingerprint

_ARCHIVES: Final = (".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst")


class Results:
    """The trees of a build's operations, made when asked for. `name` gives the name of a result that is not known."""

    def __init__(self, context: Tree, name: Callable[[Operation], str]) -> None:
        self._context = context
        self._name = name
        self._trees: dict[str, Tree] = {}

    def tree(self, operation: Operation | None) -> Tree:
        """The files after `operation`; None is the empty tree."""
        if operation is None:
            return Tree({})
        if operation.vertex not in self._trees:
            self._trees[operation.vertex] = self._make(operation)
        return self._trees[operation.vertex]

    def _make(self, operation: Operation) -> Tree:
        action = operation.action
        if isinstance(action, Local):
            return self._context
        if isinstance(action, Files):
            return self._after(action, operation)
        if isinstance(action, Merge):
            return self._merged(operation)
        return Tree({}, unknown=self._name(operation), buildkit=self._context.buildkit)

    def _merged(self, operation: Operation) -> Tree:
        trees = [self.tree(needed) for needed in operation.inputs]
        entries: dict[str, Fingerprint] = {}
        for tree in trees:
            entries.update(tree.entries)
        return Tree(entries, unknown=trees[0].unknown, buildkit=self._context.buildkit)

    def _after(self, action: Files, operation: Operation) -> Tree:
        base = self.tree(operation.inputs[action.base] if action.base >= 0 else None)
        made = _Writer(base)
        for step in action.actions:
            if isinstance(step, Mkdir):
                made.make_directories(step.path, owner=step.owner, mode=step.mode)
            elif isinstance(step, Mkfile):
                made.entries[step.path] = Fingerprint(
                    path=step.path, kind="file", mode=step.mode, digest=digest_of_text(step.data)
                )
            else:
                made.copy(step, self.tree(operation.inputs[step.input] if step.input >= 0 else None))
        return Tree(made.entries, unknown=base.unknown, buildkit=self._context.buildkit)


def digest_of_text(text: str) -> str:
    """The digest of a file's bytes, as `course.context` makes it."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


class _Writer:
    """A tree while it is written to."""

    def __init__(self, base: Tree) -> None:
        self.entries = dict(base.entries)
        self._unknown = base.unknown

    def _resolve(self, path: str) -> str:
        try:
            return Tree(self.entries, unknown=self._unknown).resolve(path)
        except Missing:
            return path

    def make_directories(self, path: str, *, owner: str = "", mode: int = 0o755) -> str:
        """Like mkdir -p; an existing directory stays as it is. Returns the path with links followed."""
        path = self._resolve(path)
        current = ""
        for part in [part for part in path.split("/") if part]:
            current += "/" + part
            if current not in self.entries:
                self.entries[current] = Fingerprint(path=current, kind="directory", mode=mode, owner=_owner(owner))
        return path

    def copy(self, copy: Copy, source: Tree) -> None:
        """Put what `copy` selects of `source` where it says."""
        matches = source.glob(copy.source) if has_wildcard(copy.source) and not copy.whole else [copy.source]
        several = len(matches) > 1
        for match in matches:
            try:
                path = source.resolve(match)
            except Missing:
                continue
            entry = source.entries.get(path)
            if entry is None and path != "/":
                self._place_unknown(copy, source, path)
            elif entry is None or entry.kind == "directory":
                self._copy_directory(copy, source, path, entry)
            else:
                self._place(copy, entry, posixpath.basename(match), several=several)

    def _copy_directory(self, copy: Copy, source: Tree, path: str, entry: Fingerprint | None) -> None:
        dest = self.make_directories(copy.dest.rstrip("/") or "/", owner=copy.owner)
        if entry is not None and dest != "/":
            self.entries[dest] = _changed(entry, dest, copy)
        names = source.below(path)
        if copy.include or copy.exclude:
            chosen = set(source.selected(Selector(path=path, include=copy.include, exclude=copy.exclude)))
            names = [name for name in names if name in chosen]
        for name in names:
            target = posixpath.normpath(dest + "/" + name[len(path) :].lstrip("/"))
            self.entries[target] = _changed(source.entries[name], target, copy)
        if source.unknown is not None:
            rest = posixpath.join(dest, REST)
            name = digest(source.unknown, path, copy.include, copy.exclude)
            self.entries[rest] = Fingerprint(path=rest, kind="unknown", mode=0, digest=name)

    def _place(self, copy: Copy, entry: Fingerprint, name: str, *, several: bool) -> None:
        dest = self._resolve(copy.dest.rstrip("/") or "/")
        there = self.entries.get(dest)
        into = copy.dest.endswith("/") or several or dest == "/" or (there is not None and there.kind == "directory")
        if into:
            target = posixpath.join(self.make_directories(dest, owner=copy.owner), name)
        else:
            self.make_directories(posixpath.dirname(dest), owner=copy.owner)
            target = dest
        if copy.unpack and name.endswith(_ARCHIVES):
            self._mark(posixpath.dirname(target) if into else target, digest("unpacked", entry.record, self._unknown))
        else:
            self.entries[target] = _changed(entry, target, copy)

    def _place_unknown(self, copy: Copy, source: Tree, path: str) -> None:
        name = source.checksum_of(path)
        dest = copy.dest.rstrip("/") or "/"
        self._mark(dest, digest("copied", name, copy.owner, copy.mode))

    def _mark(self, path: str, name: str) -> None:
        """Say that what is at `path` and below is not known but by `name`."""
        path = self._resolve(path)
        before = self.entries.get(path)
        if before is not None and before.kind == "unknown":
            name = digest(before.digest, name)
        self.entries[path] = Fingerprint(path=path, kind="unknown", mode=0, digest=name)


def _changed(entry: Fingerprint, path: str, copy: Copy) -> Fingerprint:
    """`entry` at another path, with the owner and mode that the copy gives."""
    placed = replace(entry, path=path, owner=_owner(copy.owner) if copy.owner else entry.owner)
    if not copy.mode or entry.kind in ("link", "unknown"):
        return placed
    try:
        return replace(placed, mode=int(copy.mode, 8))
    except ValueError:  # `u+x` and the like: not worked out, but equal where all is equal
        return replace(placed, digest=digest(entry.digest, copy.mode))


def _owner(owner: str) -> str:
    """`uid:gid`; a user alone brings its own number as the group. Names are kept as they are."""
    user, _, group = (owner or "0:0").partition(":")
    return f"{user}:{group or user}"
