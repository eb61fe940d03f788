"""What holds for every prediction, over random Dockerfiles, contexts and edits."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from course.cache import BuildInput, Prediction, Predictor, Verdict
from course.context import fingerprints, open_context
from course.dockerfile import Dockerfile, DockerfileError, parse

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from cache_generator import World

seeds = given(st.integers(0, 2**32))
quickly = settings(max_examples=60)
RUNS = (Verdict.MISS, Verdict.DEPENDS)


@contextmanager
def world(seed: int) -> Iterator[tuple[Path, Iterator[BuildInput]]]:
    """A folder, and its builds, each made when it is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)

        def builds() -> Iterator[BuildInput]:
            for told in World(seed, root, heredocs=True, merges=True).builds():
                yield read(root, **told)

        yield root, builds()


def read(root: Path, **told: object) -> BuildInput:
    text = (root / "Dockerfile").read_text()
    return BuildInput(dockerfile=parse(text), files=fingerprints(open_context(root)), **told)  # type: ignore[arg-type]


def fails(predictions: tuple[Prediction, ...]) -> bool:
    return any(prediction.reason.startswith("It will fail") for prediction in predictions)


@quickly
@seeds
def test_what_is_unchanged_is_never_run_again(seed: int) -> None:
    with world(seed) as (_, builds):
        build = replace(next(builds), no_cache=False)
        predictor = Predictor()
        if fails(predictor.predict(build)):
            return
        predictor.observe(build)
        assert not [one for one in predictor.predict(build) if one.verdict in RUNS]


@quickly
@seeds
def test_within_a_stage_nothing_hits_after_a_miss(seed: int) -> None:
    with world(seed) as (_, builds):
        predictor = Predictor()
        for build in builds:
            missed: set[str] = set()
            for prediction in predictor.predict(build):
                if prediction.verdict is Verdict.MISS and "--link" not in prediction.step.text:
                    missed.add(prediction.step.stage)
                linked = "--link" in prediction.step.text
                assert linked or prediction.step.stage not in missed or prediction.verdict is not Verdict.HIT
            predictor.observe(build)


@quickly
@seeds
def test_every_miss_has_a_reason_and_every_step_a_prediction(seed: int) -> None:
    with world(seed) as (_, builds):
        predictor = Predictor()
        for build in builds:
            predictions = predictor.predict(build)
            assert [one.step.line for one in predictions] == [
                step.line for stage in build.dockerfile.stages for step in stage.steps
            ]
            assert all(one.reason and one.cause for one in predictions if one.verdict is Verdict.MISS)
            predictor.observe(build)


@quickly
@seeds
def test_times_change_nothing(seed: int) -> None:
    with world(seed) as (root, builds):
        build = next(builds)
        for path in root.rglob("*"):
            os.utime(path, (seed % 10**9, seed % 10**9), follow_symlinks=False)
        assert fingerprints(open_context(root)) == build.files


@quickly
@seeds
def test_comments_and_blank_lines_change_nothing(seed: int) -> None:
    with world(seed) as (_, builds):
        predictor = Predictor()
        for build in builds:
            plain = predictor.predict(build)
            commented = predictor.predict(replace(build, dockerfile=with_comments(build.dockerfile)))
            assert list(map(without_lines, commented)) == list(map(without_lines, plain))
            predictor.observe(build)


def with_comments(dockerfile: Dockerfile) -> Dockerfile:
    lines = dockerfile.text.splitlines(keepends=True)
    starts = {step.line for stage in dockerfile.stages for step in stage.steps}
    return parse("".join(("# a comment\n\n" if at in starts else "") + line for at, line in enumerate(lines, 1)))


def without_lines(prediction: Prediction) -> tuple[str, int, Verdict, str | None]:
    step, cause = prediction.step, prediction.cause
    return step.stage, step.index, prediction.verdict, cause.kind if cause else None


@quickly
@seeds
def test_to_predict_changes_no_predictor(seed: int) -> None:
    with world(seed) as (_, builds):
        predictor = Predictor()
        for build in builds:
            before = predictor.to_json()
            predictor.predict(build)
            assert predictor.to_json() == before
            predictor.observe(build)


@quickly
@seeds
def test_a_predictor_that_was_kept_predicts_the_same(seed: int) -> None:
    with world(seed) as (_, builds):
        predictor = Predictor()
        for build in builds:
            assert Predictor.from_json(predictor.to_json()).predict(build) == predictor.predict(build)
            predictor.observe(build)


WORDS = ["FROM", "RUN", "COPY", "ADD", "ARG", "ENV", "ONBUILD", "SHELL", "HEALTHCHECK", "scratch", "AS"]
MARKS = [" ", "\n", "\r\n", "\\", "`", '"', "'", ",", "<<EOF", "EOF", "--from=", "$A", "${A:-x}", "#", "=", "[", "]"]
PIECES = st.sampled_from([*WORDS, *MARKS])


@settings(max_examples=1000)
@given(st.one_of(st.text(), st.lists(PIECES).map("".join), st.lists(PIECES).map(" ".join)))
def test_any_text_is_a_dockerfile_or_an_error_with_its_line(text: str) -> None:
    parsed: Callable[[str], Dockerfile] = parse
    try:
        stages = parsed(text).stages
    except DockerfileError as error:
        assert 1 <= error.line <= text.count("\n") + 2
    else:
        assert stages
