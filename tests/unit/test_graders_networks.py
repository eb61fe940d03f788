"""Each check of the `networks` rubric: what it catches and what it does not, from evidence alone."""

import dataclasses
from typing import Any

import pytest

from course.lab.reach import Answer, Reach
from course.lab.setup import Attachment, Container, Port
from graders.evidence.networks import Answers, NetworksEvidence, Opened
from graders.evidence.parts import Part, listening
from graders.rubric import Gathered, Status
from graders.rubrics.networks import RUBRIC

GOOD = Answers(page=True, visits=(1, 2), said='{"visits":2}')
LOST = Answers(page=True, said="web does not reach the API: http://localhost:3000: ECONNREFUSED")


def container(name: str, *networks: str, mode: str = "front", published: int = 0) -> Container:
    ports = Port(container_port=3000, protocol="tcp", address="0.0.0.0", host_port=published)
    return Container(
        id=name * 9,
        name=name,
        image="counter",
        state="running",
        exit_code=0,
        network_mode=mode,
        listens=(),
        networks=tuple(Attachment(network=network, address="172.20.0.2") for network in networks),
        mounts=(),
        ports=(ports,) if published else (),
    )


def reach(source: str, target: str, address: str, answer: Answer) -> Reach:
    return Reach(source=source, target=target, address=address, port=3000, answer=answer, seconds=0.1)


BY_ADDRESS = (
    reach("web", "api", "api", Answer.NAME_NOT_FOUND),
    reach("web", "api", "172.20.0.2", Answer.ANSWERED),
)
RIGHT = NetworksEvidence(
    first=GOOD,
    kept=(2,),
    containers=(container("api", "front", "back"), container("db", "back"), container("web", "front", published=8080)),
    opened=(Opened(port=8080, parts=("web",)),),
    web_to_api=(
        reach("web", "api", "project-api-1", Answer.ANSWERED),
        reach("web", "api", "172.20.0.2", Answer.ANSWERED),
    ),
    api_to_db=(reach("api", "db", "db", Answer.ANSWERED),),
    web_to_db=(
        reach("web", "db", "db", Answer.NAME_NOT_FOUND),
        reach("web", "db", "172.21.0.2", Answer.TIMED_OUT),
        reach("web", "db", "localhost", Answer.ANSWERED),
    ),
    again=GOOD,
)
PARTS = frozenset(field.name for field in dataclasses.fields(NetworksEvidence))


def failed(gathered: Gathered[NetworksEvidence]) -> list[str]:
    return [outcome.id for outcome in RUBRIC.judge(gathered).outcomes if outcome.status is Status.FAILED]


def whole(**changes: Any) -> Gathered[NetworksEvidence]:
    return Gathered(evidence=dataclasses.replace(RIGHT, **changes), ready=PARTS)


def test_a_right_answer_gets_full_marks() -> None:
    report = RUBRIC.judge(whole())
    assert (report.score, report.max_score, report.gradable) == (10, 10, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"opened": (Opened(port=8080, parts=("web",)), Opened(port=8443, parts=("web",)))},
        {"containers": (container("web", "a network"), container("helper", mode="none"))},
        {"web_to_db": (reach("web", "db", "172.21.0.2", Answer.UNREACHABLE),)},
        {"first": Answers(page=True, visits=(7, 9), said=""), "kept": (0, 9)},
    ],
)
def test_other_ways_to_be_right_are_right(changes: dict[str, Any]) -> None:
    assert not failed(whole(**changes))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"first": Answers(page=False, said="nothing answers")}, "counter_counts"),
        ({"first": LOST}, "counter_counts"),
        ({"first": Answers(page=True, visits=(2,), said="")}, "counter_counts"),
        ({"first": Answers(page=True, visits=(2, 2), said="")}, "counter_counts"),
        ({"kept": ()}, "counter_counts"),
        ({"kept": (1,)}, "counter_counts"),
        ({"web_to_api": BY_ADDRESS}, "web_reaches_api"),
        ({"web_to_api": ()}, "web_reaches_api"),
        ({"api_to_db": (reach("api", "db", "localhost", Answer.ANSWERED),)}, "api_reaches_db"),
        ({"web_to_db": (reach("web", "db", "172.21.0.2", Answer.ANSWERED),)}, "web_misses_db"),
        ({"opened": (*RIGHT.opened, Opened(port=6379, parts=("db",)))}, "only_web_is_published"),
        ({"opened": (Opened(port=8080, parts=()),)}, "only_web_is_published"),
        ({"opened": ()}, "only_web_is_published"),
        ({"containers": (container("web", "host", mode="host"),)}, "networks_are_its_own"),
        ({"containers": (container("api", mode="container:web"),)}, "networks_are_its_own"),
        ({"containers": (container("api", "bridge", "back", mode="bridge"),)}, "networks_are_its_own"),
        ({"again": LOST}, "addresses_do_not_matter"),
        ({"again": "`sh run.sh` fails: pool overlaps"}, "addresses_do_not_matter"),
    ],
)
def test_each_check_catches_its_own_fault_and_no_other(changes: dict[str, Any], expected: str) -> None:
    assert failed(whole(**changes)) == [expected]


def test_what_was_seen_is_told_in_words() -> None:
    said = {outcome.id: outcome.actual for outcome in RUBRIC.judge(whole(first=LOST, web_to_api=BY_ADDRESS)).outcomes}
    assert "ECONNREFUSED" in said["counter_counts"]
    assert "only at its address" in said["web_reaches_api"]
    assert said["web_misses_db"] == "none of these leads there: db, its address"


def test_a_container_that_is_two_parts_listens_on_both_ports() -> None:
    both = container("both", "front", published=8080)
    parts = (Part(kind="api", container=both, port=3000), Part(kind="db", container=both, port=6379))
    (one,) = listening(parts)
    assert (one.listens, one.ports) == ((3000, 6379), ())
