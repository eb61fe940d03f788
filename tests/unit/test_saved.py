"""Pictures out of saved JSON: the same as of what was saved."""

import json
from dataclasses import asdict
from typing import Any

import gallery
import pytest

from course.builds.model import BuildError, BuildTrace
from course.cache.nouns import Prediction
from course.images import ImageLayers
from course.lab import Reach, Setup
from course.lab.lineage import Lineage
from course.saved import read
from course.widgets import BuildHistory, Built, LayerExplorer, LayerStack, NetworkMap, VolumeLineage


def again(data: Any) -> Any:
    """Through a file."""
    return json.loads(json.dumps(data))


def test_a_build_and_its_prediction_are_drawn_from_json_as_they_were() -> None:
    trace, predictions = gallery.trace(*gallery.BROKEN), gallery.predictions()
    read_trace = read(BuildTrace, again(trace.to_json(logs=True)))
    read_predictions = [Prediction.from_json(again(one.to_json())) for one in predictions]
    assert tuple(read_predictions) == predictions
    drawn = LayerStack(read_trace, predictions=read_predictions, sizes_bytes={"0/3": 52_000_000}, title="One comment")
    assert drawn.drawing == gallery.stack().drawing


def test_builds_over_time_are_drawn_from_json_as_they_were() -> None:
    builds = [read(Built, again(asdict(one))) for one in gallery.history().builds]
    assert BuildHistory(builds).drawing == gallery.history().drawing


def test_an_image_a_set_up_and_a_lineage_are_drawn_from_json_as_they_were() -> None:
    image, other = (
        read(ImageLayers, again(one.to_json())) for one in (gallery.image(), gallery.image(1, name="web:1"))
    )
    assert LayerExplorer(image, other=other).drawing == gallery.layers().drawing
    setup, reaches = gallery.setup(), gallery.reaches()
    drawn = NetworkMap(read(Setup, again(setup.to_json())), [read(Reach, again(asdict(one))) for one in reaches])
    assert drawn.drawing == gallery.network().drawing
    assert VolumeLineage(read(Lineage, again(gallery.story().to_json()))).drawing == gallery.lineage().drawing


def test_what_may_be_missing_may_be_missing_and_an_error_keeps_its_line() -> None:
    trace = BuildTrace(steps=(), error=BuildError(message="no", line=3), seconds=1)
    assert read(BuildTrace, again(trace.to_json())) == trace
    assert read(BuildTrace, {"steps": []}) == BuildTrace(steps=())


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "BuildTrace has no steps"),
        ({"steps": "x"}, "BuildTrace.steps is no list"),
        ({"steps": [{"stage": 1}]}, r"BuildTrace.steps\[0\].stage is no str: 1"),
        ([], "BuildTrace is no object"),
    ],
)
def test_other_json_is_refused_with_its_place(data: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read(BuildTrace, data)
