"""What of a folder a build may see."""

from pathlib import Path

import pytest

from course.context import open_context
from course.errors import CourseError


def paths(root: Path, dockerfile: str = "Dockerfile") -> list[str]:
    return [file.path for file in open_context(root, dockerfile=dockerfile).files]


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def test_files_come_in_bytewise_order_with_directories_first(tmp_path: Path) -> None:
    write(tmp_path, {"b/x": "", "a.txt": "", "B": "", "b.txt": ""})
    assert paths(tmp_path) == ["B", "a.txt", "b", "b/x", "b.txt"]


def test_ignored_files_stay_out_and_an_exception_brings_its_folder_back(tmp_path: Path) -> None:
    write(
        tmp_path, {"node_modules/a/b": "", "keep/x": "", "keep/y": "", ".dockerignore": "node_modules\nkeep\n!keep/y\n"}
    )
    assert paths(tmp_path) == [".dockerignore", "keep", "keep/y"]


def test_a_dockerfiles_own_ignore_file_takes_precedence(tmp_path: Path) -> None:
    write(tmp_path, {"a": "", "b": "", ".dockerignore": "a", "x.Dockerfile.dockerignore": "b"})
    assert "b" in paths(tmp_path)
    assert "b" not in paths(tmp_path, "x.Dockerfile")


def test_a_link_is_kept_as_written(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc/passwd")
    (file,) = open_context(tmp_path).files
    assert (file.kind, file.link) == ("link", "/etc/passwd")


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="does not exist"):
        open_context(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(CourseError, match="not a folder"):
        open_context(tmp_path / "file")


def test_a_pattern_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    write(tmp_path, {".dockerignore": "a[b"})
    with pytest.raises(CourseError, match=r"\.dockerignore"):
        open_context(tmp_path)
