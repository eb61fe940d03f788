"""BuildKit's progress messages, decoded and folded."""

import pytest

from course.builds.protobuf import fields, varint
from course.builds.trace import Fold


def encode(number: int, value: int | bytes) -> bytes:
    """One protobuf field, as the wire has it."""

    def encoded(n: int) -> bytes:
        return bytes([n]) if n < 0x80 else bytes([n & 0x7F | 0x80]) + encoded(n >> 7)

    if isinstance(value, int):
        return encoded(number << 3) + encoded(value)
    return encoded(number << 3 | 2) + encoded(len(value)) + value


def stamp(seconds: int, nanos: int) -> bytes:
    return encode(1, seconds) + encode(2, nanos)


def test_a_vertex_is_decoded_with_its_times() -> None:
    fold = Fold()
    body = (
        encode(1, b"sha256:a") + encode(3, b"[2/2] RUN x") + encode(5, stamp(7, 500_000_000)) + encode(6, stamp(9, 0))
    )
    fold.add(encode(1, body))
    vertex = fold.vertices["sha256:a"]
    assert (vertex.name, vertex.seconds, vertex.cached) == ("[2/2] RUN x", 1.5, False)


def test_the_last_report_of_a_vertex_wins() -> None:
    fold = Fold()
    fold.add(encode(1, encode(1, b"d") + encode(3, b"n")))
    fold.add(encode(1, encode(1, b"d") + encode(3, b"n") + encode(4, 1)))
    assert fold.vertices["d"].cached


def test_what_ran_to_its_end_is_not_called_cached_by_what_started_after_it() -> None:
    fold = Fold()
    name = encode(1, b"d") + encode(3, b"n")
    fold.add(encode(1, name + encode(5, stamp(7, 0)) + encode(6, stamp(8, 0))))
    fold.add(encode(1, name + encode(4, 1) + encode(5, stamp(8, 5)) + encode(6, stamp(8, 5))))
    assert fold.vertices["d"].ran


def test_logs_are_kept_by_vertex_and_survive_bytes_that_are_no_text() -> None:
    fold = Fold()
    fold.add(encode(3, encode(1, b"d") + encode(4, b"one\n")) + encode(3, encode(1, b"e") + encode(4, b"\xff")))
    fold.add(encode(3, encode(1, b"d") + encode(4, b"two\n")))
    assert fold.log("d") == "one\ntwo\n"
    assert fold.log("e") == "\ufffd"


def test_a_cut_message_is_an_error_not_a_guess() -> None:
    with pytest.raises(ValueError, match="ends before"):
        list(fields(encode(1, b"whole")[:-1]))
    with pytest.raises(IndexError):
        varint(b"\x80", 0)
