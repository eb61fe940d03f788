"""BuildKit's vertices beside a Dockerfile's lines, from vertices as engines reported them."""

from course.builds.join import join, needed_stages
from course.builds.trace import Fold, Vertex
from course.dockerfile import parse

TWO_STAGES = """FROM busybox:stable AS build
ENV A=1
WORKDIR /
WORKDIR /app
COPY a.txt .
RUN make
FROM busybox:stable
COPY --from=build /app/b.txt /
CMD ["cat", "/b.txt"]
"""


def fold(*vertices: Vertex) -> Fold:
    return Fold(vertices={vertex.digest: vertex for vertex in vertices})


def vertex(name: str, *, cached: bool = False, seconds: float | None = 1.0, error: str = "") -> Vertex:
    completed = None if seconds is None else 10.0 + seconds
    return Vertex(digest=name, name=name, cached=cached, started=10.0, completed=completed, error=error)


def statuses(text: str, folded: Fold, *, target: str | None = None, finished: bool = True) -> list[str]:
    return [step.status.value for step in join(parse(text), folded, target=target, finished=finished)]


def test_each_numbered_instruction_gets_its_vertex_and_the_rest_is_metadata() -> None:
    folded = fold(
        vertex("[build 1/5] FROM docker.io/library/busybox:stable", cached=True),
        vertex("[build 2/5] WORKDIR /app", cached=True),
        vertex("[build 3/5] COPY a.txt .", seconds=2),
        vertex("[build 4/5] RUN make", seconds=3),
        vertex("[stage-1 2/2] COPY --from=build /app/b.txt /"),
    )
    assert statuses(TWO_STAGES, folded) == [
        "REUSED", "METADATA", "METADATA", "REUSED", "RAN", "RAN", "REUSED", "RAN", "METADATA",
    ]  # fmt: skip
    steps = join(parse(TWO_STAGES), folded, target=None, finished=True)
    assert [round(step.seconds) for step in steps] == [0, 0, 0, 0, 2, 3, 0, 1, 0]


def test_a_from_that_the_other_stage_reports_keeps_its_number() -> None:
    folded = fold(
        vertex("[stage-1 1/2] FROM docker.io/library/busybox:stable", cached=True),
        vertex("[build 2/5] WORKDIR /app", cached=True),
        vertex("[build 3/5] COPY a.txt .", cached=True),
        vertex("[build 4/5] RUN make", cached=True),
        vertex("[stage-1 2/2] COPY --from=build /app/b.txt /", cached=True),
    )
    assert statuses(TWO_STAGES, folded)[3:6] == ["REUSED", "REUSED", "REUSED"]


def test_equal_operations_of_two_stages_share_one_vertex() -> None:
    text = "FROM a AS one\nRUN x\nFROM a AS two\nRUN x\nRUN y\nFROM a\nCOPY --from=one /x /\nCOPY --from=two /x /\n"
    folded = fold(
        vertex("[one 1/2] FROM docker.io/library/a"),
        vertex("[two 2/3] RUN x"),
        vertex("[two 3/3] RUN y"),
        vertex("[stage-2 2/3] COPY --from=one /x /"),
        vertex("[stage-2 3/3] COPY --from=two /x /"),
    )
    assert statuses(text, folded) == ["REUSED", "RAN", "REUSED", "RAN", "RAN", "REUSED", "RAN", "RAN"]


def test_a_single_stage_has_a_name_where_a_mount_brings_in_a_further_one() -> None:
    folded = fold(vertex("[stage-0 1/2] FROM a"), vertex("[stage-0 2/2] RUN --mount=type=cache,target=/c x"))
    assert statuses("FROM a\nRUN --mount=type=cache,target=/c x\n", folded) == ["REUSED", "RAN"]


def test_numbers_are_padded_from_ten_steps_on() -> None:
    text = "FROM a\n" + "RUN x\n" * 10
    folded = fold(vertex("[ 1/11] FROM a"), *(vertex(f"[{n:2}/11] RUN x") for n in range(2, 12)))
    assert statuses(text, folded) == ["REUSED"] + ["RAN"] * 10


def test_what_comes_after_a_failure_is_not_needed_and_siblings_that_were_stopped_are_not_blamed() -> None:
    text = "FROM a\nRUN x\nRUN y\n"
    folded = fold(vertex("[1/3] FROM a"), vertex("[2/3] RUN x", error="process did not complete: exit code: 1"))
    assert statuses(text, folded) == ["REUSED", "FAILED", "NOT_NEEDED"]
    stopped = fold(vertex("[1/3] FROM a"), vertex("[2/3] RUN x", error="context canceled"))
    assert statuses(text, stopped) == ["REUSED", "NOT_NEEDED", "NOT_NEEDED"]


