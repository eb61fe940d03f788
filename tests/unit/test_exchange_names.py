"""What Moodle and Canvas call a submission, read back."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.exchange.names import (
    is_canvas_text,
    parse_canvas,
    parse_moodle,
    shown,
    squash,
    without_resubmission,
)

PRINTABLE = st.characters(exclude_categories=["C"])
FILES = st.text(PRINTABLE.filter(lambda c: c not in "/\\"), min_size=1)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("Ada Lovelace_1234567_assignsubmission_file_", ("Ada Lovelace", "1234567", "file", "")),
        ("Ada Lovelace_1234567_assignsubmission_file", ("Ada Lovelace", "1234567", "file", "")),
        ("Ada Lovelace_1234567_assignsubmission_file_Dockerfile", ("Ada Lovelace", "1234567", "file", "Dockerfile")),
        ("Ada_1_assignsubmission_file_.dockerignore", ("Ada", "1", "file", ".dockerignore")),
        ("Ada_1_assignsubmission_file_my_own_7_file.zip", ("Ada", "1", "file", "my_own_7_file.zip")),
        ("Participant_99_assignsubmission_onlinetext", ("Participant", "99", "onlinetext", "")),
    ],
)
def test_moodle_folders_and_flat_names_say_who_and_what(part: str, expected: tuple[str, ...]) -> None:
    label = parse_moodle(part)
    assert label and (label.name, label.number, label.plugin, label.file) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("lovelaceada_12345_678910_Dockerfile", ("lovelaceada", "12345", 678910, "Dockerfile", False)),
        ("lovelaceada_LATE_12345_678910_order.zip", ("lovelaceada", "12345", 678910, "order.zip", True)),
        ("lovelaceada_late_12345_678910_order.zip", ("lovelaceada", "12345", 678910, "order.zip", True)),
        ("lovelaceada_12345_678910_11_22_Dockerfile", ("lovelaceada", "12345", 678910, "11_22_Dockerfile", False)),
        ("anon_aB3dE_55_Dockerfile", ("", "anon_aB3dE", 55, "Dockerfile", False)),
        ("LATE_anon_aB3dE_55_Dockerfile", ("", "anon_aB3dE", 55, "Dockerfile", True)),
        ("李明_7_8_.dockerignore", ("李明", "7", 8, ".dockerignore", False)),
    ],
)
def test_canvas_names_say_who_when_and_what(part: str, expected: tuple[object, ...]) -> None:
    label = parse_canvas(part)
    assert label and (label.name, label.number, label.attachment, label.file, label.late) == expected


@pytest.mark.parametrize(
    "part", ["Dockerfile", "ada", "ada_1_Dockerfile", "Ada Lovelace_1_2_Dockerfile", "a_b_c_d", ""]
)
def test_other_names_are_neither(part: str) -> None:
    assert parse_canvas(part) is None
    assert parse_moodle(part) is None


def test_a_canvas_student_cannot_make_a_file_name_that_reads_as_moodles() -> None:
    name = "lovelaceada_12345_678910_Bob_99_assignsubmission_file_Dockerfile"
    assert parse_moodle(name) is None
    assert parse_canvas(name) is not None


def test_texts_and_links_of_canvas_are_known_as_such() -> None:
    assert is_canvas_text("lovelaceada_LATE_12345_text.html")
    assert is_canvas_text("lovelaceada_12345_link.html")
    assert not is_canvas_text("lovelaceada_12345_678910_text.html")


@given(name=st.text(PRINTABLE.filter(lambda c: c not in "/_")), number=st.integers(0, 10**9), file=FILES)
def test_moodle_names_survive(name: str, number: int, file: str) -> None:
    folder = parse_moodle(f"{name}_{number}_assignsubmission_file_")
    flat = parse_moodle(f"{name}_{number}_assignsubmission_file_{file}")
    assert folder and (folder.name, folder.number) == (name.strip(), str(number))
    assert flat and (flat.name, flat.number, flat.file) == (name.strip(), str(number), file)


@given(
    name=st.from_regex(r"[^\W\d_]+", fullmatch=True).filter(lambda name: name.lower() not in ("late", "anon")),
    late=st.booleans(),
    user=st.integers(1, 10**9),
    attachment=st.integers(1, 10**9),
    file=FILES,
)
def test_canvas_names_survive(name: str, late: bool, user: int, attachment: int, file: str) -> None:
    label = parse_canvas(f"{name}_{'LATE_' if late else ''}{user}_{attachment}_{file}")
    assert label
    assert (label.name, label.late, label.number, label.attachment) == (name, late, str(user), attachment)
    assert label.file == file


@given(st.text())
def test_any_name_can_be_asked(name: str) -> None:
    parse_moodle(name)
    parse_canvas(name)
    is_canvas_text(name)
    without_resubmission(name, ("Dockerfile",))
    assert squash(squash(name)) == squash(name)
    assert shown(name).isprintable()


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("Dockerfile-1", "Dockerfile"),
        ("compose-12.yaml", "compose.yaml"),
        ("order-2.zip", "order.zip"),
        (".dockerignore-1", ".dockerignore"),
        ("-1.dockerignore", ".dockerignore"),
        (".dockerignore-1.dockerignore", ".dockerignore"),
        ("Dockerfile", "Dockerfile"),
        ("notes-2.txt", "notes-2.txt"),
        ("Dockerfile-final", "Dockerfile-final"),
    ],
)
def test_what_canvas_adds_to_a_file_that_is_handed_in_again(file: str, expected: str) -> None:
    assert without_resubmission(file, ("Dockerfile", ".dockerignore", "compose.yaml")) == expected


def test_names_are_the_same_however_a_platform_writes_them() -> None:
    assert squash("O'Brien-Ruiz, Seán") == squash("obrienruizseán") == squash("O\u2019Brien Ruiz_Sea\u0301n")
    assert squash("Müller") != squash("Muller")
    assert squash("कि") != squash("कु")


@given(st.text(string.printable))
def test_nothing_shown_moves_the_cursor(text: str) -> None:
    assert not re.search(r"[\x00-\x1f\x7f]", shown(text))
