"""nbgrader's gradebook: the one place that writes into it, by nbgrader's own converters.

Enters: an assignment and a student, whose clean copy and report are in the class's folder. Leaves: grades, and what
nbgrader writes beside them. May import nbgrader and its neighbours.
"""

import glob
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from sqlalchemy.exc import SAWarning, SQLAlchemyError

from course.errors import CourseError
from graders.autograde.place import class_folder, clean_folder, load_config, reports_folder

Grades = Mapping[str, float | None]
"""What nbgrader holds for the cells that are graded by a machine: None where a person has to."""


@contextmanager
def open_gradebook(config: Any = None) -> Iterator[Any]:
    """nbgrader's own view of the gradebook of the class in hand, which is made where there is none."""
    from nbgrader.api import Gradebook  # takes a second

    directory = (config or load_config()).CourseDirectory
    try:
        with Gradebook(str(directory.db_url), str(directory.course_id)) as book:
            yield book
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error))
        fix = "close what has it open; after an update of nbgrader: `nbgrader db upgrade`"
        raise CourseError(f"The gradebook cannot be read: {reason}.", fix=fix) from error


class Book:
    """What `graders run` does with it."""

    def __init__(self) -> None:
        self._config = load_config()

    def knows(self, assignment: str) -> bool:
        """Whether the assignment has been released."""
        from nbgrader.api import MissingEntry

        with open_gradebook(self._config) as book:
            try:
                return bool(book.find_assignment(assignment).notebooks)
            except MissingEntry:
                return False

    def release(self, assignment: str) -> None:
        """`nbgrader generate_assignment`: what students get, and the cells into the gradebook."""
        from nbgrader.converters import GenerateAssignment

        self._convert(GenerateAssignment, self._config, assignment, ".")

    def record(self, assignment: str, student: str) -> Grades:
        """`nbgrader autograde` of the student's clean copy, with the report that is there; manual scores stay."""
        from nbgrader.converters import Autograde

        config = deepcopy(self._config)
        folder, root = clean_folder(), str(config.CourseDirectory.root)
        config.CourseDirectory.submitted_directory = str(folder.relative_to(root))
        config.PutReports.folder = str(reports_folder(assignment))
        self._convert(Autograde, config, assignment, student)
        with open_gradebook(self._config) as book:
            return _grades(book.find_submission(assignment, student))

    def grades(self, assignment: str) -> dict[str, Grades]:
        """What the gradebook holds, by student; nothing for who has not been graded."""
        with open_gradebook(self._config) as book:
            return {one.student_id: _grades(one) for one in book.assignment_submissions(assignment)}

    def write_feedback(self, assignment: str, student: str) -> None:
        """`nbgrader generate_feedback`: a page that the student may see."""
        from nbgrader.converters import GenerateFeedback

        self._convert(GenerateFeedback, self._config, assignment, student)

    def has_autograded(self, assignment: str, student: str) -> bool:
        """Whether the notebook with the report in it is there, of which feedback is made."""
        return (class_folder() / "autograded" / student / assignment / f"{assignment}.ipynb").is_file()

    def _convert(self, converter: Any, config: Any, assignment: str, student: str) -> None:
        from nbgrader.converters import NbGraderException
        from nbgrader.coursedir import CourseDirectory

        if glob.escape(student) != student:  # it reads names as patterns, twice (converters/base.py, init_notebooks)
            fix = "give the folder another name"
            raise CourseError(f"nbgrader cannot take a student whose name has a *, ? or [: {student}", fix=fix)
        courses = CourseDirectory(config=config)
        courses.assignment_id = assignment
        courses.student_id = student
        made = converter(coursedir=courses, config=config)
        made.force = True
        with _errors(made.log) as said, warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=SAWarning)  # of nbgrader's own objects, each time it adds one
            try:
                made.start()
            except NbGraderException as error:
                last = next((line for line in reversed(said) if line), str(error))
                raise CourseError(f"nbgrader: {last}", fix="`graders doctor`") from error


def _grades(submission: Any) -> Grades:
    every = (grade for notebook in submission.notebooks for grade in notebook.grades)
    return {grade.name: grade.auto_score for grade in every if grade.cell_type == "code"}


@contextmanager
def _errors(log: Any) -> Iterator[list[str]]:
    """The last lines of the errors that are logged meanwhile: nbgrader tells them nobody else."""
    said: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage().strip().rpartition("\n")[2])

    listener = Listener(level=logging.ERROR)
    log.addHandler(listener)
    try:
        yield said
    finally:
        log.removeHandler(listener)