def test_while_the_build_goes_on_steps_wait_and_run() -> None:
    text = "FROM a\nRUN x\nRUN y\n"
    waiting = Vertex(digest="y", name="[3/3] RUN y")
    assert statuses(text, fold(), finished=False) == ["WAITING", "WAITING", "WAITING"]
    folded = fold(vertex("[1/3] FROM a"), vertex("[2/3] RUN x", seconds=None), waiting)
    assert statuses(text, folded, finished=False) == ["REUSED", "RUNNING", "WAITING"]


def test_an_image_that_cannot_be_resolved_fails_its_from() -> None:
    text = "FROM nosuch:1\nRUN x\n"
    folded = fold(vertex("[internal] load metadata for docker.io/library/nosuch:1", error="not found"))
    assert statuses(text, folded) == ["FAILED", "NOT_NEEDED"]


def test_stages_that_nothing_needs_are_found_by_from_and_mounts() -> None:
    text = (
        "FROM a AS one\nFROM a AS two\nFROM two AS three\nFROM a\n"
        "COPY --from=one /x /\nRUN --mount=type=bind,from=three,target=/t true\n"
    )
    assert needed_stages(parse(text), None) == {0, 1, 2, 3}
    assert needed_stages(parse(text), "two") == {1}
    assert needed_stages(parse(text), "Three") == {1, 2}


def test_scratch_and_earlier_stages_are_metadata() -> None:
    folded = fold(vertex("[a 1/1] COPY x /"), vertex("[b 1/1] COPY y /"))
    result = statuses("FROM scratch AS a\nCOPY x /\nFROM a AS b\nCOPY y /\n", folded)
    assert result == ["METADATA", "RAN", "METADATA", "RAN"]


def test_a_workdir_that_changes_nothing_has_no_vertex() -> None:
    text = "FROM a\nCOPY b /\nWORKDIR $UNSET\nWORKDIR x\n"
    names = ("[1/4] FROM docker.io/library/a:latest", "[2/4] COPY b /", "[3/4] WORKDIR x")
    assert statuses(text, fold(*map(vertex, names))) == ["REUSED", "RAN", "METADATA", "RAN"]
    run = vertex("[4/5] RUN pwd")
    assert statuses(text + "RUN pwd\n", fold(*map(vertex, names), run)) == ["REUSED", "RAN", "METADATA", "RAN", "RAN"]


def test_a_trigger_of_the_base_image_is_a_vertex_without_a_step() -> None:
    names = ("[1/4] FROM docker.io/library/a:latest", "[2/4] ONBUILD COPY c /", "[3/4] COPY b /", "[4/4] RUN x")
    assert statuses("FROM a\nCOPY b /\nRUN x\n", fold(*map(vertex, names))) == ["REUSED", "RAN", "RAN"]


def test_the_merge_of_a_linked_copy_is_not_the_copy() -> None:
    copied, merged = vertex("[2/2] COPY --link b /", cached=True), vertex("[2/2] LINK COPY --link b /")
    base = vertex("[1/2] FROM docker.io/library/a:latest")
    for folded in (fold(base, copied, merged), fold(base, merged, copied)):
        assert statuses("FROM a\nCOPY --link b /\n", folded) == ["REUSED", "REUSED"]


def test_of_two_equal_texts_the_one_on_the_same_base_is_shared() -> None:
    text = "FROM scratch AS a\nWORKDIR /w\nFROM x AS b\nWORKDIR /w\nFROM x\nWORKDIR /w\nCOPY --from=a /w /\n"
    names = ("[a 1/1] WORKDIR /w", "[b 2/2] WORKDIR /w", "[stage-2 3/3] COPY --from=a /w /")
    vertices = [vertex(names[0]), vertex(names[1], cached=True), vertex(names[2])]
    text += "COPY --from=b /w /\n"
    vertices.append(vertex("[stage-2 4/4] COPY --from=b /w /"))
    assert statuses(text, fold(vertex("[b 1/2] FROM docker.io/library/x:latest", cached=True), *vertices)) == [
        "METADATA", "RAN", "REUSED", "REUSED", "REUSED", "REUSED", "RAN", "RAN",
    ]  # fmt: skip


def test_a_vertex_may_carry_the_name_that_a_build_beside_this_one_gave_it() -> None:
    text = "FROM a AS one\nRUN x\nFROM one\nCOPY --from=one /x /\n"
    names = ("[one 1/2] FROM docker.io/library/a:latest", "[other 5/9] RUN x", "[stage-1 1/1] COPY --from=one /x /")
    foreign = vertex("[stage-1 1/6] FROM docker.io/library/a:latest", cached=True)
    assert statuses(text, fold(*map(vertex, names), foreign)) == ["REUSED", "RAN", "METADATA", "RAN"]
