"""The nouns of grading: checks make a rubric, outcomes make a report.

Enters: evidence, as some frozen dataclass. Leaves: `Report`, as a table for people, JSON for programs and a number for
nbgrader. Pure; may import `graders.findings` and `graders.pictures`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from html import escape
from typing import Any, Generic, TypeVar, cast

from graders.findings import StaticFinding, findings_html, visible
from graders.pictures import Picture

Evidence = TypeVar("Evidence")
REPORT_MIME = "application/vnd.layer-by-layer.report+json"


class Status(StrEnum):
    """What a check found. What could not be checked is neither right nor wrong."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    COULD_NOT_CHECK = "COULD_NOT_CHECK"


class Level(StrEnum):
    """What stood between a submission and the machine: a container on its engine, which holds back mistakes and no
    attacker, or a virtual machine.
    """

    UNSANDBOXED = "unsandboxed"
    ISOLATED = "isolated"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a judge saw: whether the claim holds, what was there, and a `hint` where the check's own would mislead."""

    holds: bool
    actual: str
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Check(Generic[Evidence]):
    """One `claim` about a submission, in the learner's words. `judge` is a pure function of the evidence.

    `needs` names the parts of the evidence that `judge` reads; it is asked when all of them are there. `expected` and
    `hint` are for the learner, the hint without the answer; `wrong` and `right` are examples for the check's help page.
    """

    id: str
    claim: str
    points: float
    judge: Callable[[Evidence], Finding]
    needs: tuple[str, ...]
    expected: str
    hint: str
    wrong: str
    right: str


@dataclass(frozen=True, kw_only=True)
class Gathered(Generic[Evidence]):
    """The evidence as far as it is known: the parts that are `ready`, those that cannot be had through no fault of the
    submission (`missing`, with the reason), and those that it has itself made impossible (`problems`, with the reason).
    """

    evidence: Evidence
    ready: frozenset[str] = frozenset()
    missing: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def have(self, **parts: Any) -> "Gathered[Evidence]":
        """These parts are known now."""
        evidence = replace(cast(Any, self.evidence), **parts)
        return replace(self, evidence=evidence, ready=self.ready | frozenset(parts))

    def lack(self, reason: str, *parts: str) -> "Gathered[Evidence]":
        """These parts cannot be had, and that is not the student's doing."""
        return replace(self, missing={**dict.fromkeys(parts, reason), **self.missing})

    def fail(self, reason: str, *parts: str) -> "Gathered[Evidence]":
        """These parts cannot be had because of what was submitted."""
        return replace(self, problems={**dict.fromkeys(parts, reason), **self.problems})

    def settles(self, check: "Check[Evidence]") -> bool:
        """Whether all that a check needs is known, or known to be out of reach."""
        return set(check.needs) <= self.ready | set(self.missing) | set(self.problems)


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

    def to_json(self) -> dict[str, Any]:
        """One of the outcomes that `graders check --json` prints."""
        return {**asdict(self), "status": self.status.value}


