"""The nouns of grading, and each check of the `order` rubric: what it catches and what it does not."""

import dataclasses
import json
from typing import Any

import pytest

from course.builds.model import BuildError, BuildTrace, StepTrace
from course.builds.model import Status as StepStatus
from graders.evidence.api import StepRef
from graders.evidence.order import BUILT, LOCKED, MODEL, OrderEvidence
from graders.rubric import Gathered, Report, Status, could_not_check
from graders.rubrics.order import GRADING, RUBRIC


def trace(*statuses: StepStatus) -> BuildTrace:
    steps = tuple(
        StepTrace(stage="0", index=n, line=n + 1, instruction="RUN", text="RUN x", status=status)
        for n, status in enumerate(statuses)
    )
    return BuildTrace(steps=steps, image_id="sha256:1")


REUSED = trace(StepStatus.REUSED, StepStatus.REUSED, StepStatus.REUSED)
RIGHT = OrderEvidence(
    cold=trace(StepStatus.RAN, StepStatus.RAN, StepStatus.RAN),
    source_edited=REUSED,
    schema_edited=REUSED,
    readme_edited=REUSED,
    installs=(StepRef(stage="0", index=1, line=2),),
    generates=(StepRef(stage="0", index=2, line=3),),
    answer='{"status":"ok","edit":"e1"}',
    edit="e1",
    added=LOCKED,
    by_npm=True,
    models=("Task", MODEL),
)
FAILED_BUILD = BuildTrace(steps=(), error=BuildError(message="no", line=3))
RAN_AGAIN = trace(StepStatus.REUSED, StepStatus.RAN, StepStatus.RAN)


PARTS = frozenset(field.name for field in dataclasses.fields(OrderEvidence))


def whole(**changes: Any) -> Gathered[OrderEvidence]:
    return Gathered(evidence=dataclasses.replace(RIGHT, **changes), ready=PARTS)


def failed(**changes: Any) -> list[str]:
    report = RUBRIC.judge(whole(**changes))
    return [outcome.id for outcome in report.outcomes if outcome.status is Status.FAILED]


def test_a_right_answer_gets_full_marks() -> None:
    report = RUBRIC.judge(whole())
    assert (report.score, report.max_score, report.gradable) == (10, 10, True)
    assert not [outcome.hint for outcome in report.outcomes if outcome.hint]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"answer": None, "log": "it ended"}, ["builds_and_answers", "source_edit_arrives"]),
        ({"answer": '{"status":"ok"}'}, ["source_edit_arrives"]),
        ({"answer": "not found"}, ["builds_and_answers", "source_edit_arrives"]),
        ({"source_edited": RAN_AGAIN}, ["source_edit_keeps_install", "source_edit_keeps_client"]),
        ({"schema_edited": RAN_AGAIN}, ["schema_edit_keeps_install"]),
        ({"schema_edited": FAILED_BUILD}, ["schema_edit_keeps_install"]),
        ({"installs": ()}, ["source_edit_keeps_install", "schema_edit_keeps_install", "readme_edit_runs_nothing"]),
        ({"generates": ()}, ["source_edit_keeps_client", "readme_edit_runs_nothing"]),
        ({"added": None}, ["package_edit_arrives"]),
        ({"added": "7.0.0"}, ["package_edit_arrives"]),
        ({"added": "7.0.0", "by_npm": False}, []),
        ({"rewritten": (9,)}, ["source_edit_keeps_install"]),
        ({"readme_edited": RAN_AGAIN}, ["readme_edit_runs_nothing"]),
        ({"models": ("Task",)}, ["schema_edit_arrives"]),
        ({"planted": (".env",)}, ["nothing_leaks_in"]),
    ],
)
def test_each_check_catches_its_own_fault_and_no_other(changes: dict[str, Any], expected: list[str]) -> None:
    assert failed(**changes) == expected


def test_what_the_student_made_impossible_fails_and_is_graded() -> None:
    report = RUBRIC.judge(Gathered(evidence=OrderEvidence()).fail("there is no Dockerfile", "planted", *BUILT))
    assert report.gradable
    assert report.score == 0
    assert all("there is no Dockerfile" in outcome.actual and outcome.hint for outcome in report.outcomes)


def test_what_could_not_be_had_is_no_zero() -> None:
    gathered = Gathered(evidence=RIGHT, ready=PARTS - {"added"}).lack("no packages can be fetched here", "added")
    report = RUBRIC.judge(gathered)
    unknown = [outcome for outcome in report.outcomes if outcome.status is Status.COULD_NOT_CHECK]
    assert [(outcome.id, outcome.actual) for outcome in unknown] == [
        ("package_edit_arrives", "no packages can be fetched here")
    ]
    assert not report.gradable
    assert repr(report) == "could not be graded"
    assert not could_not_check(RUBRIC, "no engine").gradable


def test_what_the_graders_did_not_come_to_is_no_zero() -> None:
    report = RUBRIC.judge(Gathered(evidence=RIGHT, ready=PARTS - {"models"}))
    assert [o.id for o in report.outcomes if o.status is Status.COULD_NOT_CHECK] == ["schema_edit_arrives"]


def test_a_check_is_settled_as_soon_as_its_own_parts_are_known() -> None:
    gathered = Gathered(evidence=OrderEvidence()).have(planted=())
    assert [check.id for check in RUBRIC.checks if gathered.settles(check)] == ["nothing_leaks_in"]


def test_a_report_survives_json_and_shows_its_number_first() -> None:
    report = RUBRIC.judge(whole())
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report
    assert repr(report) == "10"
    assert set(report.to_json()) == {"assignment", "score", "max_score", "gradable", "outcomes"}


def test_a_report_carries_its_pictures_and_draws_them() -> None:
    grading, evidence = GRADING, whole().evidence
    report = dataclasses.replace(RUBRIC.judge(whole()), pictures=grading.seen(evidence))
    assert [one.shows for one in report.pictures] == [
        evidence.source_edited,
        evidence.schema_edited,
        evidence.readme_edited,
    ]
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report
    page = report.to_html()
    assert page.count("<svg") == 3
    assert "Built again after an edit of the schema" in page
    assert "<script" not in page
    assert grading.seen(OrderEvidence()) == ()


def test_what_a_student_wrote_is_escaped_in_the_table() -> None:
    report = RUBRIC.judge(whole(answer="<script>alert(1)</script>"))
    assert "<script>" not in report.to_html()
    assert "&lt;script&gt;" in report.to_html()
