"""What decides a cache hit: each rule as a named experiment, for test_cache_rows.py to predict and to build.

A row is a Dockerfile, an edit, and what becomes of one step. Every other step must agree with its prediction as well.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course.cache import BuildKit

HIT, MISS = "HIT", "MISS"
COPY = "COPY a.txt /w/"
RUN = "RUN : one"
Edit = Callable[[Path], None]


def write(name: str, text: str = "other") -> Edit:
    return lambda root: made(root / name).write_text(text)  # type: ignore[func-returns-value, return-value]


def made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def chmod(name: str, mode: int) -> Edit:
    return lambda root: (root / name).chmod(mode)


def later(name: str) -> Edit:
    return lambda root: os.utime(root / name, (1, 1))


def link(name: str, target: str) -> Edit:
    def edit(root: Path) -> None:
        (root / name).unlink(missing_ok=True)
        (root / name).symlink_to(target)

    return edit


def rename(old: str, new: str) -> Edit:
    return lambda root: (root / old).rename(root / new)  # type: ignore[func-returns-value, return-value]


def hard_link(name: str, to: str) -> Edit:
    def edit(root: Path) -> None:
        (root / name).unlink()
        os.link(root / to, root / name)

    return edit


def crlf(root: Path) -> None:
    path = root / "Dockerfile"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def nothing(root: Path) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Row:
    """An experiment: `lines` stand on a fresh step; `after` replaces them; the last step (or `step` from the end) is
    judged."""

    name: str
    lines: str
    after: str | None = None
    edit: Edit = nothing
    expected: str
    step: int = -1
    told: dict[str, Any] = field(default_factory=dict)
    told_after: dict[str, Any] | None = None
    needs: Callable[[BuildKit], bool] = lambda kit: True
    base: str = "FROM busybox:stable\nCOPY salt /"


OLD: Callable[[BuildKit], bool] = lambda kit: not kit.keeps_dot_of_destination  # noqa: E731
NEW: Callable[[BuildKit], bool] = lambda kit: kit.has_heredocs  # noqa: E731

ROWS = [
    # files
    Row(name="a newer time stamp changes nothing", lines=COPY, edit=later("a.txt"), expected=HIT),
    Row(name="other content misses", lines=COPY, edit=write("a.txt"), expected=MISS),
    Row(name="another file mode misses", lines=COPY, edit=chmod("a.txt", 0o600), expected=MISS),
    Row(name="another directory mode misses", lines="COPY d /w/", edit=chmod("d", 0o700), expected=MISS),
    Row(name="a renamed file in a copied tree misses", lines="COPY d /w/", edit=rename("d/e", "d/x"), expected=MISS),
    Row(name="a new file in a copied tree misses", lines="COPY d /w/", edit=write("d/new"), expected=MISS),
    Row(
        name="a new empty directory in a copied tree misses",
        lines="COPY d /w/",
        edit=lambda root: (root / "d/empty").mkdir(),
        expected=MISS,
    ),
    Row(
        name="a link as source to the same bytes hits",
        lines="COPY l /w/",
        edit=link("l", "same.txt"),
        expected=HIT,
    ),
    Row(name="a dangling link inside a directory misses", lines="COPY d /w/", edit=link("d/l", "no"), expected=MISS),
    Row(
        name="a file that becomes a hard link of the same bytes hits",
        lines="COPY a.txt same.txt /w/",
        edit=hard_link("same.txt", "a.txt"),
        expected=HIT,
    ),
    Row(name="a file that is not copied hits", lines=COPY, edit=write("b.txt"), expected=HIT),
    Row(name="a file that is not matched hits", lines="COPY *.txt /w/", edit=write("d/e"), expected=HIT),
    Row(name="a matched file misses", lines="COPY *.txt /w/", edit=write("b.txt"), expected=MISS),
    Row(name="an ignored file hits", lines="COPY . /w/", edit=write("ignored/x"), expected=HIT),
    Row(
        name="COPY . misses when a Dockerfile comment changes",
        lines="COPY . /w/",
        after="# a comment\nCOPY . /w/",
        expected=MISS,
    ),
    Row(
        name="COPY . misses when .dockerignore changes",
        lines="COPY . /w/",
        edit=write(".dockerignore", "ignored\n# more\n"),
        expected=MISS,
    ),
    Row(
        name="a host mode misses also under --chmod",
        lines="COPY --chmod=644 a.txt /w/",
        edit=chmod("a.txt", 0o600),
        expected=MISS,
    ),
    Row(name="an edited archive misses", lines="ADD t.tar /w/", edit=write("t.tar"), expected=MISS),
    # the text of COPY
    Row(
        name="a source from another folder with its name hits", lines="COPY p/a /w/", after="COPY q/a /w/", expected=HIT
    ),
    Row(name="another base name of a source misses", lines="COPY p/a /w", after="COPY q/b /w", expected=MISS),
    Row(name="another spelling of a destination misses", lines="COPY d /w", after="COPY d /w/", expected=MISS),
    Row(name="d and d/ are one source", lines="COPY d /w/", after="COPY d/ /w/", expected=HIT),
    Row(name="./a and a are one source", lines="COPY ./a.txt /w/", after=COPY, expected=HIT),
    Row(
        name="a pattern and its list are two",
        lines="COPY *.txt /w/",
        after="COPY a.txt b.txt same.txt /w/",
        expected=MISS,
    ),
    Row(name="ADD and COPY of a file are two", lines="ADD a.txt /w/", after=COPY, expected=MISS),
    # the text of RUN and of the file
    Row(name="spaces inside a command miss", lines="RUN : one", after="RUN :  one", expected=MISS),
    Row(name="a comment inside a command misses", lines="RUN : one", after="RUN : one # why", expected=MISS),
    Row(name="another indentation misses", lines="RUN : \\\n  one", after="RUN : \\\n    one", expected=MISS),
    Row(name="spaces around a command hit", lines="RUN : one", after="RUN    : one  ", expected=HIT),
    Row(name="the case of a keyword hits", lines="RUN : one", after="run : one", expected=HIT),
    Row(name="comments and blank lines hit", lines="RUN : one", after="# why\n\n\nRUN : one", expected=HIT),
    Row(name="CRLF line ends hit", lines=RUN, edit=crlf, expected=HIT),
    Row(name="shell form and its exec form are one", lines=RUN, after='RUN ["/bin/sh", "-c", ": one"]', expected=HIT),
    Row(
        name="a renamed delimiter of a document hits",
        lines="RUN <<EOF\n: one\nEOF",
        after="RUN <<END\n: one\nEND",
        expected=HIT,
        needs=NEW,
    ),
    # variables
    Row(name="ENV before RUN misses", lines=f"ENV A=1\n{RUN}", after=f"ENV A=2\n{RUN}", expected=MISS),
    Row(name="a new ENV before RUN misses", lines=RUN, after=f"ENV A=2\n{RUN}", expected=MISS),
    Row(
        name="ENV in another order before RUN misses",
        lines=f"ENV A=1\nENV B=2\n{RUN}",
        after=f"ENV B=2\nENV A=1\n{RUN}",
        expected=MISS,
    ),
    Row(name="ENV before COPY hits", lines=f"ENV A=1\n{COPY}", after=f"ENV A=2\n{COPY}", expected=HIT),
    Row(name="LABEL before COPY hits", lines=f"LABEL A=1\n{COPY}", after=f"LABEL A=2\n{COPY}", expected=HIT),
    *(
        Row(name=f"{line.split()[0]} before RUN hits", lines=RUN, after=f"{line}\n{RUN}", expected=HIT)
        for line in (
            "LABEL a=1",
            'CMD ["x"]',
            "ENTRYPOINT x",
            "EXPOSE 80",
            "VOLUME /v",
            "HEALTHCHECK CMD x",
            "ONBUILD RUN :",
            "STOPSIGNAL 9",
        )
    ),
    Row(
        name="ENV split in two hits",
        lines=f"ENV A=1 B=2\n{RUN}",
        after=f"ENV A=1\nENV B=2\n{RUN}",
        expected=HIT,
    ),
    Row(
        name="ENV set again to the same list hits",
        lines=f"ENV A=1\n{RUN}",
        after=f"ENV A=0\nENV A=1\n{RUN}",
        expected=HIT,
    ),
    Row(name="an unused ARG with a value before RUN misses", lines=RUN, after=f"ARG A=1\n{RUN}", expected=MISS),
    Row(name="an ARG with a value before COPY hits", lines=COPY, after=f"ARG A=1\n{COPY}", expected=HIT),
    Row(name="a bare ARG hits", lines=RUN, after=f"ARG A\n{RUN}", expected=HIT),
    Row(
        name="a build argument that is not declared hits",
        lines=RUN,
        told_after={"build_args": {"X": "1"}},
        expected=HIT,
    ),
    Row(
        name="a proxy argument that is not declared hits",
        lines=RUN,
        told_after={"build_args": {"http_proxy": "http://localhost:1"}},
        expected=HIT,
    ),
    Row(
        name="a build argument that is declared misses",
        lines=f"ARG X\n{RUN}",
        told={"build_args": {"X": "1"}},
        told_after={"build_args": {"X": "2"}},
        expected=MISS,
    ),
    Row(name="ARG X=1 and ENV X=1 are one", lines=f"ARG X=1\n{RUN}", after=f"ENV X=1\n{RUN}", expected=HIT),
    Row(
        name="an ARG of the parent stage reaches the child's RUN",
        lines=f"ARG A=1\nRUN :\nFROM p AS b\n{RUN}",
        after=f"ARG A=2\nRUN :\nFROM p AS b\n{RUN}",
        base="FROM busybox:stable AS p\nCOPY salt /",
        expected=MISS,
    ),
    Row(name="USER before RUN misses", lines=RUN, after=f"USER 0\n{RUN}", expected=MISS),
    Row(name="SHELL before RUN misses", lines=RUN, after=f'SHELL ["/bin/sh", "-ec"]\n{RUN}', expected=MISS),
    Row(name="WORKDIR before RUN misses", lines=f"WORKDIR /w\n{RUN}", after=f"WORKDIR /x\n{RUN}", expected=MISS),
    Row(name="WORKDIR /w/ is WORKDIR /w", lines="WORKDIR /w", after="WORKDIR /w/", expected=HIT),
    Row(
        name="WORKDIR /w/ before RUN misses",
        lines=f"WORKDIR /w\n{RUN}",
        after=f"WORKDIR /w/\n{RUN}",
        expected=MISS,
    ),
    # stages
    Row(
        name="COPY --from a stage re-made with an identical file hits",
        lines="COPY b.txt /b\nFROM busybox:stable\nCOPY --from=0 /a /w/",
        edit=write("b.txt"),
        base="FROM busybox:stable\nCOPY salt /\nCOPY a.txt /a",
        expected=HIT,
    ),
    Row(
        name="all after a COPY --from that hits again hits too",
        lines="COPY b.txt /b\nFROM busybox:stable\nCOPY --from=0 /a /w/\nRUN : after",
        edit=write("b.txt"),
        base="FROM busybox:stable\nCOPY salt /\nCOPY salt /a",
        expected=HIT,
    ),
    Row(
        name="a bind mount of a stage re-made with an identical file hits",
        lines="COPY b.txt /b\nFROM busybox:stable\nRUN --mount=from=s,source=/a,target=/m : one",
        edit=write("b.txt"),
        base="FROM busybox:stable AS s\nCOPY salt /\nCOPY salt /a",
        expected=HIT,
    ),
    Row(
        name="a command that runs again makes misses below, whatever it wrote",
        lines="RUN echo same > /o\nRUN : below",
        after="RUN  echo same  > /o\nRUN : below",
        expected=MISS,
    ),
    Row(
        name="a renamed stage hits",
        lines="RUN : one\nFROM busybox:stable\nCOPY --from=first /salt /w/",
        after="RUN : one\nFROM busybox:stable\nCOPY --from=0 /salt /w/",
        base="FROM busybox:stable AS first\nCOPY salt /",
        expected=HIT,
    ),
    # options
    Row(name="no-cache misses", lines=COPY, told_after={"no_cache": True}, expected=MISS),
    Row(
        name="no-cache leaves a WORKDIR with nothing forced below it",
        lines="WORKDIR /salt",
        told_after={"no_cache": True},
        base="FROM busybox:stable",
        expected=HIT,
    ),
    # mounts
    Row(
        name="a cache mount that is added misses",
        lines=RUN,
        after="RUN --mount=type=cache,target=/c : one",
        expected=MISS,
    ),
    Row(
        name="another sharing of a cache mount misses",
        lines="RUN --mount=type=cache,target=/c : one",
        after="RUN --mount=type=cache,target=/c,sharing=locked : one",
        expected=MISS,
    ),
    Row(
        name="another id of a cache mount misses in BuildKit up to 0.12",
        lines="RUN --mount=type=cache,target=/c,id=one : one",
        after="RUN --mount=type=cache,target=/c,id=two : one",
        expected=MISS,
        needs=lambda kit: not kit.ignores_cache_mount_ids,
    ),
    Row(
        name="another id of a cache mount hits in BuildKit from 0.13",
        lines="RUN --mount=type=cache,target=/c,id=one : one",
        after="RUN --mount=type=cache,target=/c,id=two : one",
        expected=HIT,
        needs=lambda kit: kit.ignores_cache_mount_ids,
    ),
    Row(
        name="a bound file that changes misses",
        lines="RUN --mount=source=a.txt,target=/m : one",
        edit=write("a.txt"),
        expected=MISS,
    ),
    Row(
        name="a file beside the bound one hits",
        lines="RUN --mount=source=a.txt,target=/m : one",
        edit=write("b.txt"),
        expected=HIT,
    ),
    Row(
        name="--link hits after a miss where layers can be merged",
        lines="COPY a.txt /w/\nCOPY --link salt /x/",
        edit=write("a.txt"),
        expected=HIT,
        needs=lambda kit: kit.merges,
    ),
    Row(
        name="--link misses after a miss where layers cannot be merged",
        lines="COPY a.txt /w/\nCOPY --link salt /x/",
        edit=write("a.txt"),
        expected=MISS,
        needs=lambda kit: kit.has_heredocs and not kit.merges,
    ),
]
