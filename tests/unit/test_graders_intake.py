"""What a submitted folder may hold, and what is taken of it."""

import json
import os
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from course.assignments import Assignment, find_assignment
from graders.intake import ANSWER_CHARACTERS, TIMESTAMP, released_notebook, take_in, with_answers
from graders.submission import LIMIT_BYTES, NotTaken, collect, read_plain

ASSIGNMENT = Assignment(name="n", folder=Path(), app=Path(), artifacts=("Dockerfile", "run.sh"))


def cell(
    name: str, source: str | list[str], *, solution: bool = False, grade: bool = False, **more: Any
) -> dict[str, Any]:
    known = {"grade_id": name, "solution": solution, "grade": grade, "locked": not solution, "schema_version": 3}
    return {"cell_type": "code", "metadata": {"nbgrader": known | more}, "source": source, "outputs": []}


def notebook(*cells: Any) -> str:
    return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


RELEASED = notebook(
    cell("task", "# what to do"), cell("why", "your answer", solution=True), cell("test", "check('n')", grade=True)
)


def sources(rebuilt: str) -> list[str]:
    return [one["source"] for one in json.loads(rebuilt)["cells"]]


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def folder(path: Path) -> None:
    path.mkdir()


def huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10 << 30)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


NOT_TAKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "a link": (link, "is not a plain file"),
    "a link to itself": (loop, "is not a plain file"),
    "a link to a device": (endless, "is not a plain file"),
    "a FIFO": (os.mkfifo, "is not a plain file"),
    "a folder": (folder, "is not a plain file"),
    "10 GB": (huge, "is larger than 1 MiB"),
    "nothing": (lambda path: None, "there is no "),
}


@pytest.mark.parametrize("thing", NOT_TAKEN)
def test_what_is_no_plain_file_is_not_taken(tmp_path: Path, thing: str) -> None:
    make, problem = NOT_TAKEN[thing]
    make(tmp_path / "Dockerfile")
    make(tmp_path / "n.ipynb")
    make(tmp_path / TIMESTAMP)
    (tmp_path / "run.sh").write_bytes(b"docker run busybox")
    taken = take_in(ASSIGNMENT, tmp_path, RELEASED)
    assert taken.artifacts.files == {"run.sh": b"docker run busybox"}
    assert problem in taken.artifacts.problems["Dockerfile"]
    assert sources(taken.notebook) == sources(RELEASED)
    assert taken.timestamp is None
    assert any("n.ipynb" in note for note in taken.notes)
    assert any(TIMESTAMP in note for note in taken.notes) == (thing != "nothing")


def test_a_plain_file_of_the_limit_is_taken_and_one_byte_more_is_not(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"x" * LIMIT_BYTES)
    (tmp_path / "run.sh").write_bytes(b"x" * (LIMIT_BYTES + 1))
    taken = collect(ASSIGNMENT, tmp_path)
    assert set(taken.files) == {"Dockerfile"}
    assert set(taken.problems) == {"run.sh"}


def test_a_name_that_becomes_a_link_meanwhile_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "Dockerfile", os.open
    path.write_bytes(b"FROM busybox")

    def swapped(name: Any, *words: Any) -> int:
        path.unlink()
        link(path)
        return real(name, *words)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(NotTaken, match="is not a plain file"):
        read_plain(path)


def test_a_name_that_becomes_a_fifo_meanwhile_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = tmp_path / "Dockerfile", os.open
    path.write_bytes(b"FROM busybox")

    def swapped(name: Any, *words: Any) -> int:
        path.unlink()
        os.mkfifo(path)
        return real(name, *words)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(NotTaken, match="is not a plain file"):
        read_plain(path)


def test_a_folder_that_is_a_link_or_a_file_holds_nothing(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "Dockerfile").write_bytes(b"FROM busybox")
    (tmp_path / "linked").symlink_to(other)
    for path in (tmp_path / "linked", other / "Dockerfile"):
        taken = take_in(ASSIGNMENT, path, RELEASED)
        assert not taken.artifacts.files
        assert set(taken.artifacts.problems) == set(ASSIGNMENT.artifacts)
        assert taken.notes


def test_a_hundred_thousand_files_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"FROM busybox")
    for walk in ("listdir", "scandir", "walk"):
        monkeypatch.setattr(os, walk, lambda *_: pytest.fail("it looks through the folder"))
    assert set(take_in(ASSIGNMENT, tmp_path, RELEASED).artifacts.files) == {"Dockerfile"}


ANSWER = cell("why", "since it is cached", solution=True)
NOTEBOOKS: dict[str, tuple[str, str, str]] = {
    # what was submitted; the answer that counts; a part of the note
    "an answer": (notebook(ANSWER), "since it is cached", ""),
    "an answer in lines": (notebook(cell("why", ["since it\n", "is cached"])), "since it\nis cached", ""),
    "two answers": (notebook(cell("why", "first"), ANSWER), "since it is cached", "more than one cell 'why'"),
    "a changed test": (notebook(ANSWER, cell("test", "10", grade=True)), "since it is cached", ""),
    "no test": (notebook(ANSWER), "since it is cached", ""),
    "two tests": (notebook(ANSWER, cell("test", "1"), cell("test", "2")), "since it is cached", ""),
    "more cells": (notebook(cell("mine", "print(1)"), ANSWER), "since it is cached", ""),
    "schema 99": (notebook(cell("why", "since it is cached", schema_version=99)), "since it is cached", ""),
    "a tag": (
        notebook({**ANSWER, "metadata": {**ANSWER["metadata"], "tags": ["skip-execution"]}}),
        "since it is cached",
        "",
    ),
    "no answer": (notebook(), "your answer", ""),
    "a long answer": (notebook(cell("why", "x" * 60_000)), "x" * ANSWER_CHARACTERS, "was cut"),
    "half a character": (notebook(cell("why", "\ud800")), "?", ""),
    "bad JSON": ('{"cells": [', "your answer", "is not a notebook"),
    "no cells": ('{"worksheets": []}', "your answer", "is not a notebook"),
    "a list": ("[]", "your answer", "is not a notebook"),
    "cells of nothing": (
        '{"cells": [null, 1, {}, {"metadata": []}, {"metadata": {"nbgrader": 1}}]}',
        "your answer",
        "",
    ),
    "a deep one": ("[" * 200_000, "your answer", "is not a notebook"),
    "not text": ("\x00\x01", "your answer", "is not a notebook"),
}


