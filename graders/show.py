"""A report while it comes in: a table in the notebook that fills up, and at its end makes way for the report itself.

Enters: outcomes as data, one by one. Leaves: a display. May import `graders.rubric` and `graders.rubrics`.
"""

from html import escape
from typing import Any

from IPython.display import DisplayHandle, display

from graders.findings import StaticFinding, findings_html
from graders.rubric import Outcome, Report, Status, row_html, table_html
from graders.rubrics import find_grading


class ReportPicture:
    """The checks of an assignment, and what is known of each."""

    def __init__(self, assignment: str) -> None:
        self._assignment = assignment
        self._checks = find_grading(assignment).rubric.checks
        self._known: dict[str, Outcome] = {}
        self._findings: tuple[StaticFinding, ...] = ()
        self._doing = "starting the replay engine"
        self._handle: DisplayHandle | None = display(self, display_id=True)

    def follow(self, event: dict[str, Any]) -> None:
        """Take in an outcome, what was noticed beside the checks, or what is being done."""
        if "outcome" in event:
            outcome = Outcome(**{**event["outcome"], "status": Status(event["outcome"]["status"])})
            self._known[outcome.id] = outcome
            self._doing = "replaying your files"
        elif "findings" in event:
            self._findings = tuple(StaticFinding(**one) for one in event["findings"])
        else:
            self._doing = event["doing"]
        self._update(self)

    def finish(self, report: Report) -> None:
        """Make way for the report, which is the cell's result."""
        self._update(_Nothing())

    def __repr__(self) -> str:
        return f"{self._assignment}: {len(self._known)} of {len(self._checks)} checks made; {self._doing}"

    def _repr_html_(self) -> str:
        rows = "".join(
            row_html(self._known[check.id]) if check.id in self._known else _waiting(check.claim)
            for check in self._checks
        )
        return table_html(f"{self._assignment}: {self._doing} …", rows) + findings_html(self._findings)

    def _update(self, shown: object) -> None:
        if self._handle is not None:
            self._handle.update(shown)


class _Nothing:
    def __repr__(self) -> str:
        return ""


def _waiting(claim: str) -> str:
    pale = "text-align:left;opacity:0.6"
    return f"<tr><td style='{pale}'>… not yet</td><td style='{pale}'>{escape(claim)}</td><td></td></tr>"
