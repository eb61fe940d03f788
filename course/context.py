"""A build context: the files of a folder that a build may see.

Enters: a folder and the name of its Dockerfile. Leaves: `Context(root, files)` without what .dockerignore excludes, and
the fingerprints of its files as BuildKit's cache sees them. Reads files; may import `course.contextfilter`,
`course.errors` and `course.fingerprint`.

The rules of .dockerignore are those by which a build's session sends files (`course.contextfilter`).
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from course.contextfilter import ROOT, Filter, Passed, Verdict
from course.errors import CourseError
from course.fingerprint import Fingerprint
from course.patterns import BadPattern, read_patterns

_KINDS: Final = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


@dataclass(frozen=True, kw_only=True)
class ContextFile:
    """One entry: `path` from the root with slashes, `kind` file, directory or link, `link` its target as written.

    `stamp` changes with every edit: inode, mode, size, and the times of content and of status.
    """

    path: str
    kind: str
    mode: int
    size_bytes: int
    link: str | None = None
    stamp: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Context:
    """A folder as the engine would get it: `files` in bytewise order, a directory before what it holds."""

    root: Path
    dockerfile: str
    patterns: tuple[str, ...]
    files: tuple[ContextFile, ...]


def open_context(root: Path | str, *, dockerfile: str = "Dockerfile") -> Context:
    """Read the folder `root`; `dockerfile` is a path below it. Raises `CourseError` when there is no such folder."""
    folder = resolve_folder(root)
    patterns = read_ignore_patterns(folder, dockerfile=dockerfile)
    return Context(root=folder, dockerfile=dockerfile, patterns=patterns, files=tuple(_walk(folder, patterns)))


class Fingerprinter:
    """Reads fingerprints, and reads a file again only when its inode, size or times changed since."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], Fingerprint]] = {}

    def read(self, context: Context) -> tuple[Fingerprint, ...]:
        """The fingerprints of a context's files, in their order. A file that goes away meanwhile is left out."""
        known, self._known = self._known, {}
        root = str(context.root) + os.sep
        found = []
        for file in context.files:
            try:
                before = known.get(file.path)
                same = before is not None and before[0] == file.stamp
                fingerprint = before[1] if before and same else _fingerprint(root + file.path, file)
            except FileNotFoundError:
                continue
            self._known[file.path] = (file.stamp, fingerprint)
            found.append(fingerprint)
        return tuple(found)


def fingerprints(context: Context) -> tuple[Fingerprint, ...]:
    """The fingerprints of a context's files, read once."""
    return Fingerprinter().read(context)


def _fingerprint(path: str, file: ContextFile) -> Fingerprint:
    digest = ""
    if file.kind == "file":
        with open(path, "rb") as data:  # noqa: PTH123 - ten thousand Path objects cost more than the files
            digest = hashlib.file_digest(data, "sha256").hexdigest()
    return Fingerprint(
        path=file.path, kind=file.kind, mode=file.mode, digest=digest, link=file.link or "", xattrs=_xattrs(path)
    )


def _xattrs(path: str) -> tuple[tuple[str, str], ...]:
    """The extended attributes that count (tarsum.go): all but those of security and system, save capabilities."""
    if not hasattr(os, "listxattr"):  # macOS and Windows: Docker's client reads none there either
        return ()
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return ()
    counted = (n for n in sorted(names) if n == "security.capability" or not n.startswith(("security.", "system.")))
    return tuple((name, os.getxattr(path, name, follow_symlinks=False).hex()) for name in counted)


def resolve_folder(root: Path | str) -> Path:
    """The real path of a context's folder."""
    folder = Path(root).expanduser()
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise CourseError(f"The build context {str(root)!r} {what}.", fix="give the folder that holds the Dockerfile")
    return folder.resolve()


def read_ignore_patterns(root: Path, *, dockerfile: str = "Dockerfile") -> tuple[str, ...]:
    """The patterns that hold for a build: of `<dockerfile>.dockerignore` where it exists, else of `.dockerignore`.

    Source: moby/buildkit frontend/dockerui/context.go, from which the builder reads `<dockerfile>.dockerignore` first.
    """
    for name in (f"{dockerfile}.dockerignore", ".dockerignore"):
        try:
            text = (root / name).read_bytes().decode(errors="surrogateescape")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            continue
        return read_patterns(text)
    return ()


def _walk(root: Path, patterns: tuple[str, ...]) -> Iterator[ContextFile]:
    try:
        chosen = Filter((), patterns)
    except BadPattern as error:
        raise CourseError(f".dockerignore: {error}.", fix="correct that pattern; [ ] must close") from None

    def entries(folder: str, prefix: str, passed: Passed) -> Iterator[ContextFile]:
        with os.scandir(folder) as found:
            ordered = sorted(found, key=lambda entry: os.fsencode(entry.name))
        for entry in ordered:
            path = prefix + entry.name
            status = entry.stat(follow_symlinks=False)
            kind = _KINDS.get(stat.S_IFMT(status.st_mode))
            if kind is None:  # sockets and devices: the CLI leaves sockets out, and a course has no devices
                continue
            verdict, below = chosen.decide(path, passed, is_folder=kind == "directory")
            link = os.readlink(entry.path) if kind == "link" else None
            size = 0 if kind == "directory" else status.st_size
            mode = stat.S_IMODE(status.st_mode)
            stamp = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            file = ContextFile(path=path, kind=kind, mode=mode, size_bytes=size, link=link, stamp=stamp)
            if verdict is Verdict.SEND:
                yield file
                if kind == "directory":
                    yield from entries(entry.path, path + "/", below)
            elif verdict is Verdict.LOOK_BELOW:  # it travels after all when a `!` rule brings back something in it
                yield from _led_by(file, entries(entry.path, path + "/", below))

    yield from entries(str(root), "", ROOT)


def _led_by(folder: ContextFile, below: Iterator[ContextFile]) -> Iterator[ContextFile]:
    for number, file in enumerate(below):
        if number == 0:
            yield folder
        yield file
