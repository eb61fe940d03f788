"""The files of a folder as the engine is told of them, in the order that it wants.

Enters: a folder and a `Filter`. Leaves: `Entry`s with their encoded Stat. Reads files; may import
`course.contextfilter`, `.stamp` and `.wire`.

Sources: tonistiigi/fsutil fs.go, filter.go (which parents travel), stat.go, stat_unix.go, stat_windows.go,
types/stat.proto. Names are bytes: what one means is its owner's business, that it is kept is ours.
"""

import os
import stat
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from course.builds.session.stamp import Stamps
from course.builds.session.wire import blob, number
from course.contextfilter import ROOT, Filter, Passed, Verdict

_GO_KIND: Final = {
    stat.S_IFDIR: 1 << 31,
    stat.S_IFLNK: 1 << 27,
    stat.S_IFBLK: 1 << 26,
    stat.S_IFIFO: 1 << 25,
    stat.S_IFCHR: 1 << 26 | 1 << 21,
}
"""Go's os.FileMode. A socket has none of its bits, as fsutil has it: it arrives as an empty file."""
_GO_SPECIAL: Final = ((stat.S_ISUID, 1 << 23), (stat.S_ISGID, 1 << 22), (stat.S_ISVTX, 1 << 20))
_APPLE: Final = "com.apple."


class Entry(NamedTuple):
    """One entry: `path` from the root with slashes, its encoded Stat, and whether the engine may ask for its bytes."""

    path: bytes
    stat: bytes
    has_data: bool


class _Found(NamedTuple):
    path: bytes
    full_path: bytes
    status: os.stat_result


class Walk:
    """One walk through a folder; hard links are links within what this walk has seen."""

    def __init__(self, root: Path, chosen: Filter) -> None:
        self._root = os.fsencode(root)
        self._filter = chosen
        self._stamps = Stamps()
        self._first_names: dict[tuple[int, int], bytes] = {}

    def entries(self) -> Iterator[Entry]:
        """Every entry that travels: names in the order of their bytes, a directory before what it holds.

        Raises `OSError` for a directory that cannot be read. What vanishes on the way is left out.
        """
        return self._below(self._root, b"", ROOT, [])

    def _below(self, folder: bytes, prefix: bytes, passed: Passed, unsent: list[_Found]) -> Iterator[Entry]:
        for item in _listing(folder):
            try:
                status = item.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            found = _Found(prefix + item.name, item.path, status)
            is_folder = stat.S_ISDIR(status.st_mode)
            verdict, below = Verdict.SEND, passed
            if not self._filter.is_open:
                path = found.path.decode("utf-8", "surrogateescape")
                verdict, below = self._filter.decide(path, passed, is_folder=is_folder)
            if verdict is Verdict.SEND:
                if unsent:
                    yield from map(self._entry, unsent)
                    unsent.clear()
                yield self._entry(found)
            if is_folder and verdict is not Verdict.LEAVE:
                yield from self._inside(found, below, unsent, excluded=verdict is not Verdict.SEND)

    def _inside(self, found: _Found, passed: Passed, unsent: list[_Found], *, excluded: bool) -> Iterator[Entry]:
        if excluded:
            unsent.append(found)
        try:
            yield from self._below(found.full_path, found.path + b"/", passed, unsent)
        except PermissionError:
            if not excluded:
                raise
        if unsent and unsent[-1] is found:
            unsent.pop()

    def _entry(self, found: _Found) -> Entry:
        status = found.status
        kind = stat.S_IFMT(status.st_mode)
        encoded = blob(1, found.path) + _encoded_mode(status.st_mode)
        if kind != stat.S_IFDIR:
            encoded += number(5, status.st_size)
        is_file = kind == stat.S_IFREG
        encoded += number(6, self._stamps.mod_time(status, found.full_path) if is_file else status.st_mtime_ns)
        if link := self._link(found, kind):
            encoded += blob(7, link)
        if kind in (stat.S_IFBLK, stat.S_IFCHR):
            encoded += number(8, os.major(status.st_rdev)) + number(9, os.minor(status.st_rdev))
        if sys.platform == "linux":
            for name, value in attributes(found.full_path):
                encoded += blob(10, blob(1, name) + blob(2, value))
        return Entry(found.path, encoded, has_data=kind not in _GO_KIND)

    def _link(self, found: _Found, kind: int) -> bytes:
        """A symbolic link's target as written; for a further name of a file that has travelled, its first name."""
        if kind == stat.S_IFLNK:
            target = os.readlink(found.full_path)
            return target.replace(b"\\", b"/") if os.sep == "\\" else target
        status = found.status
        if kind == stat.S_IFDIR or status.st_nlink < 2:
            return b""
        first = self._first_names.setdefault((status.st_dev, status.st_ino), found.path)
        return b"" if first == found.path else first


def go_mode(mode: int) -> int:
    """A Unix mode as Go's os.FileMode."""
    permissions = stat.S_IMODE(mode) & 0o777
    if os.name == "nt":  # fsutil stat.go: Windows has no such bit, and scripts must run
        permissions = (permissions | 0o111) & 0o755
    special = sum(go for unix, go in _GO_SPECIAL if mode & unix)
    return permissions | special | _GO_KIND.get(stat.S_IFMT(mode), 0)


@cache
def _encoded_mode(mode: int) -> bytes:
    return number(2, go_mode(mode))


def _listing(folder: bytes) -> list[os.DirEntry[bytes]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda item: item.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


if sys.platform == "linux":

    def attributes(path: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The extended attributes that travel; none where the file system has none."""
        try:
            names = os.listxattr(path, follow_symlinks=False)
        except OSError:
            return
        for name in sorted(names):
            if name.startswith(_APPLE):
                continue
            try:
                yield os.fsencode(name), os.getxattr(path, name, follow_symlinks=False)
            except OSError:
                continue  # gone, or not for us to read: fsutil leaves it out too
