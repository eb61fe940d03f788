"""A better order for a folder's Dockerfile, what it would save, and the proof: both orders built on the engine.

Enters: a folder, and docker-py's client for the proof. Leaves: `Advice` and `Proof`. Reads files and the project's git
history, builds on the engine; may import `course.cache`, `course.forecast` and `course.lab`.
"""

import difflib
import hashlib
import json
import os
import posixpath
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from docker import DockerClient

from course import labels
from course.builds import BuildTrace
from course.cache.commits import Commits, parse_commits
from course.cache.cost import Cost, cost
from course.cache.packages import package_mix
from course.cache.propose import Proposal, propose
from course.context import Context, open_context
from course.errors import CourseError
from course.forecast import explain, read_build
from course.lab import Project

Files: TypeAlias = dict[str, tuple[Any, ...]]
"""What an image holds: for each path all that counts."""
WEEKS: Final = 26
_MOST_CHANGED: Final = 40
_FOR_THEMSELVES: Final = frozenset((".cache", "_cacache", "_logs", "node-compile-cache"))
"""Folders in which programs keep things for themselves (XDG Base Directory Specification), npm and Node.js in
particular; Prisma writes to `.cache` beside its command, and now and then is not in time.
"""
_GIT_TIMEOUT_S: Final = 30


@dataclass(frozen=True, kw_only=True)
class Mix:
    """How often files change: changes a week by path, and where the figures are from."""

    per_week: Mapping[str, float]
    origin: str


@dataclass(frozen=True, kw_only=True)
class Advice:
    """The proposal for a folder, and the mix of edits to judge it by."""

    directory: Path
    before: str
    proposal: Proposal
    mix: Mix

    @property
    def diff(self) -> str:
        """The change of the Dockerfile as a unified diff."""
        now, proposed = (text.splitlines(keepends=True) for text in (self.before, self.proposal.text))
        return "".join(difflib.unified_diff(now, proposed, "Dockerfile", "Dockerfile, proposed"))


@dataclass(frozen=True, kw_only=True)
class Order:
    """One order as measured: a build from nothing, one after an edit, and what its rebuilds cost under the mix."""

    cold: BuildTrace
    edited: BuildTrace
    cost: Cost


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Both orders, the file that was edited, and the paths in which their images differ.

    `differing` leaves out what differs between two builds of one and the same order as well: caches, logs, dates.
    """

    now: Order
    proposed: Order
    edit: str
    differing: tuple[str, ...]


def advise(directory: Path | str) -> Advice:
    """Propose an order for the folder's Dockerfile; raises `CourseError` where BuildKit would refuse it."""
    build = read_build(directory)
    context = open_context(directory)

    def read(path: str) -> str | None:
        file = context.root / path
        known = any(entry.path == path for entry in context.files)
        return file.read_text(encoding="utf-8", errors="replace") if known and file.is_file() else None

    paths = [entry.path for entry in context.files]
    proposal = propose(build.dockerfile, paths, read)
    return Advice(directory=context.root, before=build.dockerfile.text, proposal=proposal, mix=edit_mix(context))


def edit_mix(context: Context) -> Mix:
    """How often each file of a context changes: from the project's git history, else a usual mix."""
    files = [entry.path for entry in context.files if entry.kind == "file"]
    command = ["git", "-C", str(context.root), "log", f"--since={WEEKS} weeks ago", "--format=", "--name-only"]
    try:
        done = subprocess.run(
            [*command, "-z", "--relative", "."], capture_output=True, timeout=_GIT_TIMEOUT_S, check=False
        )
        names = os.fsdecode(done.stdout).replace("\n", "\0").split("\0")
        changes = Counter(names) if done.returncode == 0 else Counter()
    except (OSError, subprocess.TimeoutExpired):
        changes = Counter()
    known = {path: changes[path] for path in files if changes[path]}
    if not known:
        return Mix(per_week=package_mix(files), origin="a usual mix: source every working hour, packages once a week")
    most = sorted(known, key=lambda path: -known[path])[:_MOST_CHANGED]
    return Mix(
        per_week={path: known[path] / WEEKS for path in most}, origin=f"the git history of the last {WEEKS} weeks"
    )


