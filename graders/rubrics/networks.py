"""The rubric of the `networks` assignment."""

from graders.checks import (
    addresses_do_not_matter,
    api_reaches_db,
    counter_counts,
    networks_are_its_own,
    only_web_is_published,
    web_misses_db,
    web_reaches_api,
)
from graders.evidence.networks import NetworksEvidence, gather
from graders.rubric import Rubric
from graders.rubrics import Grading

RUBRIC: Rubric[NetworksEvidence] = Rubric(
    assignment="networks",
    checks=(
        counter_counts.CHECK,
        web_reaches_api.CHECK,
        api_reaches_db.CHECK,
        web_misses_db.CHECK,
        only_web_is_published.CHECK,
        networks_are_its_own.CHECK,
        addresses_do_not_matter.CHECK,
    ),
)

GRADING = Grading(
    rubric=RUBRIC,
    gather=gather,
    images=("node:24-slim", "redis:7", "busybox:stable"),
    pictures={"surveyed": "Who is where, and who reaches whom"},
)
