"""What is read of an image's layers, against what a container of it really holds."""

import io
import random
import tarfile
import time
from pathlib import Path

import pytest
from docker import DockerClient

from course import images
from course.builds import build
from course.errors import CourseError
from course.images import ImageLayers, Kind, read_layers, shared_layers, step_sizes
from course.images.layers import read_archive

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]

DOCKERFILE = """\
FROM busybox:stable
RUN mkdir -p /a/deep /b /gone && head -c 3000000 /dev/zero > /a/big && echo 1 > /a/deep/one && echo 2 > /b/two
RUN rm /a/big && echo changed > /a/deep/one && echo 3 > /gone/three
RUN rm -rf /gone /b && mkdir /b && echo new > /b/three && rm -rf /a/deep && echo a file now > /a/deep
ENV A=b
RUN true
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return folder


@pytest.fixture(scope="module")
def image(client: DockerClient, folder: Path) -> str:
    trace = build(client, folder)
    assert trace.image_id
    return trace.image_id


def files_of(client: DockerClient, image: str) -> dict[str, int]:
    """Path to size of what a container of the image holds; what the engine itself puts there is left out."""
    container = client.containers.create(image, ["true"], labels={"layer-by-layer": "1"})
    try:
        exported = io.BytesIO(b"".join(container.export()))
    finally:
        container.remove()
    own = ("dev/", "proc/", "sys/", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab", ".dockerenv")
    with tarfile.open(fileobj=exported) as tar:
        return {m.name: m.size for m in tar if not m.isdir() and not m.name.startswith(own)}


def seen(layers: ImageLayers) -> dict[str, int]:
    own = ("dev/", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab")
    return {path: size for path, size in layers.files().items() if not path.startswith(own)}


def test_layers_add_up_to_what_a_container_holds(client: DockerClient, image: str) -> None:
    assert seen(read_layers(client, image)) == files_of(client, image)


def test_a_file_that_a_later_layer_removes_still_weighs(client: DockerClient, image: str) -> None:
    layers = read_layers(client, image)
    first, second, third = layers.layers[-4:-1]
    assert first.created_by.startswith("RUN mkdir -p /a/deep")
    big = next(change for change in first.changes if change.path == "a/big")
    assert (big.size_bytes, big.hidden_by) == (3_000_000, len(layers.layers) - 3)
    assert first.wasted_bytes >= 3_000_000
    kinds = {change.path: change.kind for change in second.changes}
    assert (kinds["a/big"], kinds["a/deep/one"], kinds["gone/three"]) == (Kind.REMOVED, Kind.CHANGED, Kind.ADDED)
    assert "b/two" not in layers.files()
    assert layers.files()["a/deep"] == len("a file now\n")
    assert {change.path for change in third.changes if change.kind is Kind.REMOVED} >= {"gone"}


def test_metadata_makes_no_layer_and_a_command_without_changes_an_empty_one(client: DockerClient, image: str) -> None:
    layers = read_layers(client, image)
    assert any(one.startswith("ENV A=b") for one in layers.metadata)
    assert layers.layers[-1].created_by.startswith("RUN true")
    assert layers.layers[-1].size_bytes == 0


def test_the_steps_of_a_build_have_the_sizes_of_their_layers(client: DockerClient, folder: Path) -> None:
    trace = build(client, folder)
    sizes = step_sizes(client, trace)
    layers = read_layers(client, str(trace.image_id)).layers
    assert sizes["0/1"] == layers[-4].size_bytes == 3_000_004
    assert sizes["0/5"] == 0
    assert "0/4" not in sizes, "ENV makes no layer"
    assert sizes["0/0"] == pytest.approx(sum(layer.size_bytes for layer in layers[:-4]), rel=0.01)


def test_an_image_shares_the_layers_of_its_base(client: DockerClient, image: str) -> None:
    base = read_layers(client, "busybox:stable")
    assert shared_layers(read_layers(client, image), base) == len(base.layers)
    assert shared_layers(base, read_layers(client, image)) == len(base.layers)


def test_random_images_add_up(client: DockerClient, tmp_path: Path, long: bool) -> None:
    dice = random.Random(5)
    for number in range(25 if long else 3):
        commands = []
        for _ in range(6):
            path = "/".join(["/x", *dice.choices("abc", k=dice.randint(1, 3))])
            parent = path.rpartition("/")[0]
            commands.append(
                dice.choice(
                    (
                        f"rm -rf {path}",
                        f"rm -rf {path} && mkdir -p {parent}; [ -d {parent} ] && echo {dice.random()} > {path} || true",
                        f"rm -rf {path} && mkdir -p {path}/n && echo {dice.random()} > {path}/n/f || true",
                        f"mkdir -p {parent} && ln -sfn /etc/passwd {path} || true",
                    )
                )
            )
        text = "FROM busybox:stable\n" + "".join(f"RUN {command}\n" for command in commands)
        (tmp_path / "Dockerfile").write_text(text)
        trace = build(client, tmp_path, tag=f"lbl-random-{number}")
        assert trace.image_id, trace.error
        assert seen(read_layers(client, trace.image_id)) == files_of(client, trace.image_id), text


def test_what_is_no_image_says_so(client: DockerClient) -> None:
    with pytest.raises(CourseError, match="no image"):
        read_layers(client, "lbl-nothing:here")
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    with pytest.raises(CourseError, match="no manifest"):
        read_archive([empty.getvalue()], "empty")
    with pytest.raises(CourseError, match="cannot be read"):
        read_archive([b"no archive at all" * 100], "other")


def test_reading_takes_at_most_30_percent_longer_than_saving(client: DockerClient) -> None:
    """In the calmest of a few rounds: others may keep the machine busy, and not both alike."""
    images.ensure(client, ("node:24-slim",), consent=True)
    ratios = []
    while len(ratios) < 12 and min(ratios, default=9) > 1.3:
        began = time.monotonic()
        for _chunk in client.api.get_image("node:24-slim"):
            pass
        saved = time.monotonic()
        read_layers(client, "node:24-slim")
        ratios.append((time.monotonic() - saved) / (saved - began))
    print(f"\nreading the layers of node:24-slim against docker save: {', '.join(f'{one:.2f}' for one in ratios)}")
    assert min(ratios) <= 1.3


def test_a_deleted_file_is_still_stored_and_a_missing_one_is_not(client: DockerClient, image: str) -> None:
    assert images.read_stored(client, image, "gone/three") == b"3\n"
    assert images.read_stored(client, image, "gone/four") is None
    assert read_layers(client, image, called="mine").name == "mine"
