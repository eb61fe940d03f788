"""The static picture of a build, and the text that says the same."""

import xml.etree.ElementTree as ElementTree

import gallery

from course.builds.model import BuildTrace, Status, StepTrace
from course.widgets import show
from course.widgets.stack import LOOK, ROW, draw_stack, make_rows, the_break


def step(line: int, status: Status, *, text: str = "RUN x", seconds: float = 0.0, stage: str = "0") -> StepTrace:
    return StepTrace(
        stage=stage, index=line - 1, line=line, instruction="RUN", text=text, status=status, seconds=seconds
    )


def broken(*statuses: Status) -> int | None:
    trace = BuildTrace(steps=tuple(step(number, status) for number, status in enumerate(statuses, 1)))
    return the_break(make_rows(trace, (), {}))


def test_the_break_is_the_first_step_that_ran_above_a_reused_one() -> None:
    statuses = (Status.REUSED, Status.METADATA, Status.RAN, Status.RAN)
    assert broken(*statuses) == 2


def test_nothing_breaks_when_all_was_reused_or_all_ran() -> None:
    assert broken(Status.REUSED, Status.REUSED) is None
    assert broken(Status.RAN, Status.RAN) is None


def test_the_picture_is_well_formed_whatever_the_dockerfile_says() -> None:
    nasty = 'RUN echo "<&>\'" && x\nsecond line'
    trace = BuildTrace(steps=(step(1, Status.REUSED), step(2, Status.FAILED, text=nasty, seconds=1.25)), seconds=2)
    picture = draw_stack(trace, title="A <title> & more")
    root = ElementTree.fromstring(picture.svg)
    words = "".join(root.itertext())
    assert 'RUN echo "<&>\'" && x' in words
    assert "second line" not in words
    assert "✗ failed" in words
    assert root.attrib["aria-label"] == picture.text


def test_every_status_has_a_mark_and_a_word_of_its_own() -> None:
    assert set(LOOK) == set(Status)
    assert len({word for _, word, _ in LOOK.values()}) == len(Status)


def test_the_text_says_where_it_broke_and_how_long_it_took() -> None:
    text = repr(show(BuildTrace(steps=(step(1, Status.REUSED), step(2, Status.RAN, seconds=3)), seconds=3.5), "Mine"))
    assert text.splitlines()[0] == "Mine: 3.5 s"
    assert "the break: line 2" in text
    assert "3.0 s" in text


def test_stages_are_named_where_there_are_several() -> None:
    trace = BuildTrace(steps=(step(1, Status.RAN, stage="build"), step(2, Status.RAN, stage="1")))
    assert "build: RUN x" in show(trace).svg


def test_a_picked_step_shows_its_line_its_log_and_its_reason() -> None:
    panels = gallery.stack().drawing.panels
    told = {part.heading: part.text for part in panels["0/3"]}
    assert told == {
        "Line 4": "RUN npm ci",
        "Predicted": "reuse",
        "What happened": "ran, in 9.2 s",
        "What it printed": "added 123 packages",
    }
    assert "src/index.js has other content." in {part.heading: part.text for part in panels["0/2"]}["Predicted"]


def test_a_line_runs_along_all_that_the_break_pulled_down() -> None:
    """From below the first step that ran to the top of the last one, and not past the metadata above that."""
    steps = (Status.REUSED, Status.RAN, Status.METADATA, Status.RAN, Status.METADATA)
    trace = BuildTrace(steps=tuple(step(number, status) for number, status in enumerate(steps, 1)))
    root = ElementTree.fromstring(draw_stack(trace).svg)
    fallen = next(one for one in root.iter() if one.attrib.get("class") == "fallen")
    boxes = {group.attrib["data-key"]: group[0].attrib for group in root.iter() if "data-key" in group.attrib}
    assert float(fallen.attrib["y2"]) == float(boxes["0/3"]["y"])
    assert float(boxes["0/1"]["y"]) + ROW < float(fallen.attrib["y1"]) < float(boxes["0/0"]["y"])