@pytest.mark.parametrize("case", NOTEBOOKS)
def test_of_a_notebook_only_the_text_of_answers_is_taken(tmp_path: Path, case: str) -> None:
    submitted, answer, note = NOTEBOOKS[case]
    (tmp_path / "n.ipynb").write_text(submitted, encoding="utf-8")
    rebuilt, notes = with_answers(RELEASED, tmp_path / "n.ipynb")
    assert sources(rebuilt) == ["# what to do", answer, "check('n')"]
    assert [one["metadata"] for one in json.loads(rebuilt)["cells"]] == [
        one["metadata"] for one in json.loads(RELEASED)["cells"]
    ]
    assert (note in "; ".join(notes)) if note else not notes
    rebuilt.encode()


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[here](javascript:alert(1))",
    "[here](&#106;avascript:alert(1))",
    "$\\href{javascript:alert(1)}{x}$",
    "```\n<script>alert(1)</script>\n```",
    "``````\n````\n<script>alert(1)</script>",
    "~~~\n<script>alert(1)</script>",
)


@pytest.mark.parametrize("answer", HOSTILE)
def test_an_answer_in_markdown_is_shown_and_not_obeyed(tmp_path: Path, answer: str) -> None:
    asked = {**cell("why", "your answer", solution=True), "cell_type": "markdown"}
    (tmp_path / "n.ipynb").write_text(notebook({**asked, "source": answer}), encoding="utf-8")
    rebuilt, _ = with_answers(notebook(asked), tmp_path / "n.ipynb")
    shown = markdown2html_mistune(sources(rebuilt)[0])
    assert re.fullmatch(r"<pre><code>[^<>]*</code></pre>", shown.strip())
    assert answer in unescape(shown)


def test_an_answer_that_nobody_gave_stays_as_it_was_released(tmp_path: Path) -> None:
    asked = {**cell("why", "*your answer*", solution=True), "cell_type": "markdown"}
    (tmp_path / "n.ipynb").write_text(notebook(asked), encoding="utf-8")
    assert sources(with_answers(notebook(asked), tmp_path / "n.ipynb")[0]) == ["*your answer*"]


NAMES = st.sampled_from(("cells", "metadata", "nbgrader", "grade_id", "source", "solution", "why"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@given(submitted=st.dictionaries(NAMES, JSON, max_size=4) | JSON)
def test_no_notebook_changes_anything_but_answers(tmp_path_factory: pytest.TempPathFactory, submitted: object) -> None:
    path = tmp_path_factory.mktemp("any") / "n.ipynb"
    path.write_text(json.dumps(submitted), encoding="utf-8")
    rebuilt, _ = with_answers(RELEASED, path)
    first, _, last = sources(rebuilt)
    assert (first, last) == ("# what to do", "check('n')")


TIMES = {
    "2026-03-01 12:00:00 UTC": True,
    "2026-03-01 12:00:00.123456 Europe/Berlin": True,
    "2026-03-01T12:00:00+01:00": True,
    "yesterday": False,
    "9" * 100: False,
    "": False,
    "x" * 300: False,
}


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_taken_where_nbgrader_can_read_it(tmp_path: Path, text: str) -> None:
    (tmp_path / TIMESTAMP).write_text(f"{text}\n", encoding="utf-8")
    taken = take_in(ASSIGNMENT, tmp_path, RELEASED)
    assert taken.timestamp == (text if TIMES[text] else None)
    assert any(TIMESTAMP in note for note in taken.notes) == (not TIMES[text])


def test_the_clean_folder_holds_what_counts_and_nothing_else(tmp_path: Path) -> None:
    assignment = find_assignment("layers")
    submitted, clean = tmp_path / "submitted", tmp_path / "clean/layers"
    submitted.mkdir()
    (submitted / "Dockerfile").write_bytes(b"FROM busybox:stable\n")
    (submitted / "docker.py").write_bytes(b"raise SystemExit\n")
    (submitted / "other.ipynb").write_bytes(b"{}")
    taken = take_in(assignment, submitted, released_notebook(assignment))
    taken.write(clean, "layers")
    assert sorted(path.name for path in clean.iterdir()) == ["Dockerfile", "layers.ipynb"]
    assert "".join(sources((clean / "layers.ipynb").read_text(encoding="utf-8"))[-1]).endswith('check("layers")')


def test_the_digest_tells_submissions_apart(tmp_path: Path) -> None:
    def digest() -> str:
        return take_in(ASSIGNMENT, tmp_path, RELEASED).digest

    seen = [digest()]
    assert digest() == seen[0]
    (tmp_path / "Dockerfile").write_bytes(b"FROM busybox")
    seen.append(digest())
    (tmp_path / "n.ipynb").write_text(notebook(ANSWER), encoding="utf-8")
    seen.append(digest())
    (tmp_path / TIMESTAMP).write_text("2026-03-01 12:00:00 UTC", encoding="utf-8")
    seen.append(digest())
    assert len(set(seen)) == len(seen)
