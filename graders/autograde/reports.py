"""The report takes the place of running the notebook: it is put into the cell that asks for it.

Enters: a notebook whose cells are the instructor's, and reports, or a submission to replay. Leaves: the notebook with
the outputs that `check("NAME")` would have left. May import nbgrader, `graders.judge` and its neighbours.

No cell is run, neither the student's nor the test cells: no code of a submission ever meets the graders' Python.
"""

import ast
import json
from pathlib import Path
from typing import Any

from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from graders.intake import released_notebook, take_in
from graders.ledger import REPORT
from graders.rubric import Level, Report, could_not_check
from graders.rubrics import GRADINGS, find_grading


class PutReports(NbGraderPreprocessor):  # type: ignore[misc]
    """Stands in nbgrader's list where Execute stood."""

    folder = Unicode("", help="Where the reports are, a file STUDENT.json each; empty: replay now.").tag(config=True)
    level = Unicode("", help="The level to replay at; empty: the best that there is.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Empty every code cell, and answer those that ask for a report."""
        info, report = resources["nbgrader"], None
        for number, cell in enumerate(nb.cells, 1):
            if cell.cell_type != "code":
                continue
            cell.outputs, cell.execution_count = [], None
            asked = asks_for(cell.source) if utils.is_grade(cell) and not utils.is_solution(cell) else None
            if asked == info["assignment"] and asked in GRADINGS:
                report = report or self._report(info)
                cell.execution_count = number
                shown = report._repr_mimebundle_()
                cell.outputs = [new_output("execute_result", shown, execution_count=number)]
        return nb, resources

    def _report(self, info: Any) -> Report:
        name, student = info["assignment"], info["student"]
        if not self.folder:
            return self._replay(name, student)
        path = Path(self.folder) / f"{student}.json"
        if not path.is_file():
            return could_not_check(find_grading(name).rubric, "it has not been replayed")
        return Report.from_json(json.loads(path.read_text(encoding="utf-8"))[REPORT])

    def _replay(self, name: str, student: str) -> Report:
        from course.assignments import find_assignment
        from graders.judge import judge_submission

        assignment, level = find_assignment(name), Level(self.level) if self.level else None
        courses = self.parent.parent.coursedir  # the exporter's converter
        folder = Path(courses.format_path(courses.submitted_directory, student, name))
        return judge_submission(name, take_in(assignment, folder, released_notebook(assignment)), level)


def asks_for(source: str) -> str | None:
    """The assignment that a test cell asks about, by `check("NAME")` in its last line; None where it does not."""
    try:
        lines = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    match lines[-1] if lines else None:
        case ast.Expr(value=ast.Call(func=ast.Name(id="check"), args=[ast.Constant(value=str(name))], keywords=[])):
            return name
    return None
