"""Builds on a real engine."""

import threading
import time
from pathlib import Path

import pytest
from docker import DockerClient

from course import labels
from course.builds import BuildTrace, Status, build, stream_build
from course.builds.record import cache_records
from course.clean import clean_session
from course.engine import is_emulated
from course.errors import CourseError

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one file that no other test's build has seen."""
    (tmp_path / "a.txt").write_text(str(time.time_ns()))
    return tmp_path


def statuses(trace: BuildTrace) -> list[str]:
    return [step.status.value for step in trace.steps]


def test_a_build_says_for_every_instruction_what_became_of_it(client: DockerClient, project: Path) -> None:
    (project / "Dockerfile").write_text(
        "FROM busybox:stable AS build\nENV A=1\nCOPY a.txt /\nWORKDIR /app\nRUN echo seen; cat /a.txt > b.txt\n"
        "FROM scratch AS unused\nCOPY a.txt /\nFROM busybox:stable\nCOPY --from=build /app/b.txt /\n"
    )
    first = build(client, project, no_cache=True)
    assert first.ok, first.error
    build_stage = ["REUSED", "METADATA", "RAN", "RAN", "RAN"]
    assert statuses(first) == [*build_stage, "NOT_NEEDED", "NOT_NEEDED", "REUSED", "RAN"]
    assert first.step(5).log == "seen\n"
    again = build(client, project)
    assert statuses(again) == [status.replace("RAN", "REUSED") for status in statuses(first)]
    assert all(step.seconds == 0 for step in again.steps)


def test_an_edit_runs_the_step_that_copies_the_file_and_all_below_it(client: DockerClient, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM busybox:stable\nRUN echo first\nCOPY a.txt /\nRUN echo last\n")
    build(client, project)
    (project / "a.txt").write_text("edited" + str(time.time_ns()))
    assert statuses(build(client, project)) == ["REUSED", "REUSED", "RAN", "RAN"]


def test_the_image_carries_the_courses_labels_and_the_tag(client: DockerClient, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM busybox:stable\nCOPY a.txt /\n")
    trace = build(client, project, tag="layer-by-layer-test/tagged:1", labels={"more": "yes"})
    image = client.images.get("layer-by-layer-test/tagged:1")
    assert image.id == trace.image_id
    assert image.labels.items() >= labels.labels(more="yes").items()


def test_build_arguments_and_target_are_passed_on(client: DockerClient, project: Path) -> None:
    (project / "Dockerfile").write_text(
        "FROM busybox:stable AS one\nARG WHO\nRUN echo hello $WHO\nFROM one AS two\nRUN false\n"
    )
    trace = build(client, project, build_args={"WHO": "reader"}, target="one", no_cache=True)
    assert trace.ok
    assert trace.step(3).log == "hello reader\n"
    assert statuses(trace)[-1] == "NOT_NEEDED"


def test_a_failing_command_is_a_value_with_its_line_and_its_log(client: DockerClient, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM busybox:stable\nRUN true\n\nRUN echo why; exit 3\nRUN true\n")
    trace = build(client, project)
    assert trace.image_id is None
    assert trace.error is not None
    assert trace.error.line == 4
    assert "exit code 3" in trace.error.message
    failed = trace.step(4)
    assert (failed.status, failed.log) == (Status.FAILED, "why\n")
    assert trace.step(5).status is Status.NOT_NEEDED


@pytest.mark.parametrize(
    ("dockerfile", "line", "words"),
    [
        ("", 1, "empty"),
        ("FROM busybox:stable\nFOO bar\n", 2, "unknown instruction: FOO"),
        ("FROM busybox:stable\nCOPY nowhere.txt /\n", 2, "A build sees its own folder only"),
        ("FROM busybox:stable\nCOPY out /\n", 2, "leads out of the build's folder"),
        ("FROM layer-by-layer-test/nowhere:1\n", 1, "image cannot be had"),
        ("FROM busybox:stable\nENV A\n", 2, "ENV"),
    ],
)
def test_a_faulty_dockerfile_gives_its_line_and_what_is_wrong(
    client: DockerClient, project: Path, dockerfile: str, line: int, words: str
) -> None:
    (project / "out").symlink_to("/etc/passwd")
    (project / "Dockerfile").write_text(dockerfile)
    error = build(client, project).error
    assert error is not None
    assert error.line == line
    assert words in error.message


def test_a_dockerfile_that_is_missing_or_no_text_is_a_value(client: DockerClient, project: Path) -> None:
    (project / "Dockerfile").write_bytes(b"FROM busybox\nRUN echo \xff\n")
    error = build(client, project).error
    assert error is not None
    assert error.line == 2
    assert "UTF-8" in error.message
    (project / "Dockerfile").unlink()
    error = build(client, project).error
    assert error is not None
    assert "does not exist" in error.message


def test_ignored_files_do_not_reach_the_engine(client: DockerClient, project: Path) -> None:
    (project / ".dockerignore").write_text("secret\n")
    (project / "secret").write_text("x")
    (project / "Dockerfile").write_text("FROM busybox:stable\nCOPY . /all/\nRUN test ! -e /all/secret\n")
    assert build(client, project).ok


def test_snapshots_come_while_the_build_runs(client: DockerClient, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM busybox:stable\nRUN sleep 1\n")
    seen = [trace.steps[1].status for trace in stream_build(client, project, no_cache=True)]
    assert Status.RUNNING in seen
    assert seen[-1] is Status.RAN


@pytest.mark.parametrize("mount", ["", "--mount=type=cache,target=/c "])
def test_closing_the_stream_stops_the_build_on_the_engine(client: DockerClient, project: Path, mount: str) -> None:
    (project / "Dockerfile").write_text(f"FROM busybox:stable\nRUN {mount}sleep 60\n")
    snapshots = stream_build(client, project, no_cache=True)
    assert any(trace.steps[1].status is Status.RUNNING for trace in snapshots)
    time.sleep(3 if is_emulated(client) else 0)  # README: while a step begins there, it is not ended
    began = time.monotonic()
    snapshots.close()
    (project / "Dockerfile").write_text("FROM busybox:stable\nCOPY a.txt /\n")
    assert build(client, project).ok
    while any(record["InUse"] and "sleep 60" in record.get("Description", "") for record in cache_records(client)):
        assert time.monotonic() - began < 10, "the step still runs"
        time.sleep(0.05)


def test_an_interrupt_stops_the_build_on_the_engine(client: DockerClient, project: Path) -> None:
    (project / "Dockerfile").write_text("FROM busybox:stable\nRUN sleep 300\n")

    def interrupt(trace: BuildTrace) -> None:
        if trace.steps[1].status is Status.RUNNING:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(client, project, no_cache=True, on_snapshot=interrupt)
    assert threading.active_count() < 50


def test_a_missing_folder_is_an_error_of_the_caller(client: DockerClient, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="does not exist"):
        build(client, tmp_path / "nowhere")


def test_clean_up_removes_the_cache_that_builds_made_and_no_more(client: DockerClient, project: Path) -> None:
    (project / "Dockerfile").write_text(
        "FROM busybox:stable\nCOPY a.txt /\nRUN sleep 3; cat a.txt > /b\nRUN --mount=type=cache,target=/c true\n"
    )
    clean_session(client)
    before = {record["ID"] for record in cache_records(client)}
    build(client, project, tag="layer-by-layer-test/cache:1")
    made = {record["ID"] for record in cache_records(client)} - before
    assert len(made) >= 2
    removed = clean_session(client)
    after = {record["ID"] for record in cache_records(client)}
    assert not made & after
    assert before <= after
    assert "layer-by-layer-test/cache:1" in removed.images
