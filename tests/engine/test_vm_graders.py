"""Submissions graded in the virtual machine: judged as on an engine of this machine, and nothing reached from in there.

The guest of `graders build-vm` is built first where it is not there yet, which takes minutes: with `--long` only.
"""

import time
from collections.abc import Iterator

import pytest
import vm_user
from grade_corpus import grade

from course.errors import CourseError
from graders.cli import main
from graders.sandbox import ReplayEngine, isolated, isolated_engine

pytestmark = [pytest.mark.engine, pytest.mark.long]

CASES = (
    ("layers", "right-mebibytes"),
    ("layers", "wrong-fork-bomb"),
    ("networks", "right-compose"),
    ("networks", "wrong-db-published"),
    ("volumes", "right-compose"),
    ("volumes", "wrong-anonymous-volume"),
    ("order", "right-add"),
    ("order", "wrong-naive"),
    ("capstone", "right-compose"),
)
REACH = """
for address in 10.0.2.2:PORT 10.0.2.15:2375 172.17.0.1:2375 10.0.2.4:445; do
    curl -s --max-time 5 "http://$address/" && echo "reached $address"
done
curl -s --max-time 5 https://example.com/ && echo reached the world
cat /proc/mounts
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[ReplayEngine]:
    if not isolated.is_built():
        assert main(["build-vm"]) == 0
    with isolated_engine() as engine:
        yield engine


@pytest.fixture
def server() -> Iterator[int]:
    with vm_user.loopback_server() as port:
        yield port


def test_images_that_the_guest_lacks_are_named(engine: ReplayEngine) -> None:
    with pytest.raises(CourseError, match="built without httpd:2") as refused, isolated_engine(("httpd:2",)):
        pass
    assert refused.value.fix == isolated.BUILD


@pytest.mark.parametrize(("assignment", "case"), CASES)
def test_a_submission_is_judged_as_outside(engine: ReplayEngine, assignment: str, case: str) -> None:
    graded = grade(engine, assignment, case)
    print(f"{assignment} {case}: {graded.seconds:.0f} s")
    assert graded.seen == graded.expected, [one.actual for one in graded.outcomes]


def test_a_reset_forgets_everything_at_once(engine: ReplayEngine) -> None:
    engine.client.volumes.create("left")
    engine.put({"left": b"something"})
    began = time.monotonic()
    engine.reset()
    print(f"reset in {time.monotonic() - began:.2f} s")
    assert not engine.client.volumes.list()
    assert "left" not in engine.run(["ls", "/work"]).output


def test_a_script_that_is_handed_in_reaches_nothing(engine: ReplayEngine, server: int) -> None:
    engine.reset()
    engine.put({"run.sh": REACH.replace("PORT", str(server)).encode()})
    ran = engine.run_script(["sh", "run.sh"], timeout_s=60)
    assert "/var/lib/docker" in ran.output
    assert "reached" not in ran.output
    assert " 9p " not in ran.output
