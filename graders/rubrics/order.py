"""The rubric of the `order` assignment."""

from graders.checks import (
    builds_and_answers,
    nothing_leaks_in,
    package_edit_arrives,
    readme_edit_runs_nothing,
    schema_edit_arrives,
    schema_edit_keeps_install,
    source_edit_arrives,
    source_edit_keeps_client,
    source_edit_keeps_install,
)
from graders.evidence.order import OrderEvidence, gather
from graders.rubric import Rubric
from graders.rubrics import Grading

RUBRIC: Rubric[OrderEvidence] = Rubric(
    assignment="order",
    checks=(
        builds_and_answers.CHECK,
        source_edit_keeps_install.CHECK,
        source_edit_keeps_client.CHECK,
        schema_edit_keeps_install.CHECK,
        readme_edit_runs_nothing.CHECK,
        source_edit_arrives.CHECK,
        package_edit_arrives.CHECK,
        schema_edit_arrives.CHECK,
        nothing_leaks_in.CHECK,
    ),
)

GRADING = Grading(
    rubric=RUBRIC,
    gather=gather,
    images=("node:24-slim", "busybox:stable"),
    pictures={
        "source_edited": "Built again after an edit of the source",
        "schema_edited": "Built again after an edit of the schema",
        "readme_edited": "Built again after an edit of README.md",
    },
)
