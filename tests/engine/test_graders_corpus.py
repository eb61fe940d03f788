"""Submissions that are right and wrong in many ways, on a real replay engine: each report is what its folder says.

A few of each assignment are graded always, all of them with --long (or by tests/engine/grade_corpus.py).
"""

from collections.abc import Iterator

import pytest
from docker import DockerClient
from grade_corpus import cases, expectation, grade

from course import images
from graders.rubric import Status
from graders.rubrics import GRADINGS, find_grading
from graders.sandbox import ReplayEngine, replay_engine

pytestmark = [pytest.mark.engine, pytest.mark.differs_in_vm]

ALWAYS = {
    "capstone": ("right-compose",),
    "layers": ("right-two-stages", "wrong-deleted-later", "unknown-base"),
    "networks": ("wrong-db-published", "wrong-compose-syntax"),
    "order": ("wrong-faked", "unknown-package"),
    "volumes": ("right-compose", "wrong-nothing-starts"),
}


@pytest.fixture(scope="module")
def replay(client: DockerClient) -> Iterator[ReplayEngine]:
    """One replay engine with the images of all assignments; it is made clean for each submission."""
    names = tuple(dict.fromkeys(image for name in GRADINGS for image in find_grading(name).images))
    images.ensure(client, names, consent=True)
    with replay_engine(client, names) as engine:
        yield engine


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All of a corpus with --long, else a few."""
    if "case" in metafunc.fixturenames:
        long = metafunc.config.getoption("--long")
        chosen = [(name, case) for name in GRADINGS for case in (cases(name) if long else ALWAYS[name])]
        metafunc.parametrize(("assignment", "case"), chosen, ids=[f"{name}-{case}" for name, case in chosen])


def test_a_submission_fails_exactly_what_its_folder_says(replay: ReplayEngine, assignment: str, case: str) -> None:
    graded = grade(replay, assignment, case)
    assert graded.seen == graded.expected, graded.outcomes
    assert all(one.hint for one in graded.outcomes if one.status is Status.FAILED)


@pytest.mark.parametrize("assignment", GRADINGS)
def test_every_check_is_failed_by_a_submission_and_every_corpus_is_large(assignment: str) -> None:
    expected = {case: expectation(assignment, case) for case in cases(assignment)}
    failed = {check for one in expected.values() for check in one["failed"]}
    assert failed == {check.id for check in find_grading(assignment).rubric.checks}
    assert sum(case.startswith("right-") for case in expected) >= 12
    assert sum(case.startswith("wrong-") for case in expected) >= 20
    assert all(one == {"failed": []} for case, one in expected.items() if case.startswith("right-"))
