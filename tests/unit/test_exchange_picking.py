"""The files that a student meant, out of whatever they zipped; and zips that are weapons."""

import io
import os
import re
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from exchange_class import DOCKERFILE, WANTED, in_folder, zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.exchange.entries import OF_A_STUDENT, Entry, Unsafe, open_zip, walk
from graders.exchange.picking import ARTIFACT_BYTES, pick
from graders.exchange.stored import Collected, Record, digest_of


def picked(content: bytes) -> dict[str, bytes]:
    with open_zip(io.BytesIO(content), OF_A_STUDENT) as entries:
        return pick(entries, WANTED)


def refusal(content: bytes) -> str:
    with pytest.raises(Unsafe) as caught:
        picked(content)
    return str(caught.value)


@pytest.mark.parametrize(
    "prefix",
    ["", "order/", "my order/", "a/b/order/", "order\\", "./", "order/order/"],
    ids=lambda prefix: f"in {prefix!r}",
)
def test_the_files_are_found_in_whatever_folder_was_zipped(prefix: str) -> None:
    found = picked(
        zipped({f"{prefix}Dockerfile": DOCKERFILE, f"{prefix}.dockerignore": b"x", f"{prefix}notes.txt": b""})
    )
    assert found == {"Dockerfile": DOCKERFILE, ".dockerignore": b"x"}


def test_what_macos_and_a_build_leave_there_does_not_count() -> None:
    files = {
        "__MACOSX/._Dockerfile": b"\0",
        "__MACOSX/Dockerfile": b"\0",
        "order/.DS_Store": b"\0",
        "order/._Dockerfile": b"\0",
    }
    files |= {
        "node_modules/Dockerfile": b"no",
        "order/node_modules/x/Dockerfile": b"no",
        "order/Dockerfile": DOCKERFILE,
    }
    assert picked(zipped(files)) == {"Dockerfile": DOCKERFILE}


def test_the_highest_folder_is_theirs_and_the_one_of_the_assignments_name() -> None:
    assert picked(zipped({"order/Dockerfile": DOCKERFILE, "order/app/deep/Dockerfile": b"no"})) == {
        "Dockerfile": DOCKERFILE
    }
    assert picked(zipped({"order/Dockerfile": DOCKERFILE, "volumes/Dockerfile": b"no"})) == {"Dockerfile": DOCKERFILE}
    assert "two folders" in refusal(zipped({"a/Dockerfile": DOCKERFILE, "b/Dockerfile": b"no"}))


def test_a_zip_of_a_zip_is_opened_and_a_zip_of_a_zip_of_a_zip_of_a_zip_is_not() -> None:
    inner = zipped({"order/Dockerfile": DOCKERFILE})
    assert picked(zipped({"order.zip": inner})) == {"Dockerfile": DOCKERFILE}
    assert picked(zipped({"x.zip": zipped({"ORDER.ZIP": inner})})) == {"Dockerfile": DOCKERFILE}
    assert "zips in zips" in refusal(zipped({"y.zip": zipped({"x.zip": zipped({"order.zip": inner})})}))


def test_a_notebook_beside_a_zip_is_taken_with_what_is_in_the_zip() -> None:
    found = picked(zipped({"order.ipynb": b"{}", "order.zip": zipped({"Dockerfile": DOCKERFILE})}))
    assert found == {"order.ipynb": b"{}", "Dockerfile": DOCKERFILE}


def test_two_zips_that_differ_are_not_chosen_between() -> None:
    one, two = zipped({"Dockerfile": DOCKERFILE}), zipped({"Dockerfile": b"FROM b\n"})
    assert "more than one zip" in refusal(zipped({"order.zip": one, "order (1).zip": two}))
    assert picked(zipped({"order.zip": one, "order (1).zip": one})) == {"Dockerfile": DOCKERFILE}
    assert picked(zipped({"order.zip": one, "photo.zip": b"none"})) == {"Dockerfile": DOCKERFILE}


def test_nothing_of_the_assignments_is_said_so() -> None:
    assert refusal(zipped({"essay.docx": b""})) == "there is no Dockerfile, .dockerignore in it"


