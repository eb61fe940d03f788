"""Just enough of protobuf's wire format to read what BuildKit reports.

Enters: an encoded message. Leaves: its fields. Pure; imports no other room.

Source: protobuf.dev/programming-guides/encoding. The messages here have a dozen fields in all, none of them nested
deeper than two, so a decoder of one page reads better than generated code and its compiler.
"""

from collections.abc import Iterator

Value = int | bytes


def varint(data: bytes, position: int) -> tuple[int, int]:
    """The number at `position`, and the position behind it; raises `IndexError` when the data ends in it."""
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Each `(field number, value)` in order: numbers as int, everything else as bytes."""
    position = 0
    while position < len(data):
        key, position = varint(data, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            value, position = varint(data, position)
            yield number, value
            continue
        if wire_type == 2:
            size, position = varint(data, position)
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
        else:
            raise ValueError(f"protobuf wire type {wire_type} is not used by BuildKit")
        if position + size > len(data):
            raise ValueError("a protobuf message ends before its last field")
        yield number, data[position : position + size]
        position += size


def as_text(value: Value) -> str:
    """A string field."""
    return as_bytes(value).decode("utf-8", "replace")


def as_bytes(value: Value) -> bytes:
    """A bytes field, or a nested message."""
    if isinstance(value, int):
        raise ValueError("a protobuf number stands where bytes were expected")
    return value


def as_timestamp(value: Value) -> float:
    """A google.protobuf.Timestamp, as seconds since 1970."""
    parts = dict(fields(as_bytes(value)))
    seconds, nanos = parts.get(1, 0), parts.get(2, 0)
    if not isinstance(seconds, int) or not isinstance(nanos, int):
        raise ValueError("a protobuf timestamp without numbers")
    return seconds + nanos / 1e9
