"""The nouns of grading: checks make a rubric, outcomes make a report.

Enters: evidence, as some frozen dataclass. Leaves: `Report`, as a table for people, JSON for programs and a number for
nbgrader. Pure; imports no other room.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from html import escape
from typing import Any, Generic, TypeVar

Evidence = TypeVar("Evidence")
REPORT_MIME = "application/vnd.layer-by-layer.report+json"


class Status(StrEnum):
    """What a check found. What could not be checked is neither right nor wrong."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    COULD_NOT_CHECK = "COULD_NOT_CHECK"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a judge saw: whether the claim holds, what was expected, what was there, and a hint for the next try."""

    holds: bool
    expected: str
    actual: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Check(Generic[Evidence]):
    """One `claim` about a submission, in the learner's words. `judge` is a pure function of the evidence.

    `needs` names the parts of the evidence without which the judge cannot be asked.
    """

    id: str
    claim: str
    points: float
    judge: Callable[[Evidence], Finding]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one check."""

    id: str
    claim: str
    points: float
    status: Status
    expected: str
    actual: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Report:
    """All outcomes of one submission. `gradable` is False as soon as one check could not be made."""

    assignment: str
    outcomes: tuple[Outcome, ...]

    @property
    def score(self) -> float:
        """The points of the checks that passed."""
        return sum(outcome.points for outcome in self.outcomes if outcome.status is Status.PASSED)

    @property
    def max_score(self) -> float:
        """The points of all checks."""
        return sum(outcome.points for outcome in self.outcomes)

    @property
    def gradable(self) -> bool:
        """Whether every check could be made."""
        return all(outcome.status is not Status.COULD_NOT_CHECK for outcome in self.outcomes)

    def to_json(self) -> dict[str, Any]:
        """The object that `graders check --json` prints."""
        return {
            "assignment": self.assignment,
            "score": self.score,
            "max_score": self.max_score,
            "gradable": self.gradable,
            "outcomes": [
                {
                    "id": outcome.id,
                    "claim": outcome.claim,
                    "points": outcome.points,
                    "status": outcome.status.value,
                    "expected": outcome.expected,
                    "actual": outcome.actual,
                    "hint": outcome.hint,
                }
                for outcome in self.outcomes
            ],
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Report":
        """The report that `to_json` wrote."""
        outcomes = (Outcome(**{**one, "status": Status(one["status"])}) for one in data["outcomes"])
        return Report(assignment=data["assignment"], outcomes=tuple(outcomes))

    def __repr__(self) -> str:
        """The score alone: nbgrader reads a cell's result as a number (nbgrader/utils.py, get_partial_grade)."""
        return f"{self.score:g}" if self.gradable else "could not be graded"

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": self.to_html(), REPORT_MIME: self.to_json()}

    def to_html(self) -> str:
        """A table that needs no style sheet and no script, and in which everything is escaped."""
        rows = "".join(
            f"<tr><td>{_MARKS[o.status]}</td><td style='text-align:left'>{escape(o.claim)}{_details(o)}</td>"
            f"<td>{o.points if o.status is Status.PASSED else 0:g} of {o.points:g}</td></tr>"
            for o in self.outcomes
        )
        total = f"{self.score:g} of {self.max_score:g}" if self.gradable else "could not be graded"
        return (
            f"<table><caption style='text-align:left'><b>{escape(self.assignment)}: {total}</b></caption>"
            f"<tbody>{rows}</tbody></table>"
        )


@dataclass(frozen=True, kw_only=True)
class Rubric(Generic[Evidence]):
    """The checks of an assignment, in the order in which a learner reads them."""

    assignment: str
    checks: tuple[Check[Evidence], ...] = field(default=())

    def judge(self, evidence: Evidence, *, missing: dict[str, str]) -> Report:
        """Ask every judge; `missing` says for each part of the evidence that could not be had, why."""
        return Report(assignment=self.assignment, outcomes=tuple(_outcome(c, evidence, missing) for c in self.checks))


def could_not_check(rubric: Rubric[Any], reason: str) -> Report:
    """The report when no evidence at all could be had, through no fault of the submission."""
    return Report(assignment=rubric.assignment, outcomes=tuple(_unknown(check, reason) for check in rubric.checks))


def _outcome(check: Check[Evidence], evidence: Evidence, missing: dict[str, str]) -> Outcome:
    reasons = _reasons(check.needs, missing)
    if reasons:
        return _unknown(check, "; ".join(reasons))
    finding = check.judge(evidence)
    return Outcome(
        id=check.id,
        claim=check.claim,
        points=check.points,
        status=Status.PASSED if finding.holds else Status.FAILED,
        expected=finding.expected,
        actual=finding.actual,
        hint="" if finding.holds else finding.hint,
    )


def _reasons(needs: Sequence[str], missing: dict[str, str]) -> list[str]:
    return list(dict.fromkeys(missing[need] for need in needs if need in missing))


def _unknown(check: Check[Any], reason: str) -> Outcome:
    return Outcome(
        id=check.id,
        claim=check.claim,
        points=check.points,
        status=Status.COULD_NOT_CHECK,
        expected="a check that could be made",
        actual=reason,
        hint="This is not your doing. Try again later, or tell whoever runs the course.",
    )


_MARKS = {Status.PASSED: "✓ passed", Status.FAILED: "✗ failed", Status.COULD_NOT_CHECK: "? not checked"}


def _details(outcome: Outcome) -> str:
    if outcome.status is Status.PASSED:
        return ""
    lines = {"expected": outcome.expected, "seen": outcome.actual, "hint": outcome.hint}
    return "".join(f"<br><i>{name}:</i> {escape(text)}" for name, text in lines.items() if text)
