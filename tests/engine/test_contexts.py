"""What the course sends is what the docker CLI sends: the same context, built by both, gives the same files."""

import os
import random
import string
import tarfile
import tempfile
from pathlib import Path

import pytest
from context_cases import CASES, DOCKERFILE, NEEDS_BUILDX, Case, ignored, make
from docker import DockerClient
from docker_cli import Inside, contents, find_cli
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course.builds import build
from course.context import open_context
from course.labels import labels

pytestmark = [pytest.mark.engine, pytest.mark.slow_emulated]

DIRECTORY = tarfile.DIRTYPE.decode()


def by_course(client: DockerClient, root: Path, name: str) -> dict[str, Inside] | None:
    trace = build(client, root, dockerfile=name, no_cache=True)
    return contents(client, trace.image_id) if trace.image_id else None


def by_cli(client: DockerClient, root: Path, name: str) -> dict[str, Inside] | None:
    marks = [word for key, value in labels().items() for word in ("--label", f"{key}={value}")]
    image_id = find_cli().build(client, root, "--no-cache", "--file", str(root / name), *marks)
    return contents(client, image_id) if image_id else None


def same(client: DockerClient, root: Path, name: str) -> dict[str, Inside] | None:
    ours, theirs = by_course(client, root, name), by_cli(client, root, name)
    if ours and theirs and not find_cli().has_buildx:
        theirs = {path: inside for path, inside in theirs.items() if path in ours or not hollow(path, theirs)}
    assert ours == theirs
    if ours is not None and (root / name).read_text() == DOCKERFILE:
        special = {path for path in ours if not (root / path).is_symlink() and is_special(root / path)}
        assert {file.path for file in open_context(root, dockerfile=name).files} == ours.keys() - special
    return ours


def hollow(path: str, inside: dict[str, Inside]) -> bool:
    """A folder without files. An excluded one is sent by 20.10's client whenever an exception could lie in it, by later
    ones only when one does (tonistiigi/fsutil#108).
    """
    within = [name for name in inside if name.startswith(path + "/")]
    return all(inside[name].kind == DIRECTORY for name in (path, *within))


def is_special(path: Path) -> bool:
    """A pipe or a socket, which `course.context` leaves out."""
    return path.is_fifo() or path.is_socket()


def comparable() -> list[Case]:
    """The cases that the CLI on PATH reads as later ones do; all of them where there is none, and they fail."""
    try:
        known = set() if find_cli().has_buildx else NEEDS_BUILDX
    except LookupError:
        known = set()
    return [case for case in CASES if case not in known]


@pytest.mark.parametrize("case", comparable(), ids=lambda case: case.__name__)
def test_hard_contexts_arrive_as_the_clis(case: Case, client: DockerClient, tmp_path: Path) -> None:
    same(client, tmp_path, make(case, tmp_path))


NAMES = st.sampled_from(["a", "b", "a.b", "a-b", "ab", "src", "node_modules", ".git", "x y", "é", "[a]", "*"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PARTS = st.one_of(NAMES, st.sampled_from(["*", "**", "?", "a*", "*b", "[ab]", "[^a]", "s?c", "..", ".", "\\*"]))
PATTERNS = st.tuples(
    st.sampled_from(["", "", "", "!", "/", "!/", " ", "# "]),
    st.lists(PARTS, min_size=1, max_size=4).map("/".join),
    st.sampled_from(["", "", "/", "/**", "  "]),
).map("".join)


@st.composite
def trees(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Paths, each with what it is: a file, a program, an empty folder, or a link to another path."""
    paths = draw(st.lists(PATHS, min_size=1, max_size=12, unique=True))
    kinds = st.sampled_from(["file", "file", "file", "program", "folder", "link", "hard link"])
    return [(path, draw(kinds)) for path in paths]


def plant(root: Path, found: list[tuple[str, str]], seed: int) -> None:
    """Make what does not stand in the way of something made before."""
    chance, files = random.Random(seed), []
    for path, kind in found:
        place = root / path
        if os.path.lexists(place) or any(parent.is_symlink() or parent.is_file() for parent in place.parents):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == "folder":
            place.mkdir()
        elif kind == "link":
            place.symlink_to(chance.choice(found)[0])
        elif kind == "hard link" and files:
            place.hardlink_to(chance.choice(files))
        else:
            place.write_text("".join(chance.choices(string.ascii_letters, k=chance.randrange(50))))
            place.chmod(chance.choice((0o755, 0o700)) if kind == "program" else chance.choice((0o644, 0o600, 0o4644)))
            files.append(place)


def test_random_contexts_arrive_as_the_clis(client: DockerClient, long: bool) -> None:
    # newer engines percent-encode what is not ASCII (buildkit, session/filesync), which 20.10's client does not know of
    ascii_only = not find_cli().has_buildx and int(client.version()["Version"].partition(".")[0]) > 20

    @settings(
        max_examples=300 if long else 25,
        suppress_health_check=list(HealthCheck),
    )
    @given(trees(), st.lists(PATTERNS, max_size=6), st.integers(0, 1000))
    def check(found: list[tuple[str, str]], patterns: list[str], seed: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            plant(root, found, seed)
            (root / "Dockerfile").write_text(DOCKERFILE)
            told = [one for one in patterns if one.isascii() or not ascii_only]
            if told:
                ignored(root, *told)
            same(client, root, "Dockerfile")

    check()