def special(name: str, mode: int, target: bytes = b"/etc/passwd") -> bytes:
    """A zip with an entry that is something else than a file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, mode << 16
        archive.writestr(info, target)
    return out.getvalue()


def encrypted() -> bytes:
    content = bytearray(zipped({"Dockerfile": DOCKERFILE}))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    return bytes(content)


def lying_bomb() -> bytes:
    """64 MiB of zeros that say they are 10 bytes."""
    content = bytearray(zipped({"Dockerfile": bytes(64 << 20)}))
    for signature, size in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.rindex(signature) + size
        content[at : at + 4] = struct.pack("<I", 10)
    return bytes(content)


def twice(first: str, second: str) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(first, DOCKERFILE)
        archive.writestr(second, b"FROM evil\n")
    return out.getvalue()


def many(count: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("Dockerfile", DOCKERFILE)
        for number in range(count):
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
    return out.getvalue()


def packed(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("Dockerfile", DOCKERFILE)
    return out.getvalue()


def with_other_method() -> bytes:
    content = bytearray(packed(zipfile.ZIP_STORED))
    content[content.index(b"PK\x01\x02") + 10] = 99
    return bytes(content)


def counted_wrong(entries: int, directory_bytes: int) -> bytes:
    content = bytearray(zipped({"Dockerfile": DOCKERFILE}))
    end = content.rindex(b"PK\x05\x06")
    content[end + 8 : end + 16] = struct.pack("<HHI", entries, entries, directory_bytes)
    return bytes(content)


def flipped() -> bytes:
    content = bytearray(packed(zipfile.ZIP_STORED))
    content[content.index(b"FROM")] ^= 0xFF
    return bytes(content)


NASTY: dict[str, tuple[Callable[[], bytes], str]] = {
    "dots": (lambda: zipped({"Dockerfile": b"", "../../evil": b"x"}), "outside"),
    "dots in the middle": (lambda: zipped({"order/../../Dockerfile": b""}), "outside"),
    "dots of Windows": (lambda: zipped({"..\\..\\evil": b"", "Dockerfile": b""}), "outside"),
    "absolute": (lambda: zipped({"/Dockerfile": b""}), "outside"),
    "a drive": (lambda: zipped({"C:/Dockerfile": b""}), "outside"),
    "a share": (lambda: zipped({"\\\\host\\share\\Dockerfile": b""}), "outside"),
    "a link": (lambda: special("Dockerfile", stat.S_IFLNK | 0o777), "is a link"),
    "a device": (lambda: special("Dockerfile", stat.S_IFBLK | 0o666), "not a plain file"),
    "a pipe": (lambda: special("order/Dockerfile", stat.S_IFIFO | 0o666), "not a plain file"),
    "encrypted": (encrypted, "encrypted"),
    "a bomb": (lambda: zipped({"Dockerfile": bytes(64 << 20)}), "larger than 1 MiB"),
    "a bomb that lies": (lying_bomb, "damaged|larger"),
    "a bomb in a zip": (
        lambda: zipped({"order.zip": zipped({"x": bytes(80 << 20)}), "a.zip": bytes(65 << 20)}),
        "larger",
    ),
    "case clash": (lambda: twice("Dockerfile", "dockerfile"), "more than one file is called"),
    "case clash of another": (lambda: twice("order/Dockerfile", "order/.DockerIgnore"), ""),
    "twice": (lambda: twice("Dockerfile", "Dockerfile"), "more than one file is called"),
    "100,000 entries": (lambda: many(100_000), "entries"),
    "10,001 entries": (lambda: many(10_001), "10,002 entries"),
    "50 zips": (lambda: zipped({f"{number}.zip": b"" for number in range(50)}), "too many zips"),
    "LZMA": (lambda: packed(zipfile.ZIP_LZMA), "not read here"),
    "an unknown method": (with_other_method, "not read here"),
    "a count that lies": (lambda: counted_wrong(9, 50), "damaged"),
    "a directory of 4 GiB": (lambda: counted_wrong(1, 0xFFFFFFFF), "damaged|names too long"),
    "a wrong checksum": (flipped, "damaged"),
    "cut off": (lambda: zipped({"Dockerfile": DOCKERFILE})[:-30], "damaged"),
    "no zip": (lambda: b"FROM scratch\n", "damaged or none"),
    "empty": (lambda: b"", "damaged or none"),
    "a tar": (lambda: b"Dockerfile" + bytes(1014), "damaged or none"),
}


@pytest.mark.parametrize("name", NASTY)
def test_a_zip_that_is_a_weapon_is_refused_in_words(name: str) -> None:
    make, expected = NASTY[name]
    if not expected:
        assert picked(make())["Dockerfile"] == DOCKERFILE
        return
    said = refusal(make())
    assert re.search(expected, said), said


def test_a_link_that_nobody_asks_for_does_no_harm() -> None:
    out = io.BytesIO(special("node_modules/.bin/x", stat.S_IFLNK | 0o777))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("Dockerfile", DOCKERFILE)
    assert picked(out.getvalue()) == {"Dockerfile": DOCKERFILE}


def test_a_folders_links_and_pipes_are_not_followed_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("FROM secret")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "Dockerfile").symlink_to(tmp_path / "secret")
    (theirs / "loop").symlink_to(theirs)
    with pytest.raises(Unsafe, match="Dockerfile is a link"):
        pick(tuple(walk(theirs)), WANTED)
    (theirs / "Dockerfile").unlink()
    os.mkfifo(theirs / "Dockerfile")
    with pytest.raises(Unsafe, match="not a plain file"):
        pick(tuple(walk(theirs)), WANTED)


def test_a_file_that_is_exchanged_for_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "theirs").mkdir()
    file = tmp_path / "theirs/Dockerfile"
    file.write_bytes(DOCKERFILE)
    entries = tuple(walk(tmp_path / "theirs"))
    file.unlink()
    file.symlink_to(tmp_path / "secret")
    with pytest.raises(Unsafe, match="cannot be read"):
        pick(entries, WANTED)


def test_an_artifact_may_be_as_large_as_a_submission_can_use() -> None:
    assert len(picked(zipped({"Dockerfile": b"#" * ARTIFACT_BYTES}))["Dockerfile"]) == ARTIFACT_BYTES
    assert "larger" in refusal(zipped({"Dockerfile": b"#" * (ARTIFACT_BYTES + 1)}))


PARTS = st.sampled_from(
    ["..", ".", "", "order", "Dockerfile", ".dockerignore", "/", "\\", "C:", "~", "a\0b", "DOCKERFILE", "é"]
)
NAMES = st.one_of(st.lists(PARTS, min_size=1, max_size=5).map("/".join), st.text(min_size=1, max_size=30))


@settings(max_examples=200)
@given(names=st.lists(NAMES, min_size=1, max_size=8))
def test_no_zip_writes_outside_of_its_folder(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")
        for name in names:
            info = zipfile.ZipInfo("x")
            info.filename = info.orig_filename = name
            try:
                archive.writestr(info, DOCKERFILE)
            except (UnicodeEncodeError, ValueError):
                continue
    root = tmp_path_factory.mktemp("world")
    try:
        files = picked(out.getvalue())
    except Unsafe:
        assert not list(root.iterdir())
        return
    record = Record(
        platform="folder", key="k", folder="", submitted="", late=False, sequence=0, digest=digest_of(files), files=()
    )
    Collected(root / "class", "order").take("ada1", files, record)
    written = set(in_folder(root))
    home = "class/submitted/ada1/order"
    assert written <= {f"{home}/{name}" for name in WANTED.files} | {"class/collected/order.json"}


@settings(max_examples=200)
@given(content=st.binary(max_size=300), at=st.integers(0, 200))
def test_a_damaged_zip_never_fails_but_in_words(content: bytes, at: int) -> None:
    whole = zipped({"order/Dockerfile": DOCKERFILE, "order/.dockerignore": b"x" * 50})
    damaged = whole[:at] + content + whole[at + len(content) :]
    for one in (content, damaged, whole[:at], whole + content):
        try:
            assert set(picked(one)) <= WANTED.files
        except Unsafe as problem:
            assert str(problem)


def test_an_entry_that_grows_is_not_read_to_its_end() -> None:
    asked = []

    def content(most_bytes: int) -> bytes:
        asked.append(most_bytes)
        return b"x" * most_bytes

    with pytest.raises(Unsafe, match="larger"):
        Entry(path=("Dockerfile",), size_bytes=1, content=content).read(1 << 20)
    assert asked == [(1 << 20) + 1]
