"""A submitted notebook as nbgrader may see it: the instructor's, with the student's answers in it.

Enters: the path of a submitted notebook, whatever it holds. Leaves: what nbgrader's converter reads in its place. May
import nbgrader, nbconvert and `graders.intake`.

Without it, a newer schema version or a doubled cell id in one notebook ends nbgrader's run for the whole class
(nbgrader/converters/base.py, convert_notebooks).
"""

from pathlib import Path
from typing import Any, cast

import nbformat
from nbconvert.exporters import NotebookExporter

from course.assignments import find_assignment
from graders.intake import released_notebook, with_answers


class RebuildingExporter(NotebookExporter):
    """Autograde's `exporter_class`."""

    def from_filename(self, filename: str, resources: Any = None, **settings: Any) -> tuple[Any, Any]:
        """Convert a notebook; one that was submitted is rebuilt, any other is read as it is."""
        info = resources["nbgrader"]
        courses = cast(Any, self.parent).coursedir  # the converter's
        submitted = courses.format_path(courses.submitted_directory, info["student"], info["assignment"])
        if Path(filename).parent != Path(submitted):
            return super().from_filename(filename, resources=resources, **settings)
        released = released_notebook(find_assignment(info["assignment"]))
        rebuilt, notes = with_answers(released, Path(filename))
        for note in notes:
            self.log.warning("%s of %s: %s", info["assignment"], info["student"], note)
        resources["metadata"] = {"name": info["notebook"], "path": submitted}
        notebook = nbformat.reads(rebuilt, as_version=4)
        converted: tuple[Any, Any] = cast(Any, self).from_notebook_node(notebook, resources=resources, **settings)
        return converted
