"""What a late submission loses, by nbgrader's own mechanism.

Enters: when an assignment was due and when a submission came, both in the gradebook, and the rule, in
CLASS/late.json. Leaves: points. May import nbgrader, `course.errors` and its neighbours.

nbgrader's AssignLatePenalties asks a plugin once for each late notebook, and takes care that no score falls below 0
(nbgrader/preprocessors/assignlatepenalties.py). The plugin is not told of which assignment; its parent knows.
"""

import json
import math
import re
from typing import Any, Final

from nbgrader.plugins import LateSubmissionPlugin

from course.errors import CourseError
from graders.autograde.place import class_folder

DAY_SECONDS: Final = 24 * 60 * 60
NONE: Final = "none"


def check_rule(rule: str) -> str:
    """`none`, `zero` or a percentage a day; raises `CourseError` for anything else."""
    if rule in (NONE, "zero") or (re.fullmatch(r"\d{1,3}(?:\.\d+)?%", rule) and float(rule[:-1]) <= 100):
        return rule
    fix = "none, zero, or how much of the points possible each day begun costs: 10%"
    raise CourseError(f"{rule!r} is no penalty.", fix=fix)


def penalty(rule: str, score: float, max_score: float, seconds_late: float) -> float:
    """The points that a notebook loses, at most all it has; each day begun counts in full."""
    if seconds_late <= 0 or rule == NONE:
        return 0.0
    if rule == "zero":
        return score
    days = math.ceil(seconds_late / DAY_SECONDS)
    return min(score, max(0.0, float(rule[:-1]) / 100 * max_score * days))


def rule_of(assignment: str) -> str:
    """The rule of an assignment; `none` where there is none."""
    return _rules().get(assignment, NONE)


def set_rule(assignment: str, rule: str) -> None:
    """Keep the rule of an assignment."""
    path = class_folder() / "late.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({**_rules(), assignment: check_rule(rule)}, indent=1), encoding="utf-8")
    partial.replace(path)


def _rules() -> dict[str, str]:
    path = class_folder() / "late.json"
    try:
        return {str(name): check_rule(rule) for name, rule in json.loads(path.read_text(encoding="utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise CourseError(f"{path} cannot be read.", fix="remove it, and give the penalties again") from error


class LatePenalty(LateSubmissionPlugin):  # type: ignore[misc]
    """The rule that `graders due` has set."""

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Called by nbgrader for one late notebook."""
        asking: Any = self.parent
        notebook = asking.gradebook.find_submission_notebook(asking.notebook_id, asking.assignment_id, student_id)
        return penalty(rule_of(asking.assignment_id), score, notebook.max_score, total_seconds_late) or None
