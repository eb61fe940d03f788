"""The rubric of the `volumes` assignment."""

from graders.checks import (
    app_is_published,
    data_has_a_name,
    data_is_shared,
    data_survives,
    database_takes_data,
    edit_is_served,
    packages_stay,
)
from graders.evidence.volumes import VolumesEvidence, gather
from graders.rubric import Rubric
from graders.rubrics import Grading

RUBRIC: Rubric[VolumesEvidence] = Rubric(
    assignment="volumes",
    checks=(
        database_takes_data.CHECK,
        data_survives.CHECK,
        data_has_a_name.CHECK,
        data_is_shared.CHECK,
        app_is_published.CHECK,
        edit_is_served.CHECK,
        packages_stay.CHECK,
    ),
)

GRADING = Grading(
    rubric=RUBRIC,
    gather=gather,
    images=("mongo:8", "node:24-slim", "busybox:stable"),
    pictures={"lineage": "Brought up, written to, taken down and brought up again"},
)
