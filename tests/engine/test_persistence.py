"""What of a database outlives its container, seen with a real database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import private
import pytest
from docker import DockerClient
from loopback import bring_up_loopback
from worlds import mine

from course import engine, images
from course.errors import CourseError
from course.folders import HOME_VARIABLE
from course.lab import Scratch
from course.lab.lineage import Deed
from course.lab.persistence import DATA, Stage, read_notes, run_persistence_experiment, start_database, write_note

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", autouse=True)
def mongo(client: DockerClient) -> None:
    images.ensure(client, ("mongo:8",), consent=True)


def test_a_stopped_container_keeps_its_data_a_removed_one_does_not(client: DockerClient) -> None:
    seen: list[Stage] = []
    with Scratch(client) as scratch:
        used: set[str] = set()

        def look(stage: Stage) -> None:
            seen.append(stage)
            used.update(mount.source for one in mine(scratch).containers for mount in one.mounts)

        found = run_persistence_experiment(scratch, on_stage=look)
        assert len(used) == 3
        assert used & {volume.name for volume in client.volumes.list()} == {scratch.name("data")}
    assert list(found.stages) == seen
    assert [(stage.action, stage.volume, len(stage.found), len(stage.lost)) for stage in found.stages] == [
        ("write, without a volume of its own", "anonymous 1", 1, 0),
        ("stop and start", "anonymous 1", 1, 0),
        ("remove, and make anew", "anonymous 2", 0, 1),
        ("write, on a named volume", "data", 1, 0),
        ("stop and start", "data", 1, 0),
        ("remove, and make anew", "data", 1, 0),
    ]
    assert [stage.anonymous for stage in found.stages] == [True] * 3 + [False] * 3


def test_the_story_names_containers_their_generations_and_volumes(client: DockerClient) -> None:
    with Scratch(client) as scratch:
        lineage = run_persistence_experiment(scratch).lineage
    assert lineage.containers == (("plain", 1), ("plain", 2), ("kept", 1), ("kept", 2))
    assert lineage.volumes == ("anonymous 1", "anonymous 2", "data")
    plain = [one.deed for one in lineage.moments if (one.container, one.generation) == ("plain", 1)]
    assert plain == [
        Deed.CREATED,
        Deed.STARTED,
        Deed.WROTE,
        Deed.READ,
        Deed.STOPPED,
        Deed.STARTED,
        Deed.READ,
        Deed.REMOVED,
    ]
    assert lineage.lost == ("written without a volume",)


def test_a_database_that_was_killed_starts_again_with_its_data(client: DockerClient) -> None:
    with Scratch(client) as scratch:
        container = start_database(scratch, "db", None)
        write_note(container, "kept")
        container.kill()
        container.start()
        assert read_notes(container) == ("kept",)


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


@pytest.mark.long
@private.NEEDED
def test_data_outlives_a_restart_of_the_engine(client: DockerClient, tmp_path: Path) -> None:
    with (tmp_path / "mongo.tar").open("wb") as tar:
        tar.writelines(client.images.get("mongo:8").save(named=True))
    environment = {**os.environ, HOME_VARIABLE: str(tmp_path / "home"), "PYTHONPATH": str(Path(__file__).parents[1])}
    environment.pop("DOCKER_HOST", None)
    command = ["unshare", "--net", sys.executable, __file__, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found = {(one["container"], one["action"]): one["found"] for one in json.loads(done.stdout)["stages"]}
    assert found["plain", "restart the engine"] == ["written without a volume"]
    assert found["plain", "remove, and make anew"] == []
    assert found["kept", "restart the engine"] == found["kept", "remove, and make anew"] == ["written on a volume"]


def test_an_engine_of_somebody_elses_is_not_restarted(client: DockerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, "elsewhere")
    with pytest.raises(CourseError, match="not the course's own"):
        engine.restart(client)
    assert client.ping()


def main(folder: Path) -> None:
    """In a network namespace of its own: an engine, the experiment, and the engine stopped in the middle of it."""
    bring_up_loopback()
    try:
        client = engine.start(kind="native")
        with (folder / "mongo.tar").open("rb") as tar:
            client.images.load(tar)
        with Scratch(client) as scratch:
            found = run_persistence_experiment(scratch, restart_engine=lambda: engine.restart(client))
        print(json.dumps(found.to_json()))
    finally:
        engine.native.reset()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
