"""The service that sends a build's files: moby.filesync.v1.FileSync/DiffCopy.

Enters: the engine's call, with the folder's name and patterns in its metadata. Leaves: the folder's entries, and the
bytes of those files that the engine asks for. Reads files; may import `course.builds.session`'s other modules.

Sources: moby/buildkit session/filesync/filesync.go (metadata); tonistiigi/fsutil receive.go (the protocol, described
at its top) and send.go.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from course.builds.session.links import follow, without_covered
from course.builds.session.server import INTERNAL, NOT_FOUND, Call, Gone, Refusal
from course.builds.session.walk import Walk
from course.builds.session.wire import Kind, as_dict, packet
from course.contextfilter import Filter
from course.patterns import BadPattern

METHOD: Final = "/moby.filesync.v1.FileSync/DiffCopy"
_BATCH_BYTES: Final = 1 << 16
_CHUNK_BYTES: Final = 1 << 17


def serve_files(folders: Mapping[str, Path]) -> Callable[[Call], None]:
    """A handler that shares `folders` by name."""

    def handle(call: Call) -> None:
        name = "".join(call.values("dir-name")[:1])
        root = folders.get(name)
        if root is None:
            raise Refusal(NOT_FOUND, f"no folder {name!r} is shared with this build")
        transfer = _Transfer(call, root)
        try:
            transfer.run(_chosen(call, root))
        except Gone:
            raise
        except (OSError, BadPattern) as error:
            reason = f"{error.strerror}: {_name(error, root)}" if isinstance(error, OSError) else str(error)
            call.send(packet(Kind.ERROR, data=reason.encode("utf-8", "replace")))
            raise Refusal(INTERNAL, reason) from None

    return handle


def _chosen(call: Call, root: Path) -> Filter:
    include = list(call.values("include-patterns"))
    followed = call.values("followpaths")
    if followed:
        targets = follow(root, followed)
        include = list(without_covered([*include, *targets])) if targets else include
    return Filter(include, call.values("exclude-patterns"))


def _name(error: OSError, root: Path) -> str:
    """The file that an error is about, from the context's root."""
    path = os.fsdecode(error.filename or "")
    return path.removeprefix(os.fspath(root)).lstrip(os.sep) or "the folder itself"


class _Transfer:
    """One folder on its way. A single thread does it all: after each batch of entries it answers what was asked for."""

    def __init__(self, call: Call, root: Path) -> None:
        self._call = call
        self._root = os.fsencode(root)
        self._files: dict[int, bytes] = {}
        self._batch = bytearray()

    def run(self, chosen: Filter) -> None:
        """Send every entry, then what is asked for, until the engine has all it wants."""
        for index, entry in enumerate(Walk(Path(os.fsdecode(self._root)), chosen).entries()):
            if entry.has_data:
                self._files[index] = entry.path
            self._put(packet(Kind.STAT, stat=entry.stat))
            while self._call.has_message():
                self._take()
        self._put(packet(Kind.STAT))
        self._send()
        while self._take():
            if not self._call.has_message():
                self._send()
        self._put(packet(Kind.FINISHED))
        self._send()

    def _take(self) -> bool:
        """Do what the engine's next message says; whether more is to come."""
        message = self._call.receive()
        if message is None:
            raise Gone("the engine ended the call")
        fields = as_dict(message)
        kind = fields.get(1, Kind.STAT)
        if kind == Kind.REQUEST:
            self._send_file(int(fields.get(3, 0)))
        elif kind == Kind.ERROR:
            raise Gone(str(fields.get(4, b"")))
        return kind != Kind.FINISHED

    def _send_file(self, index: int) -> None:
        """The bytes of one file, then an empty packet. What has vanished, or is a socket, is empty, as in fsutil."""
        path = self._files.pop(index, None)
        if path is None:
            raise Refusal(INTERNAL, f"the engine asked for entry {index}, which is no file")
        try:
            file = open(self._root + b"/" + path, "rb", buffering=0)  # noqa: PTH123, SIM115 - names are bytes
        except PermissionError:
            raise
        except OSError:
            self._put(packet(Kind.DATA, file_id=index))
            return
        with file:
            while data := file.read(_CHUNK_BYTES):
                self._put(packet(Kind.DATA, file_id=index, data=data))
        self._put(packet(Kind.DATA, file_id=index))

    def _put(self, framed: bytes) -> None:
        self._batch += framed
        if len(self._batch) >= _BATCH_BYTES:
            self._send()

    def _send(self) -> None:
        if self._batch:
            self._call.send(bytes(self._batch))
            self._batch.clear()
