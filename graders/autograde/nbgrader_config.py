"""nbgrader's configuration for the course: `nbgrader COMMAND order --config graders/autograde/nbgrader_config.py`.

Everything that nbgrader writes goes to build/, which git ignores, or to the folder that LAYER_BY_LAYER_CLASS names.
"""

import os
import sys
from pathlib import Path

from course.assignments import find_assignment
from graders.autograde.exporter import RebuildingExporter
from graders.autograde.hooks import add_app, keep_artifacts
from graders.autograde.place import PROJECT, STEPS, class_folder
from graders.autograde.reports import PutReports
from graders.autograde.ungradable import KeepUngraded

c = get_config()  # noqa: F821  (traitlets defines it)
CLASS = class_folder()
CLASS.mkdir(parents=True, exist_ok=True)
INSIDE = CLASS.is_relative_to(PROJECT)

# nbgrader calls `alembic` by its name, which lies beside Python in an environment that nobody has activated.
BESIDE, SEARCHED = str(Path(sys.executable).parent), os.environ.get("PATH", "")
if BESIDE not in SEARCHED.split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join([BESIDE, SEARCHED])

c.CourseDirectory.root = str(PROJECT if INSIDE else CLASS)
c.CourseDirectory.course_id = "layer-by-layer"
SOURCE = PROJECT / "notebooks/assignments"
c.CourseDirectory.source_directory = "notebooks/assignments" if INSIDE else str(SOURCE)
for step in STEPS:
    setattr(c.CourseDirectory, f"{step}_directory", f"{CLASS.relative_to(PROJECT)}/{step}" if INSIDE else step)
c.CourseDirectory.db_url = f"sqlite:///{CLASS / 'gradebook.db'}"

# The solution exists once, beside the source, and is neither released nor copied over a student's file.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "solution", "assignment.json"]
ASSIGNMENTS = sorted(path.parent.name for path in SOURCE.glob("*/assignment.json"))
c.Autograde.exclude_overwriting = {name: list(find_assignment(name).artifacts) for name in ASSIGNMENTS}
c.GenerateAssignment.post_convert_hook = add_app

# A submitted notebook is text: it is rebuilt from the instructor's, and no cell of it is run.
c.Autograde.exporter_class = RebuildingExporter
c.Autograde.post_convert_hook = keep_artifacts

# What could not be graded must not become a zero: it waits for a person instead.
c.Autograde.autograde_preprocessors = [
    PutReports,
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    KeepUngraded,
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# nbgrader puts the tests that students were not shown back into the cells, and would show them in the feedback.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# When a submission is late and what that costs is set by `graders due`.
c.AssignLatePenalties.plugin_class = "graders.autograde.late.LatePenalty"
