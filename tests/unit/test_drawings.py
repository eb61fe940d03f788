"""Every picture from data alone: well-formed, readable, and saying the same in words."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import gallery
import pytest
from pace import processor_time, slowness

from course.builds.model import BuildTrace
from course.cache import BuildInput
from course.cache.cost import Cost, EditCost
from course.dockerfile import parse
from course.lab.lineage import Deed, Journal, Lineage, Moment
from course.lab.setup import Mount, Setup, Volume
from course.widgets.costs import edit_kinds
from course.widgets.history import Built, lost_seconds
from course.widgets.layers import draw_layers
from course.widgets.style import DARK, LIGHT
from course.widgets.svg import megabytes
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
    picture.ask(Plan(order=(0, 1, 2, 3, 4, 5, 7, 6)))
    assert before == len([row for row in picture.rows if row["word"] == "run"]) == 0
    file = replace(picture._before.files[0], path="Dockerfile")
    copied = gallery.WhatIf(BuildInput(dockerfile=picture._before.dockerfile, files=(*picture._before.files, file)))
    copied.ask(Plan(order=(0, 1, 2, 3, 4, 5, 7, 6)))
    assert [row["text"] for row in copied.rows if row["word"] == "run"] == ["COPY . ."]


def test_a_note_is_lost_where_the_last_of_its_containers_name_does_not_find_it() -> None:
    def moment(deed: Deed, name: str, *notes: str) -> Moment:
        return Moment(deed=deed, container=name, volumes=("v",), notes=notes)

    kept = (moment(Deed.WROTE, "a", "one"), moment(Deed.WROTE, "b", "two"), moment(Deed.READ, "a", "one"))
    assert Lineage(moments=(*kept, moment(Deed.READ, "b", "two"))).lost == ()
    assert Lineage(moments=(*kept, moment(Deed.READ, "b"))).lost == ("two",)
    assert Lineage(moments=kept).lost == (), "nobody has looked for it since"


def test_the_file_systems_up_to_each_layer_are_those_that_the_image_shows() -> None:
    image = gallery.image(6, 5)
    for position in range(6):
        files = image.files(position + 1)
        tree = draw_layers(image).panels[str(position)][2].text.splitlines()
        assert tree[0].split() == [*megabytes(sum(files.values())).split(), "/", str(len(files)), "files"]
        assert [line.split()[-1] for line in tree[1:]] == ["app/", *(f"{n}/" for n in range(position + 1))]


def test_hundreds_of_steps_and_layers_are_drawn_in_less_than_200_ms() -> None:
    """Of the processor's time, on a calm machine."""
    image = gallery.image(500, 40)
    for what, draw in (("200 steps", gallery.many_steps), ("500 layers of 40 files", lambda: draw_layers(image))):
        times = [processor_time(draw) / slowness() for _ in range(5)]
        print(f"\n{what} drawn in {min(times) * 1000:.0f} ms")
        assert min(times) < 0.2


TEXT_ON = {
    "ink": ("paper", "quiet", "good", "work", "bad", "ask"),
    "faint": ("paper", "quiet", "good", "work", "bad", "ask"),
    "work-ink": ("paper", "quiet", "good", "work"),
}
"""Which colours words have, and on what they stand."""


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_words_stand_out_from_what_they_stand_on(theme: dict[str, str]) -> None:
    """WCAG 2.1, 1.4.3: at least 4.5 to 1. axe does not look into SVG."""
    for words, grounds in TEXT_ON.items():
        for ground in grounds:
            assert contrast(theme[words], theme[ground]) >= 4.5, (words, ground)


def contrast(one: str, other: str) -> float:
    """WCAG's definition: from 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


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
