"""What the engine would overlook of a context's directories.

Enters: a folder and its exclude patterns. Leaves: bytes that change when such a directory's mode or extended attributes
do. Reads directories; may import `course.contextfilter` and `.walk`.

Of a directory that it has, the engine takes over a new mode without digesting it again, so that an old copy of it would
be reused (tonistiigi/fsutil diskwriter.go, HandleChange: it returns before the hasher is told), and new attributes not
even that (diff_containerd.go, compareStat). So they become part of the key under which the engine keeps the files.
"""

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from course.builds.session.walk import attributes
from course.contextfilter import ROOT, Filter, Passed, Verdict

_USUAL_MODE: Final = 0o755


def directory_facts(root: Path, exclude: Sequence[str]) -> bytes:
    """A line for each directory that travels and is not quite usual. Raises `BadPattern`."""
    return b"\n".join(sorted(_facts(os.fsencode(root), b"", Filter((), exclude), ROOT)))


def _facts(folder: bytes, prefix: bytes, chosen: Filter, passed: Passed) -> Iterator[bytes]:
    try:
        with os.scandir(folder) as found:
            folders = [item for item in found if item.is_dir(follow_symlinks=False)]
    except OSError:
        return  # the walk that sends the files tells of it, if they are wanted
    for item in folders:
        path, below = prefix + item.name, passed
        if not chosen.is_open:
            verdict, below = chosen.decide(path.decode("utf-8", "surrogateescape"), passed, is_folder=True)
            if verdict is Verdict.LEAVE:
                continue
        mode = stat.S_IMODE(item.stat(follow_symlinks=False).st_mode)
        extended = list(attributes(item.path)) if sys.platform == "linux" else []
        if mode != _USUAL_MODE or extended:
            yield b"%r %o %r" % (path, mode, extended)
        yield from _facts(item.path, path + b"/", chosen, below)
