"""Each check of the `volumes` rubric: what it catches and what it does not."""

import dataclasses
from typing import Any

import pytest

from graders.evidence.mongodb import Place
from graders.evidence.volumes import APP, DATA, VolumesEvidence, Written
from graders.rubric import Gathered, Report, Status
from graders.rubrics.volumes import RUBRIC

NAMED = Place(kind="volume", name="data", target="/data/db")
FOLDER = Place(kind="bind", name="/project/data", target="/data/db")
ANONYMOUS = Place(kind="anonymous", name="0" * 64, target="/data/db")
RIGHT = VolumesEvidence(
    written=(Written(database="db", places=(NAMED,), seen_by=("backup",)),),
    kept=("db",),
    answer="hello",
    greeting="hello",
    edited="good day",
    edit="good day",
    loads=True,
)


def gathered(**changes: Any) -> Gathered[VolumesEvidence]:
    evidence = dataclasses.replace(RIGHT, **changes)
    return Gathered(evidence=evidence, ready=frozenset((*DATA, *APP)))


def failed(report: Report) -> list[str]:
    return [outcome.id for outcome in report.outcomes if outcome.status is Status.FAILED]


def written(**changes: Any) -> tuple[Written, ...]:
    return (dataclasses.replace(RIGHT.written[0], **changes),)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"written": written(places=(FOLDER,))},
        {"written": written(seen_by=("backup", "web"))},
        {"written": (*written(), *written(database="other", seen_by=())), "kept": ("other", "db")},
    ],
)
def test_a_right_set_up_gets_full_marks(changes: dict[str, Any]) -> None:
    report = RUBRIC.judge(gathered(**changes))
    assert (report.score, report.max_score, report.gradable) == (10, 10, True)
    assert not [outcome.hint for outcome in report.outcomes if outcome.hint]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"written": written(took=False)}, ["database_takes_data"]),
        ({"kept": ()}, ["data_survives"]),
        ({"kept": ("other",)}, ["data_survives"]),
        ({"written": (*written(), *written(database="other"))}, ["data_survives"]),
        ({"written": written(places=())}, ["data_has_a_name"]),
        ({"written": written(places=(ANONYMOUS,))}, ["data_has_a_name"]),
        ({"written": written(places=(NAMED, ANONYMOUS))}, ["data_has_a_name"]),
        ({"written": written(seen_by=())}, ["data_is_shared"]),
        ({"answer": "It works!"}, ["app_is_published"]),
        ({"edited": "hello"}, ["edit_is_served"]),
        ({"edited": None}, ["edit_is_served"]),
        ({"same_container": False}, ["edit_is_served"]),
        ({"loads": False}, ["packages_stay"]),
    ],
)
def test_each_check_catches_its_own_fault_and_no_other(changes: dict[str, Any], expected: list[str]) -> None:
    assert failed(RUBRIC.judge(gathered(**changes))) == expected


def test_without_a_database_the_app_is_judged_all_the_same() -> None:
    report = RUBRIC.judge(Gathered(evidence=RIGHT).fail("no database answers", *DATA).have(**dict.fromkeys(APP, "")))
    assert report.gradable
    assert {one.actual for one in report.outcomes[:4]} == {"no database answers"}
    assert "no database answers" not in {one.actual for one in report.outcomes[4:]}


def test_what_a_replay_lacks_is_no_fault() -> None:
    report = RUBRIC.judge(Gathered(evidence=RIGHT).lack("mongo:latest is not at hand", *DATA, *APP))
    assert not report.gradable
    assert not failed(report)
