"""Archives of images in both layouts, made by hand and read; those of real engines are read in tests/engine."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from hashlib import sha256

import pytest

from course.images import ImageLayers, Kind
from course.images.forward import Forward, Part
from course.images.layers import read_archive

BASE = {"etc/passwd": b"root", "app/big": b"x" * 5000, "app/small": b"y", "old/a": b"a", "old/b": b"b"}
TOP = {"app/.wh.big": b"", "app/small": b"yy", "old/.wh..wh..opq": b"", "old/c": b"c"}
HISTORY = [
    {"created_by": "COPY base / # buildkit"},
    {"created_by": "ENV A=b", "empty_layer": True},
    {"created_by": "RUN |1 V=1 /bin/sh -c rm /app/big # buildkit"},
]


def tar(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def oci(*, compressed: bool, duplicated: bool = False) -> bytes:
    """As Docker 25 and later write it; from the containerd store with layers as they were pulled."""
    layers = [tar(BASE), tar(TOP)]
    config = {"history": HISTORY, "rootfs": {"diff_ids": [f"sha256:{sha256(one).hexdigest()}" for one in layers]}}
    blobs = [json.dumps(config).encode(), *(gzip.compress(one) if compressed else one for one in layers)]
    names = [f"blobs/sha256/{sha256(blob).hexdigest()}" for blob in blobs]
    manifest = [{"Config": names[0], "RepoTags": ["x:1"], "Layers": names[1:]}]
    files = dict(zip(names, blobs, strict=True))
    return tar({**files, "index.json": b"{}", "oci-layout": b"{}", "manifest.json": json.dumps(manifest).encode()})


def legacy(base: Mapping[str, bytes] = BASE) -> bytes:
    """As Docker before 25 writes it, where a layer that an image has twice is a link."""
    layers = [tar(base), tar(TOP)]
    config = {"history": HISTORY, "rootfs": {"diff_ids": [f"sha256:{sha256(one).hexdigest()}" for one in layers]}}
    manifest = [{"Config": "c.json", "RepoTags": ["x:1"], "Layers": ["one/layer.tar", "two/layer.tar"]}]
    documents = {"c.json": json.dumps(config).encode(), "manifest.json": json.dumps(manifest).encode()}
    return tar({"one/VERSION": b"1.0", "one/layer.tar": layers[0], "two/layer.tar": layers[1], **documents})


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


ARCHIVES = {"oci": oci(compressed=False), "oci, compressed": oci(compressed=True), "legacy": legacy()}


def test_a_name_that_is_not_utf8_is_written_out() -> None:
    image = read_archive(chunks(legacy({"a\udcff": b"x"}), 512), "x:1")
    assert image.layers[0].changes[0].path == "a\\xff"


@pytest.mark.parametrize("size", [1, 511, 512, 100_000], ids=str)
@pytest.mark.parametrize("layout", ARCHIVES)
def test_every_layout_is_read_alike_in_chunks_of_any_size(layout: str, size: int) -> None:
    image = read_archive(chunks(ARCHIVES[layout], size), "x:1")
    assert image.files() == {"etc/passwd": 4, "app/small": 2, "old/c": 1}
    assert image.files(1) == {path: len(content) for path, content in BASE.items()}
    assert image.wasted_bytes == 5000 + 1 + 1 + 1
    assert kinds(image) == {"app/big": Kind.REMOVED, "app/small": Kind.CHANGED, "old/c": Kind.ADDED}
    assert image.metadata == ("ENV A=b",)
    assert [layer.created_by for layer in image.layers] == ["COPY base /", "RUN rm /app/big"]


def kinds(image: ImageLayers) -> dict[str, Kind]:
    return {change.path: change.kind for change in image.layers[1].changes}


def test_a_stream_goes_forwards_only_and_a_part_of_it_ends_where_it_ends() -> None:
    stream = Forward([b"abc", b"", b"defgh", b"i"])
    assert stream.peek(4) == b"abcd"
    assert (stream.read(2), stream.tell()) == (b"ab", 2)
    part = Part(stream, 4)
    assert (part.read(2), part.tell()) == (b"cd", 2)
    assert part.seek(100) == 4
    assert part.read(1) == b""
    assert stream.read(100) == b"ghi"
    with pytest.raises(OSError, match="does not go back"):
        stream.seek(3)
