"""The rubric of the `capstone` assignment."""

from graders.checks import (
    whole_answers,
    whole_keeps_packages,
    whole_names_its_volumes,
    whole_new_code,
    whole_nothing_leaks_in,
    whole_publishes_api_only,
    whole_survives,
)
from graders.evidence.capstone import CapstoneEvidence, gather
from graders.rubric import Rubric
from graders.rubrics import Grading

RUBRIC: Rubric[CapstoneEvidence] = Rubric(
    assignment="capstone",
    checks=(
        whole_answers.CHECK,
        whole_survives.CHECK,
        whole_new_code.CHECK,
        whole_keeps_packages.CHECK,
        whole_publishes_api_only.CHECK,
        whole_names_its_volumes.CHECK,
        whole_nothing_leaks_in.CHECK,
    ),
)

GRADING = Grading(
    rubric=RUBRIC,
    gather=gather,
    images=("node:24-slim", "busybox:stable", "postgres:17"),
    pictures={"source_edited": "Built again after an edit of the source"},
)
