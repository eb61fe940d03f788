"""What is in a zip or a folder: names, sizes and times, and content only where it is asked for.

Enters: a zip or a folder. Leaves: `Entry`s. Reads files, writes none: nothing is ever unpacked by its name. May
import `graders.submission`.
"""

import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from graders.submission import NotTaken, read_plain

FOLDER_ENTRIES: Final = 100_000
_END: Final = struct.Struct("<4sHHHHIIH")
_END64: Final = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR_BYTES: Final = 20
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
)
"""What Python's zipfile raises for zips that lie about themselves."""


class Unsafe(Exception):
    """Why a submission is not taken, in words for its author's instructor."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much a zip may hold: entries, and bytes of its directory, which is read as a whole."""

    entries: int
    directory_bytes: int


OF_A_STUDENT: Final = Bounds(entries=10_000, directory_bytes=2 << 20)
OF_A_CLASS: Final = Bounds(entries=200_000, directory_bytes=64 << 20)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file: its place as parts of a path, and `modified` as its zip says, in no time zone.

    `escapes` says that the place is not inside, `problem` why its content cannot be had.
    """

    path: tuple[str, ...]
    size_bytes: int
    content: Callable[[int], bytes]
    modified: datetime | None = None
    escapes: bool = False
    problem: str = ""

    @property
    def name(self) -> str:
        """The last part."""
        return self.path[-1]

    def read(self, limit_bytes: int) -> bytes:
        """The content; raises `Unsafe` where it is longer, whatever its size is said to be, or cannot be had."""
        if self.problem:
            raise Unsafe(f"{self.name} {self.problem}")
        if self.size_bytes > limit_bytes:
            raise Unsafe(f"{self.name} is larger than {limit_bytes >> 20} MiB")
        try:
            content = self.content(limit_bytes + 1)
        except _BROKEN as error:
            raise Unsafe(f"{self.name} cannot be read, its zip or disk is damaged") from error
        if len(content) > limit_bytes:
            raise Unsafe(f"{self.name} is larger than {limit_bytes >> 20} MiB")
        return content

    def below(self, parts: int) -> "Entry":
        """The same, seen from the folder that the first parts name."""
        return replace(self, path=self.path[parts:])


@contextmanager
def open_zip(file: BinaryIO, bounds: Bounds) -> Iterator[tuple[Entry, ...]]:
    """The files of a zip while it is open; raises `Unsafe` for one that is damaged or holds too many."""
    try:
        _check_directory(file, bounds)
        archive = zipfile.ZipFile(file)
    except _BROKEN as error:
        raise Unsafe("the zip is damaged or none") from error
    with archive:
        infos = archive.infolist()
        if len(infos) > bounds.entries:
            raise Unsafe(f"the zip has {len(infos):,} entries, more than {bounds.entries:,}")
        yield tuple(_of_zip(archive, info) for info in infos if not _is_folder(info))


def walk(folder: Path) -> Iterator[Entry]:
    """The files of a folder; links are listed and not followed. Raises `Unsafe` where there are too many."""
    count = 0
    pending: list[tuple[Path, tuple[str, ...]]] = [(folder, ())]
    while pending:
        place, parts = pending.pop()
        with os.scandir(place) as found:
            children = sorted(found, key=lambda child: child.name)
        count += len(children)
        if count > FOLDER_ENTRIES:
            raise Unsafe(f"the folder has more than {FOLDER_ENTRIES:,} files")
        for child in children:
            path = (*parts, child.name)
            if child.is_dir(follow_symlinks=False):
                pending.append((Path(child.path), path))
            else:
                yield _of_folder(Path(child.path), path)


def _check_directory(file: BinaryIO, bounds: Bounds) -> None:
    """Look at a zip's end before its directory is read: the number of entries and the directory's length.

    The layout is that of PKWARE's APPNOTE 4.3.14 to 4.3.16; zipfile reads as much as is said there.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END.size - 0xFFFF - _END64.size - _LOCATOR_BYTES))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        raise Unsafe("the zip is damaged or none")
    _, _, _, _, entries, directory_bytes, _, _ = _END.unpack_from(tail, at)
    before = at - _LOCATOR_BYTES
    if before >= 0 and tail[before : before + 4] == b"PK\x06\x07":
        long = before - _END64.size
        if long < 0 or tail[long : long + 4] != b"PK\x06\x06":
            raise Unsafe("the zip is damaged or none")
        *_, entries, directory_bytes, _ = _END64.unpack_from(tail, long)
    if entries > bounds.entries or directory_bytes > bounds.directory_bytes:
        raise Unsafe(f"the zip says that it has {entries:,} entries, more than {bounds.entries:,}, or names too long")
    file.seek(0)


def _is_folder(info: zipfile.ZipInfo) -> bool:
    """As ZipInfo.is_dir, which fails for a name that is empty."""
    return info.orig_filename.endswith(("/", "\\"))


def _of_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Entry:
    # Windows' own tools have written `\` between the parts of a path
    name = info.orig_filename.replace("\\", "/")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    escapes = name.startswith("/") or ".." in parts or "\0" in name or bool(_DRIVE.match(name)) or not parts

    def content(most_bytes: int) -> bytes:
        with archive.open(info) as opened:
            return opened.read(most_bytes)

    return Entry(
        path=parts or ("?",),
        size_bytes=info.file_size,
        content=content,
        modified=_time(info),
        escapes=escapes,
        problem=_problem(info),
    )


def _problem(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.flag_bits & 0x1:
        return "is encrypted"
    if kind and kind != stat.S_IFREG:
        return "is a link" if kind == stat.S_IFLNK else "is not a plain file"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in a way that is not read here"  # LZMA's takes as much memory as the zip asks for
    return ""


def _time(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time)
    except ValueError:
        return None


def _of_folder(path: Path, parts: tuple[str, ...]) -> Entry:
    status = path.lstat()
    problem = ""
    if not stat.S_ISREG(status.st_mode):
        problem = "is a link" if stat.S_ISLNK(status.st_mode) else "is not a plain file"

    def content(most_bytes: int) -> bytes:
        try:
            return read_plain(path, limit_bytes=most_bytes)
        except NotTaken as changed:
            raise OSError(str(changed)) from changed

    return Entry(path=parts, size_bytes=status.st_size, content=content, problem=problem)
