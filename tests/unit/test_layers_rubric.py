"""Each check of the `layers` rubric: what it catches and what it does not; and how its answers are read."""

import dataclasses
import json
from typing import Any

import pytest

from graders.evidence.layers import BUILT, Exchange, Given, Hidden, LayersEvidence, read_answers
from graders.rubric import Gathered, Status
from graders.rubrics.layers import RUBRIC
from graders.submission import Artifacts


def said(printed: str, status: int | None = 0) -> Exchange:
    return Exchange(asked="docker run IMAGE", printed=printed, status=status, wanted="7 visits", wanted_status=0)


RIGHT = LayersEvidence(
    answers={"added_layers": 8, "largest_line": 11, "unseen_mb": 31},
    given=Given(added_layers=8, largest_line=11, unseen_bytes=30_917_356),
    known=(said("7 visits"),),
    edited=(said("7 visits"),),
    added_bytes=2_000,
)
PARTS = frozenset(field.name for field in dataclasses.fields(LayersEvidence))
HIDDEN = Hidden(path="app/raw/monday.log", size_bytes=2_000_000, created_by="RUN collect visits.txt raw")
WEIGHT = ["nothing_hidden_weighs", "toolkit_stays_behind", "image_is_light"]


def failed(**changes: Any) -> list[str]:
    report = RUBRIC.judge(Gathered(evidence=dataclasses.replace(RIGHT, **changes), ready=PARTS))
    assert report.gradable
    assert all(one.hint for one in report.outcomes if one.status is Status.FAILED)
    return [one.id for one in report.outcomes if one.status is Status.FAILED]


def answered(**changes: object) -> dict[str, object]:
    return {**RIGHT.answers, **changes}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"answers": answered(added_layers=9)}, ["counts_added_layers"]),
        ({"answers": answered(added_layers="8")}, []),
        ({"answers": answered(added_layers=True)}, ["counts_added_layers"]),
        ({"answers": answered(largest_line=9)}, ["finds_largest_layer"]),
        ({"answers": answered(largest_line=11.0)}, []),
        ({"answers": answered(largest_line=10**400)}, ["finds_largest_layer"]),
        ({"answers": answered(unseen_mb=29.5)}, []),
        ({"answers": answered(unseen_mb=13)}, ["weighs_the_unseen"]),
        ({"answers": answered(unseen_mb=None)}, ["weighs_the_unseen"]),
        ({"answers": answered(unseen_mb=float("nan"))}, ["weighs_the_unseen"]),
        ({"known": (said("7 visits"), said("nobody"))}, ["answers_as_before"]),
        ({"known": (said("7 visits", status=1),)}, ["answers_as_before"]),
        ({"known": (said("it did not end in time", status=None),)}, ["answers_as_before"]),
        ({"edited": (said("nobody"),)}, ["new_page_arrives", *WEIGHT]),
        ({"hidden": (HIDDEN,)}, ["nothing_hidden_weighs"]),
        ({"hidden": (dataclasses.replace(HIDDEN, size_bytes=50_000),)}, []),
        ({"toolkit": ("opt/toolkit/bin/tally",)}, ["toolkit_stays_behind"]),
        ({"added_bytes": 600_000}, ["image_is_light"]),
        ({"added_bytes": -1_000_000}, []),
    ],
)
def test_each_check_catches_its_own_fault_and_no_other(changes: dict[str, Any], expected: list[str]) -> None:
    assert failed(**changes) == expected


def test_all_checks_make_ten_points() -> None:
    assert sum(check.points for check in RUBRIC.checks) == 10


def test_a_report_does_not_tell_the_right_answers() -> None:
    report = RUBRIC.judge(Gathered(evidence=dataclasses.replace(RIGHT, answers={"added_layers": 1}), ready=PARTS))
    told = json.dumps(report.to_json())
    assert not [right for right in ("30.9", "is 8", "is 11") if right in told]


def test_without_an_image_the_answers_are_judged_all_the_same() -> None:
    gathered = Gathered(evidence=RIGHT, ready=PARTS - set(BUILT)).fail("there is no Dockerfile", *BUILT)
    report = RUBRIC.judge(gathered)
    assert (report.score, report.gradable) == (3, True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"added_layers": 8}', None),
        (b"added_layers: 8", "answers.json is not JSON: line 1: Expecting value"),
        (b"[8, 11, 31]", "answers.json does not hold an object, {...}"),
        (b"[" * 200_000, "answers.json is not JSON"),
        (b'{"a": "\xff"}', "answers.json is not JSON"),
    ],
)
def test_answers_that_cannot_be_read_fail_with_the_reason(content: bytes, reason: str | None) -> None:
    gathered = read_answers(Artifacts(files={"answers.json": content}, problems={}))
    assert gathered.problems.get("answers") == reason
    assert ("answers" in gathered.ready) == (reason is None)
