"""The rubric of the `layers` assignment."""

from graders.checks import (
    answers_as_before,
    counts_added_layers,
    finds_largest_layer,
    image_is_light,
    new_page_arrives,
    nothing_hidden_weighs,
    toolkit_stays_behind,
    weighs_the_unseen,
)
from graders.evidence.layers import BASE, LayersEvidence, gather
from graders.rubric import Rubric
from graders.rubrics import Grading

RUBRIC: Rubric[LayersEvidence] = Rubric(
    assignment="layers",
    checks=(
        counts_added_layers.CHECK,
        finds_largest_layer.CHECK,
        weighs_the_unseen.CHECK,
        answers_as_before.CHECK,
        new_page_arrives.CHECK,
        nothing_hidden_weighs.CHECK,
        toolkit_stays_behind.CHECK,
        image_is_light.CHECK,
    ),
)

GRADING = Grading(rubric=RUBRIC, gather=gather, images=(BASE,), pictures={"layers": "The layers of your image"})
