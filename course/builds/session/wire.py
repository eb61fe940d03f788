"""Messages of a session on the wire: protobuf fields, gRPC frames, and the packets of a file sync.

Enters: numbers and bytes. Leaves: encoded messages, and from a stream of bytes whole messages. Pure; may import
`course.builds.protobuf`, which decodes.

Sources: protobuf.dev/programming-guides/encoding; grpc/grpc doc/PROTOCOL-HTTP2.md (Length-Prefixed-Message);
tonistiigi/fsutil types/wire.proto and types/stat.proto.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from course.builds.protobuf import Value, fields

FRAME_HEAD_BYTES: Final = 5
_MAX_FRAME_BYTES: Final = 64 << 20
_ONE_BYTE: Final = tuple(bytes((value,)) for value in range(0x80))


class Kind(IntEnum):
    """What a packet of a file sync is (fsutil types/wire.proto, PacketType)."""

    STAT = 0
    REQUEST = 1
    DATA = 2
    FINISHED = 3
    ERROR = 4


def varint(number: int) -> bytes:
    """A number in base 128, least significant group first; negative ones as 64-bit two's complement."""
    if 0 <= number < 0x80:
        return _ONE_BYTE[number]
    number &= 0xFFFF_FFFF_FFFF_FFFF
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def number(field: int, value: int) -> bytes:
    """A numeric field; proto3 leaves out a zero."""
    return _ONE_BYTE[field << 3] + varint(value) if value else b""


def blob(field: int, value: bytes) -> bytes:
    """A field that holds bytes, a string, or an encoded message; it is written even when empty."""
    return _ONE_BYTE[field << 3 | 2] + varint(len(value)) + value


def frame(message: bytes) -> bytes:
    """One uncompressed gRPC message."""
    return struct.pack(">BI", 0, len(message)) + message


def packet(kind: Kind, *, stat: bytes | None = None, file_id: int = 0, data: bytes = b"") -> bytes:
    """One framed packet of a file sync."""
    message = number(1, kind)
    if stat is not None:
        message += blob(2, stat)
    message += number(3, file_id)
    if data:
        message += blob(4, data)
    return frame(message)


def as_dict(message: bytes) -> dict[int, Value]:
    """The fields of a message in which none repeats."""
    return dict(fields(message))


class Frames:
    """Cuts a stream of bytes into gRPC messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take in bytes; yields each message that they complete. Raises `ValueError` for what no engine sends."""
        self._buffer += data
        position = 0
        while len(self._buffer) - position >= FRAME_HEAD_BYTES:
            compressed, size = struct.unpack_from(">BI", self._buffer, position)
            if compressed or size > _MAX_FRAME_BYTES:
                raise ValueError("a gRPC message is compressed or too long, which was not agreed on")
            end = position + FRAME_HEAD_BYTES + size
            if len(self._buffer) < end:
                break
            yield bytes(self._buffer[position + FRAME_HEAD_BYTES : end])
            position = end
        del self._buffer[:position]
