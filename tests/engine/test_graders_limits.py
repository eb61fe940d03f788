"""Submissions that take all they can get: each is judged within its limits and told the reason, and the engine goes on.

All of them meet the same replay engine, one after the other. A right submission gets full marks after the last of them,
and with --long after each.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from course.assignments import find_assignment
from graders.evidence import networks
from graders.judge import judge_on
from graders.rubric import Level, Report
from graders.rubrics import find_grading
from graders.sandbox import ReplayEngine, replay_engine
from graders.submission import collect
from graders.workplace import Task, Workplace

pytestmark = [pytest.mark.engine, pytest.mark.differs_in_vm]

UP_TIMEOUT_S = 40
BOMB = "bomb() { bomb | bomb & }; bomb; sleep infinity"
FILL = "for n in $$(seq 20); do fallocate -l 1G /big-$$n || exit 1; done"
"""20 GB that take no time to write."""
HOARD = '"const all = []; for (;;) all.push(Buffer.alloc(1e8, 1))"'
RIGHT = find_assignment("networks").folder / "solution"


def with_api(*lines: str) -> str:
    """The right compose file with another API."""
    text = (RIGHT / "compose.yaml").read_text(encoding="utf-8")
    assert "    build: api\n" in text
    return text.replace("    build: api\n", "".join(f"    {line}\n" for line in lines))


def built_by(step: str) -> str:
    """The right compose file with an API whose image takes this step."""
    return with_api("build:", "  dockerfile_inline: |", "    FROM busybox:stable", f"    RUN {step}")


def running(command: str) -> str:
    """The right compose file with an API whose container does this."""
    return with_api("image: node:24-slim", f"command: ['sh', '-c', '{command}']")


@pytest.fixture(scope="module")
def engine(client: DockerClient) -> Iterator[ReplayEngine]:
    with replay_engine(client, find_grading("networks").images) as engine:
        yield engine


@pytest.fixture
def healthy(engine: ReplayEngine, long: bool) -> Iterator[ReplayEngine]:
    """The engine, which with --long must grade a right submission as such afterwards."""
    engine.reset()
    yield engine
    if long:
        assert_right_gets_full_marks(engine)


def assert_right_gets_full_marks(engine: ReplayEngine) -> None:
    engine.reset()
    report = judge_on(engine, "networks", RIGHT)
    assert (report.gradable, report.score) == (True, 10), [outcome.actual for outcome in report.outcomes]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less patience than for a learner's."""
    monkeypatch.setattr(networks, "UP_TIMEOUT_S", UP_TIMEOUT_S)


def graded(engine: ReplayEngine, folder: Path, **files: str) -> Report:
    for name, text in files.items():
        (folder / {"compose": "compose.yaml", "run": "run.sh"}[name]).write_text(text, encoding="utf-8")
    began = time.monotonic()
    report = judge_on(engine, "networks", folder)
    assert time.monotonic() - began < 5 * UP_TIMEOUT_S
    return report


def said(report: Report) -> str:
    return "\n".join(outcome.actual for outcome in report.outcomes)


