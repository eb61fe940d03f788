"""nbgrader's configuration for the course: `nbgrader COMMAND order --config graders/autograde/nbgrader_config.py`.

Everything that nbgrader writes goes to build/, which git ignores.
"""

import os
import sys
from pathlib import Path

from course.assignments import find_assignment
from graders.autograde.hooks import add_app
from graders.autograde.ungradable import KeepUngraded

c = get_config()  # noqa: F821  (traitlets defines it)
PROJECT = Path(__file__).resolve().parents[2]
BUILD = PROJECT / "build/nbgrader"
BUILD.mkdir(parents=True, exist_ok=True)

# nbgrader calls `alembic` by its name, which lies beside Python in an environment that nobody has activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

c.CourseDirectory.root = str(PROJECT)
c.CourseDirectory.course_id = "layer-by-layer"
c.CourseDirectory.source_directory = "notebooks/assignments"
for step in ("release", "submitted", "autograded", "feedback", "source_with_tests", "solution"):
    setattr(c.CourseDirectory, f"{step}_directory", f"build/nbgrader/{step}")
c.CourseDirectory.db_url = f"sqlite:///{BUILD / 'gradebook.db'}"

# The solution exists once, beside the source, and is neither released nor copied over a student's file.
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "solution", "assignment.json"]
ASSIGNMENTS = sorted(path.parent.name for path in (PROJECT / "notebooks/assignments").glob("*/assignment.json"))
c.Autograde.exclude_overwriting = {name: list(find_assignment(name).artifacts) for name in ASSIGNMENTS}
c.GenerateAssignment.post_convert_hook = add_app

# A replay builds the image four times.
c.Execute.timeout = 1200

# What could not be graded must not become a zero: it waits for a person instead.
c.Autograde.autograde_preprocessors = [
    "nbgrader.preprocessors.Execute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    KeepUngraded,
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# When a submission is late and what that costs is set by `graders due`.
c.AssignLatePenalties.plugin_class = "graders.autograde.late.LatePenalty"
