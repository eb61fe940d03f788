"""What a predictor says of results that the engine may have dropped."""

from course.cache import BuildInput, Predictor, Verdict
from course.dockerfile import parse

FIRST = BuildInput(dockerfile=parse("FROM busybox\nRUN one\nRUN two\n"))
SECOND = BuildInput(dockerfile=parse("FROM busybox\nRUN one\nRUN three\n"))
RAN = ["METADATA", "RAN", "RAN"]
REUSED = ["METADATA", "REUSED", "REUSED"]


def verdicts(predictor: Predictor, build: BuildInput) -> list[Verdict]:
    return [one.verdict for one in predictor.predict(build)[1:]]


def test_what_a_session_left_is_in_doubt_once_its_cache_was_dropped() -> None:
    predictor = Predictor()
    predictor.observe(FIRST, RAN, origin="a")
    predictor.doubt({"b"})
    assert verdicts(predictor, FIRST) == [Verdict.HIT, Verdict.HIT]
    predictor.doubt({"a"})
    assert verdicts(predictor, FIRST) == [Verdict.DEPENDS, Verdict.DEPENDS]
    assert "dropped" in predictor.predict(FIRST)[1].reason


def test_a_result_is_trusted_again_when_it_was_seen_and_others_are_not() -> None:
    predictor = Predictor()
    predictor.observe(FIRST, RAN, origin="a")
    predictor.observe(SECOND, ["METADATA", "REUSED", "RAN"], origin="a")
    predictor.doubt({"a"})
    predictor.observe(SECOND, REUSED, origin="b")
    assert verdicts(predictor, SECOND) == [Verdict.HIT, Verdict.HIT]
    assert verdicts(predictor, FIRST) == [Verdict.HIT, Verdict.DEPENDS]


def test_what_ran_again_belongs_to_who_ran_it() -> None:
    predictor = Predictor()
    predictor.observe(FIRST, RAN, origin="a")
    predictor.observe(FIRST, RAN, origin="b")
    predictor.doubt({"a"})
    assert verdicts(predictor, FIRST) == [Verdict.HIT, Verdict.HIT]


def test_doubt_survives_being_kept() -> None:
    predictor = Predictor()
    predictor.observe(FIRST, RAN, origin="a")
    predictor.doubt({"a"})
    assert verdicts(Predictor.from_json(predictor.to_json()), FIRST) == [Verdict.DEPENDS, Verdict.DEPENDS]
