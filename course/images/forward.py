"""A stream that is read front to back as if it were a file, where what is skipped is never copied.

Enters: chunks of bytes. Leaves: what `tarfile` needs of a file, forwards only. Imports no other room.

`tarfile` can read streams by itself ('r|'), and copies every byte a few times to do so: for an image of 300 MB, whose
files' contents nobody looks at, that took longer than the engine's own work.
"""

from collections.abc import Iterable, Iterator


class Forward:
    """`read`, `tell`, and `seek` to where it has not been yet."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._rest = memoryview(b"")
        self._at = 0

    def tell(self) -> int:
        """How far it has come."""
        return self._at

    def seek(self, to: int) -> int:
        """Skip to `to`, or to the end where that comes first."""
        if to < self._at:
            raise OSError(f"a stream does not go back from {self._at} to {to}")
        while to > self._at and self._fill():
            self._take(to - self._at)
        return self._at

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        found = []
        while size > 0 and self._fill():
            found.append(bytes(self._take(size)))
            size -= len(found[-1])
        return found[0] if len(found) == 1 else b"".join(found)

    def peek(self, size: int) -> bytes:
        """The next bytes, which the next read gives again."""
        begin = self.read(size)
        self._chunks = _before(bytes(self._rest), self._chunks)
        self._rest = memoryview(begin)
        self._at -= len(begin)
        return begin

    def _fill(self) -> bool:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return False
            self._rest = memoryview(chunk)
        return True

    def _take(self, size: int) -> memoryview:
        taken, self._rest = self._rest[:size], self._rest[size:]
        self._at += len(taken)
        return taken


class Part:
    """The next `size` bytes of a stream, as a file of their own."""

    def __init__(self, stream: Forward, size: int) -> None:
        self._stream, self._size, self._begin = stream, size, stream.tell()

    def tell(self) -> int:
        """How far it has come, from its own beginning."""
        return self._stream.tell() - self._begin

    def seek(self, to: int) -> int:
        """Skip to `to`, or to its end where that comes first."""
        return self._stream.seek(self._begin + min(to, self._size)) - self._begin

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        return self._stream.read(min(size, self._size - self.tell()))


def _before(chunk: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield chunk
    yield from chunks
