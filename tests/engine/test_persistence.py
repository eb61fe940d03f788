"""What of a database outlives its container, seen with a real database."""

import pytest
from docker import DockerClient

from course import images
from course.lab import Scratch
from course.lab.persistence import DATA, Stage, read_notes, run_persistence_experiment, start_database, write_note

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", autouse=True)
def mongo(client: DockerClient) -> None:
    images.ensure(client, ("mongo:8",), consent=True)


def test_a_stopped_container_keeps_its_data_a_removed_one_does_not(client: DockerClient) -> None:
    seen: list[Stage] = []
    with Scratch(client) as scratch:
        stages = run_persistence_experiment(scratch, on_stage=seen.append)
    assert list(stages) == seen
    assert [(stage.anonymous, len(stage.found), len(stage.lost)) for stage in stages] == [
        (True, 1, 0),
        (True, 1, 0),
        (True, 0, 1),
        (False, 1, 0),
        (False, 1, 0),
        (False, 1, 0),
    ]
    without, named = stages[:3], stages[3:]
    assert without[0].volume == without[1].volume != without[2].volume
    assert len({stage.volume for stage in named}) == 1
    assert not [one for one in client.volumes.list() if one.name in {stage.volume for stage in stages}]


def test_an_anonymous_volume_outlives_its_container_but_no_new_one_finds_it(client: DockerClient) -> None:
    with Scratch(client) as scratch:
        first = start_database(scratch, "db", None)
        write_note(first, "kept")
        orphan = next(mount["Name"] for mount in first.attrs["Mounts"] if mount["Destination"] == DATA)
        first.remove(force=True)
        try:
            assert read_notes(start_database(scratch, "new", None)) == ()
            again = start_database(scratch, "again", client.volumes.get(orphan))
            assert read_notes(again) == ("kept",)
            again.remove(force=True)
        finally:
            client.volumes.get(orphan).remove(force=True)


def test_two_databases_one_after_the_other_share_a_named_volume(client: DockerClient) -> None:
    with Scratch(client) as scratch:
        data = scratch.volume("data")
        for number in range(3):
            container = start_database(scratch, f"db{number}", data)
            write_note(container, f"note {number}")
            found = read_notes(container)
            container.stop(timeout=5)
            container.remove()
            assert found == tuple(f"note {one}" for one in range(number + 1))
