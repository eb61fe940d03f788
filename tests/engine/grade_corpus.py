"""The corpora of submissions, graded: `python tests/engine/grade_corpus.py order [CASE ...] [--times N]`.

Each folder of tests/corpus/ASSIGNMENT holds a submission and `expected.json`: the ids of the checks that it fails and,
where an image or a package is not at hand in a replay, of those that cannot be made. Afterwards each check is switched
off in turn: at least one submission must then get another report.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course.engine import connect
from graders.judge import gather
from graders.rubric import Check, Gathered, Outcome, Status, outcome
from graders.rubrics import find_grading
from graders.sandbox import ReplayEngine, replay_engine

CORPUS = Path(__file__).parents[1] / "corpus"


@dataclass(frozen=True, kw_only=True)
class Graded:
    """One submission of a corpus: what was expected of it, what came of it, and from which evidence."""

    case: str
    expected: dict[str, list[str]]
    outcomes: tuple[Outcome, ...]
    gathered: Gathered[object]
    seconds: float

    @property
    def seen(self) -> dict[str, list[str]]:
        """The ids of the checks that failed, and of those that could not be made, where there are any."""
        failed = [one.id for one in self.outcomes if one.status is Status.FAILED]
        unknown = [one.id for one in self.outcomes if one.status is Status.COULD_NOT_CHECK]
        return {"failed": failed} | ({"could_not_check": unknown} if unknown else {})


def grade(engine: ReplayEngine, assignment: str, case: str) -> Graded:
    """Grade one submission on an engine that is made clean for it."""
    folder, expected = CORPUS / assignment / case, expectation(assignment, case)
    engine.reset()
    began = time.monotonic()
    gathered, known = gather(engine, assignment, folder)
    outcomes = tuple(known.get(one.id) or outcome(one, gathered) for one in find_grading(assignment).rubric.checks)
    seconds = time.monotonic() - began
    return Graded(case=case, expected=expected, outcomes=outcomes, gathered=gathered, seconds=seconds)


def cases(assignment: str) -> list[str]:
    """All submissions of a corpus."""
    return sorted(path.parent.name for path in (CORPUS / assignment).glob("*/expected.json"))


def expectation(assignment: str, case: str) -> dict[str, list[str]]:
    """What a case says is to come of it."""
    expected: dict[str, list[str]] = json.loads((CORPUS / assignment / case / "expected.json").read_text())
    return expected


def survivors(assignment: str, graded: Sequence[Graded]) -> Iterator[str]:
    """The checks that could be switched off without any of these submissions getting another report."""
    for one in find_grading(assignment).rubric.checks:
        if not any(_failed_by_judge(one, case) for case in graded):
            yield one.id


def _failed_by_judge(check: Check[Any], case: Graded) -> bool:
    """Whether a submission fails this check by what its judge says; a judge that always agreed would let it pass."""
    return (
        any(one.id == check.id and one.status is Status.FAILED for one in case.outcomes)
        and check.id in case.expected["failed"]
        and not set(check.needs) & set(case.gathered.problems)  # there was something to judge
    )


def main() -> int:
    """Grade what was asked for and print a line for each; the exit status is 1 when anything was not as expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assignment")
    parser.add_argument("cases", nargs="*")
    parser.add_argument(
        "--times",
        type=int,
        default=1,
        help="how often; words that are not the same again, such as names that the engine gives, are shown",
    )
    parser.add_argument("--verbose", action="store_true", help="print every outcome")
    arguments = parser.parse_args()
    grading, wrong, others, graded = find_grading(arguments.assignment), 0, 0, []
    with replay_engine(connect(), grading.images) as engine:
        for case in arguments.cases or cases(arguments.assignment):
            first: tuple[Outcome, ...] = ()
            for _ in range(arguments.times):
                one = grade(engine, arguments.assignment, case)
                graded.append(one)
                first = first or one.outcomes
                as_expected = one.seen == one.expected
                verdict = "ok   " if as_expected and one.outcomes == first else "OTHER" if as_expected else "WRONG"
                wrong += verdict == "WRONG"
                others += verdict == "OTHER"
                print(f"{verdict} {case} {one.seconds:.1f} s", flush=True)
                if verdict != "ok   " or arguments.verbose:
                    print(f"      expected {one.expected}\n      seen     {one.seen}")
                    for got, before in zip(one.outcomes, first, strict=True):
                        print(f"      {got.status} {got.id}: {got.actual}")
                        if got != before:
                            print(f"          it was {before.status}: {before.actual}")
    left = [] if arguments.cases else list(survivors(arguments.assignment, graded))
    print(f"{len(graded)} graded, {wrong} not as expected, {others} in other words than the first time")
    print(f"checks that no case needs: {left or 'none'}")
    return 1 if wrong or others or left else 0


if __name__ == "__main__":
    sys.exit(main())
