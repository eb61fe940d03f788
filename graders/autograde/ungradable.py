"""What could not be graded stays without a grade.

Enters: a notebook with reports in it. Leaves: in the gradebook, "needs manual grading" in place of a score. May import
nbgrader and `graders.rubric`.

nbgrader gives a cell with an error 0 and a cell without a number full marks (nbgrader/utils.py, determine_grade); both
would be wrong here. A cell without a score waits for a person in Formgrader.
"""

from typing import Any

from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from graders.rubric import REPORT_MIME


class KeepUngraded(NbGraderPreprocessor):  # type: ignore[misc]
    """Runs right after SaveAutoGrades and takes back the score of every cell whose report is not gradable."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """Look at one cell."""
        by_a_test = utils.is_grade(cell) and not utils.is_solution(cell) and cell.cell_type == "code"
        if by_a_test and _could_not_be_graded(cell):
            info = resources["nbgrader"]
            with Gradebook(info["db_url"]) as gradebook:
                grade = gradebook.find_grade(
                    cell.metadata["nbgrader"]["grade_id"], info["notebook"], info["assignment"], info["student"]
                )
                grade.auto_score = None
                grade.needs_manual_grade = True
                gradebook.db.commit()
            self.log.warning("%s of %s could not be graded", info["assignment"], info["student"])
        return cell, resources


def _could_not_be_graded(cell: Any) -> bool:
    """By the report that the cell shows; a test cell without one asks for something else, which nobody has run."""
    for output in cell.outputs:
        if output.output_type == "error":
            return True
        report = output.get("data", {}).get(REPORT_MIME)
        if report is not None:
            return not report["gradable"]
    return True