GREEDY = {
    "a build that waits": ({"compose": built_by("sleep infinity")}, "had not ended after 40 s"),
    "a build that computes": ({"compose": built_by("while true; do true; done")}, "had not ended after 40 s"),
    "a build that prints": ({"compose": built_by("yes")}, "had not ended after 40 s"),
    "a fork bomb in a build": ({"compose": built_by(BOMB)}, "800 processes"),
    "20 GB in a build": ({"compose": built_by(FILL)}, "no space left on device"),
    "a fork bomb in a container": ({"compose": running(BOMB)}, "800 processes"),
    "20 GB in a container": ({"compose": running(f"{FILL}; sleep infinity")}, "filled the disk"),
    "all memory": ({"compose": running(f"node -e {HOARD}")}, "exit code 137"),
    "a script without an end": ({"run": "while true; do sleep 1; done"}, "had not ended after 40 s"),
    "what a script leaves behind": ({"run": "setsid sleep infinity & sleep infinity"}, "had not ended after 40 s"),
    "a fork bomb in a script": ({"run": BOMB}, "200 processes"),
    "a script that waits": (
        {"run": "docker run -d --name stubborn busybox:stable sleep 1000\ndocker stop -t 600 stubborn"},
        "had not ended after 40 s",
    ),
    "a script that prints": ({"run": "yes"}, "printed more than 8 MB"),
}
"""What is handed in, and what the report says of it."""
ALWAYS = ("20 GB in a build", "a fork bomb in a container", "a script that prints")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All of them with --long, else a few."""
    if "greedy" in metafunc.fixturenames:
        metafunc.parametrize("greedy", list(GREEDY) if metafunc.config.getoption("--long") else ALWAYS)


@pytest.mark.usefixtures("impatient")
def test_what_takes_too_much_fails_with_the_reason(healthy: ReplayEngine, tmp_path: Path, greedy: str) -> None:
    files, reason = GREEDY[greedy]
    report = graded(healthy, tmp_path, **files)
    assert report.gradable
    assert report.score < 5
    assert reason.lower() in said(report).lower()


@pytest.mark.long
def test_an_endless_log_stays_small(healthy: ReplayEngine, tmp_path: Path) -> None:
    report = graded(healthy, tmp_path, compose=running("yes this goes on and on"))
    assert "no container answers as the API does" in said(report)
    sizes = healthy.run(["sh", "-c", "du -ck /var/lib/docker/containers/*/*.log* | tail -n 1"]).output
    assert 0 < int(sizes.split()[0]) < 3000


def test_containers_that_ignore_sigterm_keep_nobody_waiting(healthy: ReplayEngine, tmp_path: Path) -> None:
    stubborn = 'trap "" TERM; node server.js & while true; do wait; sleep 1; done'
    lines = ("build: api", "stop_grace_period: 10m", f"command: ['sh', '-c', '{stubborn}']")
    report = graded(healthy, tmp_path, compose=with_api(*lines))
    assert report.score == 10, said(report)


@pytest.mark.long
def test_what_a_right_script_leaves_running_keeps_nobody_waiting(healthy: ReplayEngine, tmp_path: Path) -> None:
    text = (RIGHT / "compose.yaml").read_text(encoding="utf-8")
    script = f"cat > a.yaml <<'END'\n{text}END\ndocker compose --file a.yaml up --detach --build\n"
    report = graded(healthy, tmp_path, run=f"{script}sleep infinity &\n")
    assert report.score == 10, said(report)


def test_the_internet_is_not_there_and_nobody_is_to_blame(healthy: ReplayEngine, tmp_path: Path) -> None:
    report = graded(healthy, tmp_path, compose=built_by("wget -q http://example.com"))
    assert not report.gradable, said(report)
    assert "wants something from the internet" in said(report)


def test_a_right_submission_gets_full_marks_after_all_of_these(engine: ReplayEngine) -> None:
    assert_right_gets_full_marks(engine)


def test_no_container_and_no_build_gets_out(engine: ReplayEngine) -> None:
    engine.reset()
    way_out = engine.run(["ip", "-4", "route", "show", "default"]).output.split()[2]
    assert engine.run(["docker", "network", "create", "own"]).exit_code == 0
    for network in ("bridge", "own"):
        words = ["docker", "run", "--rm", "--network", network, "busybox:stable", "ping", "-c", "1", "-W", "2", way_out]
        assert engine.run(words).exit_code not in (0, None)


RIGHTS = (
    "--privileged",
    "--cap-add=SYS_ADMIN",
    "--device=/dev/loop0",
    "--pid=host",
    "--ipc=host",
    "--uts=host",
    "--security-opt=seccomp=unconfined",
    "--security-opt=systempaths=unconfined",
    "--cgroup-parent=/",
    "--volume=/:/machine",
    "--volume=/run/docker.sock:/socket",
    "--volume=/work/project/way:/machine",
    "--volume=/work/project/../../run:/machine",
    "--volume=way:/machine",
)
NO_RIGHTS = (
    "--network=host",
    "--volume=/work/project/data:/data",
    "--volume=data:/data",
    "--volume=own:/own",
    "--init",
)


def test_no_container_gets_rights_over_the_machine(engine: ReplayEngine) -> None:
    engine.reset()
    ways = "docker volume create -o type=none -o o=bind -o device=/ way; ln -s / way; mkdir own"
    own = "docker volume create -o type=none -o o=bind -o device=$PWD/own own"
    engine.put({"run.sh": f"{ways}\n{own}\n".encode()})
    assert engine.run_script(["sh", "run.sh"], timeout_s=30).exit_code == 0
    refused = "a replay gives nobody rights over the machine"
    for rights in (*RIGHTS, *NO_RIGHTS):
        ran = engine.run_script(["docker", "run", "--rm", rights, "busybox:stable", "true"], timeout_s=30)
        assert (refused in ran.output, ran.exit_code) == ((True, 125) if rights in RIGHTS else (False, 0)), (
            rights,
            ran,
        )
    engine.run_script(["docker", "run", "--detach", "--name", "idle", "busybox:stable", "sleep", "60"], timeout_s=30)
    assert "received 403" in engine.run_script(["docker", "exec", "--privileged", "idle", "true"], timeout_s=30).output
    assert engine.run_script(["docker", "exec", "idle", "true"], timeout_s=30).exit_code == 0


def test_a_script_that_was_killed_has_not_run_out_of_time(engine: ReplayEngine) -> None:
    engine.reset()
    killed = engine.run_script(["sh", "-c", "kill -KILL $$"], timeout_s=30, folder="/tmp")
    assert (killed.exit_code, killed.ended) == (137, "")
    late = engine.run_script(["sleep", "60"], timeout_s=1, folder="/tmp")
    assert late.exit_code is None
    assert late.ended.startswith("it had not ended after")


def test_the_guard_that_died_guards_again(engine: ReplayEngine) -> None:
    """Without it the engine would refuse everything, right submissions too."""
    engine.reset()
    guard = "grep -al '[g]uard.mjs' /proc/[0-9]*/cmdline | cut -d/ -f3"
    ended = engine.run(["sh", "-c", f"for one in $({guard}); do kill -KILL $one && echo $one; done"])
    assert ended.output.strip().isdigit(), ended
    begun = ["docker", "run", "--rm", "busybox:stable", "true"]
    assert engine.run_script(begun, timeout_s=30, folder="/tmp").exit_code == 0
    privileged = engine.run_script([*begun[:3], "--privileged", *begun[3:]], timeout_s=30, folder="/tmp")
    assert "gives nobody rights over the machine: privileged" in privileged.output


def test_what_a_script_leaves_beside_the_engine_is_gone_afterwards(engine: ReplayEngine) -> None:
    engine.reset()
    engine.put({"run.sh": b"for at in ~ /tmp /run /root /dev/shm; do mkdir -p $at/.left/more; done; id -u > /tmp/id"})
    engine.run_script(["sh", "run.sh"], timeout_s=30)
    assert engine.run(["cat", "/tmp/id"]).output.strip() not in ("", "0")
    engine.reset()
    assert engine.run(["find", "/", "-xdev", "-name", ".left", "-o", "-path", "/tmp/id"]).output == ""
    assert engine.run(["find", "/tmp", "/run", "/root", "/dev/shm", "/work", "-name", ".left"]).output == ""


def test_the_base_images_have_their_names_back_afterwards(engine: ReplayEngine) -> None:
    engine.reset()
    taken = "docker tag redis:7 mine; for image in busybox:stable node:24-slim; do docker tag mine $image; done"
    assert engine.run_script(["sh", "-c", taken], timeout_s=30, folder="/tmp").exit_code == 0
    engine.reset()
    names = {tag: image.id for image in engine.client.images.list() for tag in image.tags}
    assert names == engine.images


def test_a_disk_that_nobody_frees_is_made_anew(client: DockerClient) -> None:
    """An engine that is killed can leave layers that no other one knows."""
    with replay_engine(client, ("busybox:stable",)) as engine:
        free = engine.free_bytes()
        assert engine.run(["fallocate", "-l", "7G", "/var/lib/docker/left-behind"]).exit_code == 0
        assert engine.free_bytes() < free - (6 << 30)
    with replay_engine(client, ("busybox:stable",)) as engine:
        assert engine.free_bytes() > 8 << 30


@pytest.mark.long
def test_who_removes_the_base_images_cannot_be_graded_and_the_next_can(client: DockerClient, tmp_path: Path) -> None:
    assignment, place = find_assignment("networks"), Workplace(kind="auto", level=Level.UNSANDBOXED)
    (tmp_path / "run.sh").write_text("docker run -d redis:7\ndocker system prune --all --force\n", encoding="utf-8")
    try:
        removed = place.grade(Task(student="ada", assignment="networks", artifacts=collect(assignment, tmp_path)))
        assert not removed.report.gradable
        assert "cannot fetch again: node:24-slim, busybox:stable" in said(removed.report)
        right = place.grade(Task(student="bob", assignment="networks", artifacts=collect(assignment, RIGHT)))
        assert right.report.score == 10, said(right.report)
    finally:
        place.close()