@dataclass(frozen=True, kw_only=True)
class Report:
    """All outcomes of one submission. `gradable` is False as soon as one check could not be made.

    `findings` are what was noticed beside the checks; they count for nothing. `level` says where it was replayed,
    and is None where it was not. `pictures` show best what the checks saw.
    """

    assignment: str
    outcomes: tuple[Outcome, ...]
    findings: tuple[StaticFinding, ...] = ()
    level: Level | None = None
    pictures: tuple[Picture, ...] = ()

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
        """The object that `graders check --json` prints; with `findings`, `level`, `pictures` where there are any."""
        findings = {"findings": [one.to_json() for one in self.findings]} if self.findings else {}
        level = {"level": self.level.value} if self.level else {}
        pictures = {"pictures": [one.to_json() for one in self.pictures]} if self.pictures else {}
        return {
            "assignment": self.assignment,
            "score": self.score,
            "max_score": self.max_score,
            "gradable": self.gradable,
            "outcomes": [outcome.to_json() for outcome in self.outcomes],
            **findings,
            **level,
            **pictures,
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Report":
        """The report that `to_json` wrote."""
        outcomes = (Outcome(**{**one, "status": Status(one["status"])}) for one in data["outcomes"])
        findings = (StaticFinding(**one) for one in data.get("findings", ()))
        level = Level(data["level"]) if "level" in data else None
        pictures = (Picture.from_json(one) for one in data.get("pictures", ()))
        return Report(
            assignment=data["assignment"],
            outcomes=tuple(outcomes),
            findings=tuple(findings),
            level=level,
            pictures=tuple(pictures),
        )

    def __repr__(self) -> str:
        """The score alone: nbgrader reads a cell's result as a number (nbgrader/utils.py, get_partial_grade)."""
        return f"{self.score:g}" if self.gradable else "could not be graded"

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return {"text/plain": repr(self), "text/html": self.to_html(), REPORT_MIME: self.to_json()}

    def to_html(self) -> str:
        """A table and pictures that need no style sheet and no script, and in which everything is escaped."""
        total = f"{self.score:g} of {self.max_score:g}" if self.gradable else "could not be graded"
        rows = "".join(row_html(outcome) for outcome in self.outcomes)
        level = f"<p>{LEVELS[self.level]}</p>" if self.level else ""
        pictures = "".join(one.to_html() for one in self.pictures)
        return table_html(f"{self.assignment}: {total}", rows) + findings_html(self.findings) + level + pictures


@dataclass(frozen=True, kw_only=True)
class Rubric(Generic[Evidence]):
    """The checks of an assignment, in the order in which a learner reads them."""

    assignment: str
    checks: tuple[Check[Evidence], ...] = field(default=())

    def judge(self, gathered: Gathered[Evidence]) -> Report:
        """Ask every judge."""
        return Report(assignment=self.assignment, outcomes=tuple(outcome(check, gathered) for check in self.checks))


def could_not_check(rubric: Rubric[Any], reason: str) -> Report:
    """The report when no evidence at all could be had, through no fault of the submission."""
    return Report(assignment=rubric.assignment, outcomes=tuple(_unknown(check, reason) for check in rubric.checks))


def outcome(check: Check[Evidence], gathered: Gathered[Evidence]) -> Outcome:
    """What becomes of one check; a part that is neither there nor accounted for is the graders' own fault."""
    if reasons := _reasons(check.needs, gathered.missing):
        return _unknown(check, reasons)
    if reasons := _reasons(check.needs, gathered.problems):
        finding = Finding(holds=False, actual=reasons)
    elif not gathered.settles(check):
        return _unknown(check, "the graders did not come to it")
    else:
        finding = check.judge(gathered.evidence)
    return Outcome(
        id=check.id,
        claim=check.claim,
        points=check.points,
        status=Status.PASSED if finding.holds else Status.FAILED,
        expected=check.expected,
        actual=visible(finding.actual),
        hint="" if finding.holds else finding.hint or check.hint,
    )


def _reasons(needs: Sequence[str], known: Mapping[str, str]) -> str:
    return "; ".join(dict.fromkeys(known[need] for need in needs if need in known))


def _unknown(check: Check[Any], reason: str) -> Outcome:
    return Outcome(
        id=check.id,
        claim=check.claim,
        points=check.points,
        status=Status.COULD_NOT_CHECK,
        expected=check.expected,
        actual=visible(reason),
        hint="This is not your doing. Try again later, or tell whoever runs the course.",
    )


_MARKS = {Status.PASSED: "✓ passed", Status.FAILED: "✗ failed", Status.COULD_NOT_CHECK: "? not checked"}
LEVELS = {
    Level.UNSANDBOXED: "Level: unsandboxed (replayed in a container, which holds back mistakes, not attackers).",
    Level.ISOLATED: "Level: isolated (replayed in a virtual machine).",
}
_CELL = "text-align:left;vertical-align:top;padding:4px 10px"


def _details(outcome: Outcome) -> str:
    if outcome.status is Status.PASSED:
        return ""
    lines = {"expected": outcome.expected, "seen": outcome.actual, "hint": outcome.hint}
    return "".join(f"<br><i>{name}:</i> {escape(text)}" for name, text in lines.items() if text)


def table_html(caption: str, rows: str) -> str:
    """A table of rows that are HTML already."""
    head = f"<caption style='text-align:left'><b>{escape(caption)}</b></caption>"
    return f"<table>{head}<tbody>{rows}</tbody></table>"


def row_html(outcome: Outcome) -> str:
    """One outcome as a row; everything in it is escaped."""
    got = outcome.points if outcome.status is Status.PASSED else 0
    return (
        f"<tr><td style='{_CELL};white-space:nowrap'>{_MARKS[outcome.status]}</td>"
        f"<td style='{_CELL}'>{escape(outcome.claim)}{_details(outcome)}</td>"
        f"<td style='{_CELL};white-space:nowrap'>{got:g} of {outcome.points:g}</td></tr>"
    )
