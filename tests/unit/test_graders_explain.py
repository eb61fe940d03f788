"""`graders explain`: golden pages, as a terminal of 80 columns shows them.

A page is written anew by `COLUMNS=80 graders explain CHECK > tests/corpus/explain/CHECK/expected`.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from graders.rubrics.layers import RUBRIC

CORPUS = Path(__file__).parents[1] / "corpus/explain"


def explain(check: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "graders.cli", "explain", check]
    return subprocess.run(
        command, capture_output=True, text=True, env={"COLUMNS": "80", "PYTHONUTF8": "1"}, check=False
    )


@pytest.mark.parametrize("case", sorted(path.name for path in CORPUS.iterdir()))
def test_a_page_reads_as_it_was_approved(case: str) -> None:
    done = explain(case)
    assert (done.stdout, done.returncode) == ((CORPUS / case / "expected").read_text(encoding="utf-8"), 0)


def test_a_check_that_does_not_exist_is_answered_with_those_that_do() -> None:
    done = explain("nonsense")
    assert done.returncode == 1
    assert "layers.weighs_the_unseen" in done.stderr.replace("\n", "")


def test_examples_fit_the_page() -> None:
    lines = [line for one in RUBRIC.checks for line in (one.wrong + one.right).splitlines()]
    assert max(len(line) for line in lines) <= 76
