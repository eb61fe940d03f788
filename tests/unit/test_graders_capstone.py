"""Each check of the `capstone` rubric: what it catches and what it does not."""

import dataclasses
from typing import Any

import pytest

from course.builds.model import BuildTrace, StepTrace
from course.builds.model import Status as StepStatus
from graders.evidence.api import StepRef
from graders.evidence.capstone import CapstoneEvidence
from graders.rubric import Gathered, Status
from graders.rubrics.capstone import RUBRIC


def trace(status: StepStatus) -> BuildTrace:
    steps = tuple(
        StepTrace(stage="0", index=n, line=n + 1, instruction="RUN", text="RUN x", status=status) for n in range(2)
    )
    return BuildTrace(steps=steps, image_id="sha256:1")


RIGHT = CapstoneEvidence(
    source_edited=trace(StepStatus.REUSED),
    installs=(StepRef(stage="0", index=0, line=1),),
    generates=(StepRef(stage="0", index=1, line=2),),
    health='{"status":"ok"}',
    kept_before=True,
    kept_after=True,
    new_code=True,
    running=("api", "db"),
)
PARTS = frozenset(field.name for field in dataclasses.fields(CapstoneEvidence))


def failed(**changes: Any) -> list[str]:
    report = RUBRIC.judge(Gathered(evidence=dataclasses.replace(RIGHT, **changes), ready=PARTS))
    return [outcome.id.removeprefix("whole_") for outcome in report.outcomes if outcome.status is Status.FAILED]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"health": None}, ["answers", "publishes_api_only"]),
        ({"kept_before": False, "kept_after": False}, ["answers", "survives"]),
        ({"kept_after": False}, ["survives"]),
        ({"new_code": False}, ["new_code"]),
        ({"source_edited": trace(StepStatus.RAN)}, ["keeps_packages"]),
        ({"generates": ()}, ["keeps_packages"]),
        ({"rewritten": (7,)}, ["keeps_packages"]),
        ({"others_published": ("db",)}, ["publishes_api_only"]),
        ({"bare_networks": ("db",)}, ["publishes_api_only"]),
        ({"anonymous": ("db",)}, ["names_its_volumes"]),
        ({"running": ("api",)}, ["names_its_volumes"]),
        ({"planted": (".env",)}, ["nothing_leaks_in"]),
    ],
)
def test_each_check_catches_its_own_fault_and_no_other(changes: dict[str, Any], expected: list[str]) -> None:
    assert failed(**changes) == expected


def test_it_is_worth_ten_points() -> None:
    assert sum(check.points for check in RUBRIC.checks) == 10
