"""A better order for a Dockerfile that means the same: `propose(dockerfile, paths, read) -> Proposal`.

Enters: a Dockerfile, the paths of its context and a way to read them. Leaves: the new text and the reason for each
move. Pure. Only what can be shown to be the same is moved: a copy of the whole source goes below the commands that are
known to read a few files only, and a copy of just these takes its place. The engine then proves it, by building both.
"""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from course.cache.packages import Needs, Read, needs
from course.cache.words import flags
from course.dockerfile import Dockerfile, Stage, Step

_PASSED = frozenset(
    "ENV ARG LABEL CMD ENTRYPOINT EXPOSE HEALTHCHECK STOPSIGNAL USER SHELL VOLUME MAINTAINER".split()  # noqa: SIM905
)


@dataclass(frozen=True, kw_only=True)
class Move:
    """One change of the order: what stood on `line` goes elsewhere, for `reason`."""

    line: int
    text: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The Dockerfile in the better order; without moves it is the same text."""

    text: str
    moves: tuple[Move, ...]


def propose(dockerfile: Dockerfile, paths: Sequence[str], read: Read) -> Proposal:
    """Find what can be moved in each stage. `paths` are those that .dockerignore leaves."""
    lines = dockerfile.text.removeprefix("\ufeff").splitlines(keepends=True)
    edits: list[tuple[int, int, str]] = []
    moves: list[Move] = []
    for stage in dockerfile.stages:
        for change in _in_stage(stage, paths, read, lines):
            edits += change[0]
            moves.append(change[1])
    for first, last, text in sorted(edits, reverse=True):
        lines[first:last] = [text]
    return Proposal(text="".join(lines), moves=tuple(moves))


def _in_stage(
    stage: Stage, paths: Sequence[str], read: Read, lines: list[str]
) -> list[tuple[list[tuple[int, int, str]], Move]]:
    for place, step in enumerate(stage.steps):
        if not _copies_all(step):
            continue
        found = _known_commands(stage.steps[place + 1 :], step, paths, read)
        if found:
            return [_lowered(step, found, lines)]
    return []


def _copies_all(step: Step) -> bool:
    """`COPY . dest`, without anything that the environment or another stage decides."""
    if step.instruction != "COPY" or step.heredocs or len(step.args) != 2 or "$" in step.text:
        return False
    return posixpath.normpath(step.args[0]) in (".", "/") and set(flags(step.flags)) <= {"chown"}


def _known_commands(steps: Sequence[Step], copy: Step, paths: Sequence[str], read: Read) -> list[tuple[Step, Needs]]:
    """The commands right below the copy that read few files; the copy may pass these, and what changes no files."""
    found: list[tuple[Step, Needs]] = []
    for step in steps:
        needed = _needed(step, paths, read)
        if needed is not None:
            found.append((step, needed))
        elif step.instruction not in _PASSED:
            break
    return found


def _needed(step: Step, paths: Sequence[str], read: Read) -> Needs | None:
    if step.instruction != "RUN" or step.heredocs or step.json_form:
        return None
    if any(not value.startswith("type=cache") for value in flags(step.flags).get("mount", ())):
        return None
    found = needs(" ".join(step.args), paths, read)
    if found is None or any(folder in paths for folder in found.makes):
        return None  # a folder of the context that the command also makes would be overwritten in another order
    return found


def _lowered(copy: Step, found: list[tuple[Step, Needs]], lines: list[str]) -> tuple[list[tuple[int, int, str]], Move]:
    have: set[str] = set()
    edits: list[tuple[int, int, str]] = []
    for step, needed in found:
        missing = [name for name in needed.files if name not in have]
        have.update(missing)
        text = "".join(_copy_line(copy, group) for group in _by_folder(missing))
        if step is found[0][0]:
            edits.append((copy.line - 1, copy.end_line, text))
        elif text:
            edits.append((step.line - 1, step.line - 1, text))
    whole = "".join(lines[copy.line - 1 : copy.end_line])
    if whole.endswith("\r\n"):
        edits = [(first, last, text.replace("\n", "\r\n")) for first, last, text in edits]
    last = found[-1][0].end_line
    before = "" if lines[last - 1].endswith("\n") else "\n"
    edits.append((last, last, before + whole))
    reasons = dict.fromkeys(needed.reason for _, needed in found)
    places = [str(step.line) for step, _ in found]
    commands = f"lines {', '.join(places[:-1])} and {places[-1]}" if len(places) > 1 else f"line {places[0]}"
    reason = f"It moves below {commands}: " + " ".join(reasons)
    return edits, Move(line=copy.line, text=copy.text, reason=reason)


def _by_folder(names: Sequence[str]) -> list[list[str]]:
    """Files at the top in one COPY; a folder, or a file in one, keeps its own place."""
    plain = [name for name in names if "/" not in name and not _is_folder(name)]
    return [*([plain] if plain else []), *([name] for name in names if name not in plain)]


def _is_folder(name: str) -> bool:
    return name in ("prisma", "gradle", ".mvn", ".yarn", ".bundle")


def _copy_line(copy: Step, names: Sequence[str]) -> str:
    options = "".join(f"{flag} " for flag in copy.flags)
    dest = copy.args[1].rstrip("/") or "/"
    if len(names) == 1 and (_is_folder(names[0]) or "/" in names[0]):
        return f"COPY {options}{names[0]} {posixpath.join(dest, names[0])}\n"
    return f"COPY {options}{' '.join(names)} {dest if dest == '/' else dest + '/'}\n"
