"""What mounts do to files, to who may write, and to what is left; and how fast an edit arrives."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from course import images
from course.folders import notebooks_folder
from course.lab import Scratch
from course.lab.mounts import run_hiding_experiment, run_ownership_experiment, run_removal_experiment
from course.lab.reload import ARRANGEMENTS, Reload, Share, Watcher, run_reload_experiment

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]


@pytest.fixture
def scratch(client: DockerClient) -> Iterator[Scratch]:
    with Scratch(client) as scratch:
        yield scratch


def test_an_empty_volume_is_filled_from_the_image_all_else_hides_it(scratch: Scratch) -> None:
    assert {seen.mount: seen.files for seen in run_hiding_experiment(scratch)} == {
        "no mount": ("image.txt",),
        "an empty volume": ("image.txt",),
        "the same volume again": ("image.txt",),
        "a volume that holds something": ("mine.txt",),
        "an empty folder of the host": (),
        "memory (tmpfs)": (),
    }


def test_an_ordinary_user_writes_only_where_the_folder_is_theirs(scratch: Scratch) -> None:
    found = {(one.mount, one.user): one.error for one in run_ownership_experiment(scratch)}
    assert found["an empty volume, where the image's folder is root's", 1000] == "Permission denied"
    assert found["an empty volume, where the image's folder is the user's", 1000] == ""
    assert found["an empty volume, where the image's folder is root's", 0] == ""
    assert {error for (mount, _), error in found.items() if "read-only" in mount} == {"Read-only file system"}


def test_an_anonymous_volume_goes_with_rm_volumes_and_with_run_rm_only(scratch: Scratch) -> None:
    left = {one.how: (one.anonymous_volume, one.named_volume) for one in run_removal_experiment(scratch)}
    assert left == {
        "docker rm": (True, True),
        "docker rm --volumes": (False, True),
        "docker run --rm": (False, True),
    }


@pytest.mark.long  # lesson 04 tries most of them always
def test_an_edit_arrives_through_a_mount_and_a_watcher_that_hears_of_it(client: DockerClient, scratch: Scratch) -> None:
    images.ensure(client, ("node:24-slim",), consent=True)
    told: list[Reload] = []
    found = run_reload_experiment(scratch, notebooks_folder() / "apps/live", on_reload=told.append)
    assert told == list(found)
    print()
    for one in found:
        after = f"{one.seconds:.2f} s" if one.seconds is not None else "not seen"
        rebuilt = f", after a rebuild {one.rebuild_seconds:.2f} s" if one.rebuild_seconds else ""
        print(f"{one.share}, {one.watcher}, {one.edit}: {after}{rebuilt}")
    assert [(one.in_container, one.seconds is not None) for one in found] == [
        (False, False),  # in the image: neither the file nor the answer
        (True, False),  # nobody watches
        (True, True),
        (True, True),
        (True, True),
        (False, False),  # the mount holds on to the file that was replaced
        (True, False),  # there without an event
        (True, True),  # asked for again and again
    ]
    assert found[0].rebuild_seconds


def test_an_app_that_does_not_start_says_so(client: DockerClient, scratch: Scratch, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM busybox:stable\nCOPY . /app\n")
    arrangement = next(one for one in ARRANGEMENTS if (one.share, one.watcher) == (Share.BIND, Watcher.NODE))
    with pytest.raises(Exception, match=r"could not be started|does not answer"):
        run_reload_experiment(scratch, tmp_path, arrangements=(arrangement,))
    assert not scratch.client.containers.list(all=True, filters={"label": f"layer-by-layer.scratch={scratch.id}"})
