"""A better order for a Dockerfile: what is moved, and what is left alone because it may not be the same."""

import shutil
import subprocess
from pathlib import Path

import pytest

from course.advice import advise, read_commits
from course.cache import BuildInput
from course.cache.commits import parse_commits
from course.cache.cost import cost
from course.context import fingerprints, open_context
from course.dockerfile import parse
from course.folders import notebooks_folder

CASES = sorted((Path(__file__).parents[1] / "corpus/propose").iterdir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_only_what_stays_the_same_is_moved(case: Path) -> None:
    advice = advise(case / "context")
    assert advice.proposal.text == (case / "expected").read_text()
    assert bool(advice.proposal.moves) == (advice.proposal.text != advice.before)
    for move in advice.proposal.moves:
        assert advice.before.splitlines()[move.line - 1] == move.text
        assert "reads only" in move.reason


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_proposal_has_nothing_left_to_move(case: Path, tmp_path: Path) -> None:
    shutil.copytree(case / "context", tmp_path / "again")
    (tmp_path / "again/Dockerfile").write_text((case / "expected").read_text())
    assert advise(tmp_path / "again").proposal.moves == ()


def test_line_endings_stay_as_they_are(tmp_path: Path) -> None:
    shutil.copytree(CASES[0].parent / "npm/context", tmp_path / "app")
    dockerfile, expected = tmp_path / "app/Dockerfile", CASES[0].parent / "npm/expected"
    dockerfile.write_bytes(dockerfile.read_bytes().replace(b"\n", b"\r\n"))
    assert advise(tmp_path / "app").proposal.text == expected.read_text().replace("\n", "\r\n")


def test_a_rebuild_costs_the_steps_that_an_edit_makes_run(tmp_path: Path) -> None:
    for name in ("package.json", "src.js", "README.md"):
        (tmp_path / name).write_text("{}")
    text = "FROM busybox\nCOPY package.json /\nRUN install\nCOPY src.js /\nRUN compile\n"
    build = BuildInput(dockerfile=parse(text), files=fingerprints(open_context(tmp_path)))
    seconds = {"COPY package.json /": 1.0, "RUN install": 50.0, "COPY src.js /": 1.0, "RUN compile": 8.0}
    expected = cost(build, seconds=seconds, per_week={"package.json": 1, "src.js": 30, "*.md": 9})
    assert [edit.seconds for edit in expected.edits] == [60.0, 9.0, 0.0]
    assert [edit.lines for edit in expected.edits] == [(2, 3, 4, 5), (4, 5), ()]
    assert expected.seconds_per_rebuild == pytest.approx((60 + 30 * 9) / 40)
    assert expected.minutes_per_week == pytest.approx((60 + 30 * 9) / 60)


def test_files_that_are_edited_together_cost_one_build(tmp_path: Path) -> None:
    for name in ("package.json", "src.js"):
        (tmp_path / name).write_text("{}")
    text = "FROM busybox\nCOPY package.json /\nRUN install\nCOPY src.js /\nRUN compile\n"
    build = BuildInput(dockerfile=parse(text), files=fingerprints(open_context(tmp_path)))
    data = {"origin": "", "kinds": {"s": "src.js", "p": "package.json"}, "commits": {"s": 3, "s p": 1}}
    commits = parse_commits(data)
    assert (commits.total, commits.touching("src.js"), commits.touching("package.json")) == (4, 4, 1)
    expected = cost(build, seconds={"RUN install": 50.0, "RUN compile": 8.0}, per_week=commits.per_week(builds=100))
    assert [(edit.path, edit.per_week, edit.seconds) for edit in expected.edits] == [
        ("src.js", 75, 8.0),
        ("src.js, package.json", 25, 58.0),
    ]


def test_the_recorded_history_names_files_of_the_api_and_where_it_is_from() -> None:
    commits = read_commits(notebooks_folder() / "apps/api-history.json")
    assert commits.total == 1000
    assert "github.com" in commits.origin
    for paths in commits.counts:
        assert all((notebooks_folder() / "apps/api" / path).is_file() for path in paths)


def test_the_mix_of_edits_is_read_from_the_git_history(tmp_path: Path) -> None:
    shutil.copytree(CASES[0].parent / "npm/context", tmp_path / "app")
    assert "usual" in advise(tmp_path / "app").mix.origin
    identity = ("-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "commit.gpgsign=false")

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), *identity, *words], check=True, capture_output=True)

    git("init")
    for number in range(3):
        (tmp_path / "app/src/index.js").write_text(f"{number}\n")
        git("add", ".")
        git("commit", "-m", str(number))
    mix = advise(tmp_path / "app").mix
    assert "git" in mix.origin
    assert mix.per_week["src/index.js"] == 3 * mix.per_week["package.json"] > 0
