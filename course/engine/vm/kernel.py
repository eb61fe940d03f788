"""The guest's kernel: its modules in the order in which they load, and its initial RAM disk.

Enters: the files of Debian's kernel package. Leaves: modules, uncompressed, and a cpio archive. Pure but for reading
files; may import nothing here.
"""

import lzma
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

_DEPENDS: Final = re.compile(rb"\0depends=([^\0]*)\0")
_MAGIC: Final = "070701"


def modules(tree: Path, wanted: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Each of `wanted` below `tree`, after the modules that it depends on: its name and its content."""
    files = {path.name.partition(".")[0].replace("-", "_"): path for path in tree.rglob("*.ko*")}
    seen: set[str] = set()

    def visit(name: str) -> Iterator[tuple[str, bytes]]:
        if name in seen:
            return
        seen.add(name)
        raw = files[name].read_bytes()
        content = lzma.decompress(raw) if files[name].suffix == ".xz" else raw
        depends = _DEPENDS.search(content)
        for other in depends[1].decode("ascii").split(",") if depends else ():
            if other:
                yield from visit(other.replace("-", "_"))
        yield name, content

    for name in wanted:
        if name in files:  # the others are built in
            yield from visit(name)


def cpio(root: Path) -> bytes:
    """The tree at `root` as an archive that the kernel unpacks at boot ("newc", cpio(5)); all of it root's."""
    parts = [_entry(path.relative_to(root).as_posix(), path) for path in sorted(root.rglob("*"))]
    return b"".join(parts) + _record("TRAILER!!!", 0, b"")


def _entry(name: str, path: Path) -> bytes:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return _record(name, mode, str(path.readlink()).encode())
    return _record(name, mode, path.read_bytes() if stat.S_ISREG(mode) else b"")


def _record(name: str, mode: int, content: bytes) -> bytes:
    encoded = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (0, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
    header = (_MAGIC + "".join(f"{field:08x}" for field in fields)).encode() + encoded
    return _padded(header) + _padded(content)


def _padded(part: bytes) -> bytes:
    return part + b"\0" * (-len(part) % 4)
