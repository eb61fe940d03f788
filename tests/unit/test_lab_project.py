"""A scratch copy of an app: edits that change bytes and keep the meaning."""

import json
from pathlib import Path
from typing import cast

import pytest
from docker import DockerClient

from course.errors import CourseError
from course.lab import Project

NO_ENGINE = cast(DockerClient, None)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    app = tmp_path / "app"
    (app / "node_modules/x").mkdir(parents=True)
    (app / "index.js").write_text("start()\n")
    (app / "package.json").write_text('{"name": "x", "version": "1.0.0"}')
    (app / "good.Dockerfile").write_text("FROM good\n")
    (app / "Dockerfile").write_text("FROM other\n")
    (app / "picture.png").touch()
    return app


def test_the_original_stays_as_it_is(source: Path) -> None:
    with Project(source, client=NO_ENGINE) as project:
        project.edit("index.js")
        project.write("new/file.txt", "x")
        assert project.read("index.js") != "start()\n"
    assert (source / "index.js").read_text() == "start()\n"
    assert not (source / "new").exists()
    assert not project.root.exists()


def test_edits_are_never_alike_and_keep_the_meaning(source: Path) -> None:
    with Project(source, client=NO_ENGINE) as project:
        project.edit("index.js")
        once = project.read("index.js")
        project.edit("index.js")
        added = project.read("index.js").removeprefix(once)
        assert added.startswith("// ")
        assert added not in once
        project.edit("package.json")
        assert json.loads(project.read("package.json"))["version"] != "1.0.0"


def test_what_npm_made_on_this_computer_is_not_copied(source: Path) -> None:
    with Project(source, client=NO_ENGINE) as project:
        assert not (project.root / "node_modules").exists()


def test_another_dockerfile_takes_its_place(source: Path) -> None:
    with Project(source, client=NO_ENGINE, dockerfile="good.Dockerfile") as project:
        assert project.read("Dockerfile") == "FROM good\n"


def test_a_file_that_is_not_there_or_has_no_harmless_edit_says_so(source: Path) -> None:
    with Project(source, client=NO_ENGINE) as project:
        with pytest.raises(CourseError, match="not in app"):
            project.edit("nowhere.js")
        with pytest.raises(CourseError, match="No harmless edit"):
            project.edit("picture.png")