def prove(client: DockerClient, advice: Advice, *, on_build: Callable[[str, BuildTrace], None] | None = None) -> Proof:
    """Build both orders from nothing and after an edit of the file that changes most, and compare the two images.

    `on_build` gets each build with what it was. Raises `CourseError` when one fails.
    """
    edit = max(advice.mix.per_week, key=lambda path: advice.mix.per_week[path], default="")
    if not edit:
        raise CourseError("There is no file to edit in this folder.", fix="a folder with source files")
    orders: list[Order] = []
    images: list[Files] = []
    for name, text in (("now", advice.before), ("proposed", advice.proposal.text)):
        with Project(advice.directory, client=client) as project:
            project.write("Dockerfile", text)
            cold = _built(project, f"{name}, from nothing", on_build)
            project.write(edit, project.read(edit) + "\n")
            edited = _built(project, f"{name}, after an edit of {edit}", on_build)
            expected = expected_cost(project, cold, advice.mix.per_week)
        orders.append(Order(cold=cold, edited=edited, cost=expected))
        images += [_files(client, str(trace.image_id)) for trace in (cold, edited)]
    now_cold, now, _, proposed = images
    differing = differing_paths(now, proposed) - _noise(differing_paths(now_cold, now), now_cold, now, proposed)
    return Proof(now=orders[0], proposed=orders[1], edit=edit, differing=tuple(sorted(differing)))


def expected_cost(
    project: Project, cold: BuildTrace, per_week: Mapping[str, float] | Mapping[tuple[str, ...], float]
) -> Cost:
    """What the rebuilds of a project cost in a week, by the seconds that its steps took in a build from nothing."""
    seconds = {step.text: step.seconds for step in cold.steps}
    return cost(read_build(project.root, client=project.client), seconds=seconds, per_week=per_week)


def read_commits(path: Path | str) -> Commits:
    """Read a recorded git history, from the notebook's own folder: `apps/api-history.json`."""
    return parse_commits(json.loads(Path(path).read_text(encoding="utf-8")))


def _built(project: Project, name: str, on_build: Callable[[str, BuildTrace], None] | None) -> BuildTrace:
    trace = explain(project.client, project.root, no_cache=project.is_new).trace
    project.is_new = False
    if trace.error:
        raise CourseError(f"The build failed ({name}): {trace.error}", fix="a Dockerfile that builds")
    if on_build:
        on_build(name, trace)
    return trace


def _files(client: DockerClient, image: str) -> Files:
    """What an image holds, without times; what the engine adds to every container compares equal."""
    container = client.api.create_container(image, command=["-"], labels=labels.labels())["Id"]
    try:
        with tempfile.TemporaryFile() as archive:
            for chunk in client.api.export(container):
                archive.write(chunk)
            archive.seek(0)
            with tarfile.open(fileobj=archive) as tar:
                return {entry.name: _facts(tar, entry) for entry in tar}
    finally:
        client.api.remove_container(container, force=True, v=True)


def differing_paths(one: Files, other: Files) -> set[str]:
    """Where two images differ; the caches and logs of programs are left out: what is there is a matter of chance."""
    changed = (path for path in one.keys() | other.keys() if one.get(path) != other.get(path))
    return {path for path in changed if _FOR_THEMSELVES.isdisjoint(path.split("/"))}


def _noise(differing: set[str], cold: Files, now: Files, proposed: Files) -> set[str]:
    """What changes from build to build: those paths, and in folders where names come and go the new names too."""
    restless = {posixpath.dirname(path) for path in differing if (path in cold) != (path in now)}
    fresh = {path for path in now.keys() ^ proposed.keys() if posixpath.dirname(path) in restless}
    return differing | fresh


def _facts(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> tuple[Any, ...]:
    file = tar.extractfile(entry) if entry.isreg() else None
    digest = hashlib.sha256(file.read()).hexdigest() if file else ""
    return entry.type, entry.mode, entry.uid, entry.gid, entry.linkname, digest
