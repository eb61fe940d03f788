"""The time of modification that the engine is told of a file, made so that no edit can hide behind it.

Enters: a file's status. Leaves: a modTime. Reads files and the machine's list of mounts; imports no other room.

With the same shared key the engine fetches a file again only when its size, modTime, mode or link changed
(tonistiigi/fsutil diff_containerd.go, sameFile), so an edit that keeps size and mtime would be built from the old
bytes; the docker CLI has this fault. Layers keep whole seconds of the time only, so its nanoseconds are free to say
more: here they are drawn from the inode's change time, which no program can set, or from the content where there is no
such time.
"""

import hashlib
import os
import sys
import time
from typing import Final

_SECOND_NS: Final = 1_000_000_000
_RECENT_NS: Final = 100_000_000
"""Kernels note times in steps, at the coarsest of 10 ms (Linux, CONFIG_HZ=100): two edits in one step look like one."""
_LOCAL_FILE_SYSTEMS: Final = frozenset(
    {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "nilfs2", "overlay", "ramfs", "tmpfs", "xfs", "zfs"}
)
"""Where Linux itself keeps the change time. Network and user-space file systems pass on what another machine says."""
_CHUNK_BYTES: Final = 1 << 20


class Stamps:
    """Stamps for the files of one walk; remembers which file systems can be trusted with it."""

    def __init__(self) -> None:
        self._trusted: dict[int, bool] = {}

    def mod_time(self, status: os.stat_result, path: bytes) -> int:
        """What to tell of the regular file at `path`: its mtime's second, and the stamp as nanoseconds."""
        facts = b"%d %d %d" % (status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        if not self._has_change_time(status, path) or abs(time.time_ns() - status.st_ctime_ns) < _RECENT_NS:
            facts = _content(path) + _attributes(path) or facts
        stamp = int.from_bytes(hashlib.blake2b(facts, digest_size=8).digest(), "big")
        return status.st_mtime_ns // _SECOND_NS * _SECOND_NS + stamp % _SECOND_NS

    def _has_change_time(self, status: os.stat_result, path: bytes) -> bool:
        trusted = self._trusted.get(status.st_dev)
        if trusted is None:
            trusted = self._trusted[status.st_dev] = file_system(path) in _LOCAL_FILE_SYSTEMS
        return trusted


def file_system(path: bytes) -> str:
    """The kind of file system that holds `path`, as Linux names it; empty elsewhere."""
    if sys.platform != "linux":
        return ""
    found, kind = b"", ""
    folder = os.path.realpath(path)
    with open("/proc/self/mountinfo", "rb") as mounts:  # noqa: PTH123 - its names are bytes
        for line in mounts:
            before, _, after = line.partition(b" - ")
            point = before.split()[4].decode("unicode_escape").encode("latin-1")
            inside = folder == point or folder.startswith(point.rstrip(b"/") + b"/")
            if inside and len(point) >= len(found):
                found, kind = point, after.split()[0].decode("ascii")
    return kind


def _attributes(path: bytes) -> bytes:
    """The extended attributes of a file: BuildKit digests them, but does not compare them to what it has."""
    if not hasattr(os, "listxattr"):
        return b""
    try:
        return b"".join(os.fsencode(name) + b"=" + os.getxattr(path, name) + b"\n" for name in os.listxattr(path))
    except OSError:
        return b""


def _content(path: bytes) -> bytes:
    """A digest of a file's bytes, empty when it cannot be read; reading it for the engine tells why."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - names are bytes
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError:
        return b""
    return digest.digest()
