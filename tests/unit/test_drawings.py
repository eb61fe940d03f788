"""Every picture from data alone: well-formed, readable, and saying the same in words."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import gallery
import pytest

from course.builds.model import BuildTrace
from course.cache import BuildInput
from course.cache.cost import Cost, EditCost
from course.dockerfile import parse
from course.lab.lineage import Deed, Journal
from course.lab.setup import Mount, Setup, Volume
from course.widgets.costs import edit_kinds
from course.widgets.history import Built, lost_seconds
from course.widgets.whatif import Plan, join, split


@pytest.mark.parametrize("name", gallery.PICTURES)
def test_a_picture_is_well_formed_and_carries_its_words(name: str) -> None:
    picture = getattr(gallery, name)()
    root = ElementTree.fromstring(picture.drawing.svg)
    assert root.attrib["aria-label"] == picture.drawing.text == repr(picture)
    keys = {element.attrib["data-key"] for element in root.iter() if "data-key" in element.attrib}
    assert keys >= set(picture.drawing.panels)
    assert picture.svg == picture.drawing.svg or name == "what_if"


@pytest.mark.parametrize("name", gallery.PICTURES)
def test_colours_are_never_alone(name: str) -> None:
    """A shape that tells something by its colour has words or a mark in the same group, or is a bar beside a number."""
    root = ElementTree.fromstring(getattr(gallery, name)().drawing.svg)
    telling = {"good", "work", "bad", "ask"}
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        if telling & {str(shape.attrib.get("class")) for shape in group}:
            assert "".join(group.itertext()).strip(), name


def test_seconds_are_lost_only_between_dockerfiles_that_were_edited_alike() -> None:
    slow, fast = gallery.trace(*gallery.BROKEN), gallery.trace(*gallery.KEPT)
    both = [Built(dockerfile="slow", edit="a", trace=slow), Built(dockerfile="fast", edit="a", trace=fast)]
    assert lost_seconds(both) == pytest.approx(slow.seconds - fast.seconds)
    assert lost_seconds([both[0], replace(both[1], edit="b")]) == 0
    assert lost_seconds(both[:1]) == 0


def test_a_control_character_in_a_log_or_a_line_does_not_break_the_picture() -> None:
    trace = gallery.trace(*gallery.BROKEN)
    steps = tuple(replace(step, text=step.text + "\x1b[31m\x00", log="\x1b[0mdone") for step in trace.steps)
    ElementTree.fromstring(gallery.LayerStack(BuildTrace(steps=steps)).drawing.svg)


def test_blocks_joined_in_their_order_are_the_text_and_comments_move_with_their_line() -> None:
    text = "# syntax=docker/dockerfile:1\nARG A=1\nFROM busybox\n# why\nRUN one \\\n  two\n\nRUN three\n# the end\n"
    blocks = split(parse(text))
    assert join(blocks, range(4))[0] == text
    moved, starts = join(blocks, (0, 1, 3, 2))
    assert moved.index("RUN three") < moved.index("# why") < moved.index("RUN one")
    assert starts == {2: 0, 3: 1, 5: 3, 8: 2}


def test_a_moved_line_changes_a_dockerfile_that_is_copied() -> None:
    picture = gallery.what_if()
    before = len([row for row in picture.rows if row["word"] == "run"])
    picture.ask(Plan(order=(0, 1, 2, 3, 4, 6, 5)))
    assert before == len([row for row in picture.rows if row["word"] == "run"]) == 0
    file = replace(picture._before.files[0], path="Dockerfile")
    copied = gallery.WhatIf(BuildInput(dockerfile=picture._before.dockerfile, files=(*picture._before.files, file)))
    copied.ask(Plan(order=(0, 1, 2, 3, 4, 6, 5)))
    assert [row["text"] for row in copied.rows if row["word"] == "run"] == ["COPY . ."]


def test_a_story_is_told_from_snapshots_of_a_set_up() -> None:
    journal = Journal()
    mount = Mount(kind="volume", source="0" * 64, target="/data")
    box = replace(gallery.container("box", "web"), mounts=(mount,))
    volume = Volume(name="0" * 64, driver="local", anonymous=True)
    journal.see(Setup(containers=(), networks=(), volumes=()))
    journal.see(Setup(containers=(box,), networks=(), volumes=(volume,)))
    journal.see(Setup(containers=(replace(box, state="exited"),), networks=(), volumes=(volume,)))
    journal.see(Setup(containers=(), networks=(), volumes=()))
    told = [(one.deed, one.volumes) for one in journal.lineage.moments]
    assert told == [
        (Deed.CREATED, ("anonymous 1",)),
        (Deed.STARTED, ()),
        (Deed.STOPPED, ()),
        (Deed.REMOVED, ("anonymous 1",)),
    ]


def test_edits_that_make_the_same_lines_run_are_one_kind_by_what_they_share() -> None:
    paths = ("src.js", "src.js, package.json", "package.json")
    edits = [
        EditCost(path=path, per_week=times, seconds=1, lines=lines)
        for path, times, lines in zip(paths, (70, 12, 4), ((5,), (2, 5), (2, 5)), strict=True)
    ]
    kinds = edit_kinds({"one": Cost(edits=tuple(edits))})
    assert [(kind.path, kind.per_week, kind.positions) for kind in kinds] == [
        ("src.js", 70, (0,)),
        ("package.json", 16, (1, 2)),
    ]
