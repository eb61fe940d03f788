"""The hunt for changes: what a learner ticked, what the predictor said, and what the engine did."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from course.errors import CourseError
from course.folders import notebooks_folder
from course.forecast import explain
from course.lab.project import Project
from course.lessons import Hunt, Lesson, lighten
from course.lessons.hunt import Change

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]
CHANGES: dict[str, Change] = {
    "saved again": lambda project: (project.root / "verses/1.txt").touch(),
    "another mode": lambda project: (project.root / "verses/1.txt").chmod(0o600),
    "a comment": ("RUN cat", "# all\nRUN cat"),
    "a space": ("cat verses", "cat  verses"),
}


@pytest.fixture
def lesson(client: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lesson]:
    monkeypatch.setattr("course.lessons.notes.notes_folder", lambda: tmp_path)  # no answers of a learner's
    lesson = Lesson("02-cache", client)
    yield lesson
    lesson.close()


@pytest.fixture
def poem(client: DockerClient) -> Iterator[Project]:
    with Project(notebooks_folder() / "apps/poem", client=client) as project:
        project.edit("verses/2.txt")
        yield project


def test_each_change_is_tried_on_its_own_and_compared_with_what_was_built(lesson: Lesson, poem: Project) -> None:
    explain(poem.client, poem.root)
    poem.is_new = False
    before = poem.read("Dockerfile")
    hunt = Hunt(lesson, poem)
    card = hunt.ask("some", CHANGES)
    card.answer = ["another mode", "a comment"]
    hunt.run("some")
    assert hunt.counted("some") == ["another mode", "a space"]
    assert hunt.tally().text == "You were right on 2 of 4, the predictor on 4 of 4."
    reasons = {one.change: one.why for one in hunt._tried["some"]}
    assert reasons["another mode"] == "COPY: verses/1.txt has mode 0600, it had 0644."
    assert "Line 4 was: RUN cat verses" in reasons["a space"]
    assert card.locked
    assert poem.read("Dockerfile") == before


def test_who_did_not_guess_is_not_counted_as_wrong(lesson: Lesson, poem: Project) -> None:
    explain(poem.client, poem.root)
    poem.is_new = False
    hunt = Hunt(lesson, poem)
    hunt.ask("one", {"a space": CHANGES["a space"]})
    hunt.run("one")
    assert hunt.tally().text == "You did not guess, the predictor on 1 of 1."


def test_a_hunt_says_what_is_missing(lesson: Lesson, poem: Project) -> None:
    with pytest.raises(CourseError, match="not built yet"):
        Hunt(lesson, poem)
    poem.is_new = False
    hunt = Hunt(lesson, poem)
    with pytest.raises(CourseError, match="no round"):
        hunt.run("files")
    hunt.ask("typo", {"a typo": ("RUN dog", "RUN cat")})
    with pytest.raises(CourseError, match="has no 'RUN dog'"):
        hunt.run("typo")


@pytest.mark.parametrize("name", ["naive", "ordered", "small"])
def test_a_slow_engine_gets_the_api_without_prisma(client: DockerClient, lesson: Lesson, name: str) -> None:
    with Project(notebooks_folder() / "apps/api", client=client, dockerfile=f"{name}.Dockerfile") as project:
        before = project.read("Dockerfile")
        lighten(lesson, project)
        assert project.read("Dockerfile") == before
        lesson.slow = True
        lighten(lesson, project)
        assert "prisma" not in project.read("Dockerfile").lower()
        assert list(json.loads(project.read("package.json"))["dependencies"]) == ["express", "pg"]
        with Project(project.root, client=client) as copy:
            copy.write("Dockerfile", before)
            lighten(lesson, copy)
            assert copy.read("Dockerfile") == project.read("Dockerfile")
