"""A context as a tar, the body of `POST /build`.

Enters: a folder. Leaves: a file object with the tar. Reads files; may import `course.context`.
"""

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from course.context import open_context


@contextmanager
def tar_body(root: Path, dockerfile: str) -> Iterator[IO[bytes]]:
    """The files that .dockerignore leaves, and the Dockerfile and .dockerignore in any case, owned by root.

    GNU format with whole seconds: Docker 20.10 takes a tar that begins with a PAX header for a Dockerfile.
    """
    context = open_context(root, dockerfile=dockerfile)
    paths = {file.path for file in context.files}
    always = [name for name in (dockerfile, ".dockerignore") if name not in paths and (root / name).is_file()]
    with tempfile.TemporaryFile() as body:
        with tarfile.open(fileobj=body, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for path in (*always, *(file.path for file in context.files)):
                tar.add(root / path, arcname=path, recursive=False, filter=_as_root)
        body.seek(0)
        yield body


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = int(entry.mtime)
    return entry
