"""The lines that Podman prints, as its 4.3 printed them, read into a trace."""

from course.builds.join import join
from course.builds.plain import PlainReader
from course.builds.trace import Fold
from course.dockerfile import parse

DOCKERFILE = "FROM b AS a\nENV X=1\nWORKDIR /\nRUN echo out\nFROM b\nCOPY --from=a /x /x\nRUN echo two\nCMD x\n"
LINES = (
    (0, "[1/2] STEP 1/4: FROM b AS a\n"),
    (0, "[1/2] STEP 2/4: ENV X=1\n"),
    (0, "--> Using cache 63a7aae78b81\n"),
    (0, "--> 63a7aae78b8\n"),
    (0, "[1/2] STEP 3/4: WORKDIR /\n"),
    (0, "--> 63a7aae78b9\n"),
    (1, "[1/2] STEP 4/4: RUN echo out\n"),
    (3, "out\n"),
    (3, "--> 6c766bd00d4\n"),
    (3, "[2/2] STEP 1/4: FROM b\n"),
    (3, "[2/2] STEP 2/4: COPY --from=a /x /x\n"),
    (3, "--> Using cache 609cee94a8d7\n"),
    (3, "--> 609cee94a8d\n"),
    (4, "[2/2] STEP 3/4: RUN echo two\n"),
    (4, "two\n"),
)


def read(*more: tuple[float, str], failure: str | None = None) -> list[tuple[str, float, str]]:
    dockerfile, fold = parse(DOCKERFILE), Fold()
    reader = PlainReader(dockerfile, fold)
    for now_s, text in (*LINES, *more):
        reader.line(text, now_s=now_s)
    if failure:
        reader.fail(failure, now_s=9)
    steps = join(dockerfile, fold, target=None, finished=True)
    return [(step.status.value, step.seconds, step.log) for step in steps]


def test_each_line_becomes_what_happened_to_its_step() -> None:
    assert read((6, "--> b3d5e857135\n"), (6, "[2/2] STEP 4/4: CMD x\n"), (6, "[2/2] COMMIT\n")) == [
        ("REUSED", 0, ""),
        ("METADATA", 0, ""),
        ("METADATA", 0, ""),
        ("RAN", 2, "out\n"),
        ("REUSED", 0, ""),
        ("REUSED", 0, ""),
        ("RAN", 2, "two\n"),
        ("METADATA", 0, ""),
    ]


def test_the_step_under_way_is_the_one_that_failed() -> None:
    assert [status for status, _, _ in read(failure="exit status 4")][5:] == ["REUSED", "FAILED", "METADATA"]
