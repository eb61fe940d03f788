"""How many submissions an hour are graded, of a class of 30: at each level, by nbgrader alone, by one and two workers.

Run: `python tests/bench/bench_class.py [--students N] [--levels unsandboxed isolated]`, on a machine that does nothing
else; `course engine start` first, and `graders build-vm` for `isolated`. Prints a table.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "tests/engine"))

from classes import ASSIGNMENT, SchoolClass, make_class_of_thirty  # noqa: E402

WORKERS = (1, 2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=30, help="every so many of the thirty are graded")
    parser.add_argument("--levels", nargs="+", default=["unsandboxed", "isolated"])
    asked = parser.parse_args()
    print(f"{'how':36}{'students':>9}{'seconds':>9}{'an hour':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for level in asked.levels:
            made = new_class(Path(folder) / f"{level}-nbgrader", asked.students)
            made.nbgrader("generate_assignment", ASSIGNMENT)
            began = time.monotonic()
            made.nbgrader(
                "autograde", ASSIGNMENT, f"--PutReports.level={level}", whole=False
            )  # broken ones end it with 1
            tell(f"{level}, nbgrader autograde", made, began)
            for workers in WORKERS:
                made = new_class(Path(folder) / f"{level}-{workers}", asked.students)
                began = time.monotonic()
                made.run("--workers", str(workers), "--level", level)
                tell(f"{level}, graders run --workers {workers}", made, began)


def new_class(folder: Path, size: int) -> SchoolClass:
    """Every so many of the class of thirty, that all kinds are among them."""
    made = make_class_of_thirty(folder)
    students = sorted((folder / "submitted").iterdir())
    kept = {students[index * len(students) // size] for index in range(size)}
    for student in students:
        if student not in kept:
            student.rename(folder / student.name)
    return made


def tell(how: str, made: SchoolClass, began: float) -> None:
    """One line of the table."""
    seconds, graded = time.monotonic() - began, len(made.marks())
    print(f"{how:36}{graded:9}{seconds:9.0f}{graded / seconds * 3600:9.0f}", flush=True)


if __name__ == "__main__":
    main()
