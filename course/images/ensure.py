"""Making the catalogue's images present: there already, else pulled, else built from packages.

Enters: docker-py's client and names of the catalogue. Leaves: images on the engine, and what was done for each.
May import `course.builds`, `course.engine`, `course.labels`.
"""

import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from docker import DockerClient
from docker.errors import APIError, DockerException, ImageNotFound

from course import labels
from course.builds import BuildTrace, Status, build
from course.engine import is_owned
from course.errors import CourseError
from course.images.catalogue import CATALOGUE, Entry, debian
from course.images.machine import Machine, read_machine
from course.images.prepare import RECIPES, machine_dockerfile, missing_tools, prepare_context
from course.images.registry import registry_reachable

ORIGIN: Final = f"{labels.COURSE}.origin"
STAND_IN: Final = f"{labels.COURSE}.stand-in"
_ARCHITECTURES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class Origin(StrEnum):
    """Where an image came from."""

    PRESENT = "present"
    PULLED = "pulled"
    PREPARED = "pulled and prepared"
    RECIPE = "built from packages"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far one image is: `done` of `total` in bytes while it is pulled, in steps while it is built."""

    name: str
    doing: str
    done: int = 0
    total: int = 0


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One image of the catalogue on an engine."""

    name: str
    purpose: str
    present: bool
    origin: str | None = None
    size_bytes: int | None = None
    architecture: str | None = None
    stand_in: str | None = None


def find(names: Sequence[str] = ()) -> tuple[Entry, ...]:
    """The entries with these names, all by default; raises `CourseError` for a name that is not in the catalogue."""
    known = {entry.name: entry for entry in CATALOGUE}
    for name in names:
        if name not in known:
            raise CourseError(f"{name!r} is not in the course's catalogue.", fix=f"one of {', '.join(known)}")
    return tuple(known[name] for name in names or known)


def listing(client: DockerClient) -> tuple[Row, ...]:
    """Every image of the catalogue, present or not."""
    return tuple(_row(client, entry) for entry in CATALOGUE)


def ensure(
    client: DockerClient,
    names: Sequence[str] = (),
    *,
    consent: bool = False,
    on_progress: OnProgress | None = None,
) -> dict[str, Origin]:
    """Make the images present, and say for each how; raises `CourseError` when one cannot be had.

    On an engine that is not the course's own, what is built here takes a public name only with `consent`.
    """
    say = on_progress or (lambda progress: None)
    done = {entry.name: Origin.PRESENT for entry in find(names)}
    wanted = [entry for entry in find(names) if get(client, entry.name) is None]
    if not wanted:
        return done
    machine = read_machine()
    may_name = consent or is_owned(client)
    reachable = registry_reachable(client, wanted[0].name).reachable
    for entry in wanted:
        try:
            done[entry.name] = _pull(client, entry, machine, may_name=may_name, say=say) if reachable else Origin.RECIPE
        except CourseError:  # a used-up quota, say; the recipe's own refusal would hide it
            if not may_name or missing_tools(entry.recipe):
                raise
            done[entry.name] = Origin.RECIPE
        if done[entry.name] is Origin.RECIPE:
            check_recipe(client, entry, may_name=may_name)
            build_recipe(client, entry, machine, say)
    return done


def _row(client: DockerClient, entry: Entry) -> Row:
    image = get(client, entry.name)
    if image is None:
        return Row(name=entry.name, purpose=entry.purpose, present=False)
    carried = image.labels
    return Row(
        name=entry.name,
        purpose=entry.purpose,
        present=True,
        origin=carried.get(ORIGIN, Origin.PULLED.value),
        size_bytes=image.attrs["Size"],
        architecture=image.attrs["Architecture"],
        stand_in=carried.get(STAND_IN),
    )


def get(client: DockerClient, name: str) -> Any:
    """The image, or None."""
    try:
        return client.images.get(name)
    except ImageNotFound:
        return None


def _pull(client: DockerClient, entry: Entry, machine: Machine, *, may_name: bool, say: OnProgress) -> Origin:
    repository, _, tag = entry.name.partition(":")
    layers: dict[str, tuple[int, int]] = {}
    try:
        for event in client.api.pull(repository, tag=tag, stream=True, decode=True):
            if "error" in event:
                raise CourseError(f"{entry.name} cannot be pulled: {event['error']}", fix=_OTHER_WAYS)
            detail = event.get("progressDetail") or {}
            if event.get("status") == "Downloading" and detail.get("total"):
                layers[event["id"]] = detail["current"], detail["total"]
                done, total = (sum(values) for values in zip(*layers.values(), strict=True))
                say(Progress(name=entry.name, doing="pulling", done=done, total=total))
    except DockerException as error:
        raise CourseError(f"{entry.name} cannot be pulled: {error}", fix=_OTHER_WAYS) from error
    if entry.fetches and may_name and pass_on(client, entry.name, machine, say):
        return Origin.PREPARED
    return Origin.PULLED


_OTHER_WAYS: Final = "`docker login` for a larger quota, or `course images load FILE` from another machine"


def check_recipe(client: DockerClient, entry: Entry, *, may_name: bool) -> None:
    """Raise `CourseError` when the recipe of `entry` may not, or cannot, be used with this engine."""
    if not may_name:
        raise CourseError(
            f"{entry.name} is not here, no registry can be reached, and this engine is your own: what the course "
            "builds from packages would take a public name on it.",
            fix="`course images ensure --consent`, or a separate engine: `course engine start --kind native`",
        )
    here = _ARCHITECTURES.get(platform.machine().lower(), platform.machine())
    there = client.version()["Arch"]
    if platform.system() != "Linux" or here != there:
        raise CourseError(
            f"No registry can be reached, and {entry.name} cannot be built here: recipes need Linux of the engine's "
            f"own architecture ({there}).",
            fix="`course images load FILE` with a bundle from such a machine",
        )
    missing = missing_tools(entry.recipe)
    if missing:
        packages = " ".join(missing)
        fix = f"apt-get install {packages}, or `course images ensure --install`"
        raise CourseError(f"No registry can be reached, and the recipes need {packages}.", fix=fix)


def build_recipe(client: DockerClient, entry: Entry, machine: Machine, say: OnProgress) -> None:
    """Build an entry from packages, and the base that it stands on."""
    arguments = dict(machine.proxies)
    if "$BASE" in (RECIPES / entry.recipe / "Dockerfile").read_text(encoding="utf-8"):
        base = debian(entry.release)
        if get(client, base.name) is None:
            build_recipe(client, base, machine, say)
            pass_on(client, base.name, machine, say)
        arguments["BASE"] = base.name
    carried = {labels.IMAGE: entry.name, ORIGIN: Origin.RECIPE.value}
    if entry.stand_in:
        carried[STAND_IN] = entry.stand_in
    with context() as folder:
        say(Progress(name=entry.name, doing="fetching packages"))
        prepare_context(entry, folder, machine)
        build_folder(client, folder, entry.name, arguments=arguments, carried=carried, say=say)


def pass_on(client: DockerClient, name: str, machine: Machine, say: OnProgress) -> bool:
    """Give an image this machine's CAs and mirrors, under the same name; whether there was anything to give."""
    with context() as folder:
        dockerfile = machine_dockerfile(name, machine, folder)
        if dockerfile is None:
            return False
        (folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        before = client.images.get(name)
        carried = {labels.IMAGE: name, ORIGIN: before.labels.get(ORIGIN, Origin.PREPARED.value)}
        build_folder(client, folder, name, arguments=machine.proxies, carried=carried, say=say)
        with suppress(APIError):  # its layers live on in the new one; where something else stands on it, it stays
            client.images.remove(str(before.id))
    return True


def build_folder(
    client: DockerClient, folder: Path, name: str, *, arguments: Any, carried: Any, say: OnProgress
) -> None:
    """Build an image of the catalogue or of the course's own; raises `CourseError` with the end of the log."""

    def follow(trace: BuildTrace) -> None:
        over = sum(step.status not in (Status.WAITING, Status.RUNNING) for step in trace.steps)
        running = next((step.instruction for step in trace.steps if step.status is Status.RUNNING), "building")
        say(Progress(name=name, doing=running, done=over, total=len(trace.steps)))

    trace = build(client, folder, tag=name, build_args=arguments, labels=carried, on_snapshot=follow)
    if trace.error:
        log = "".join(step.log for step in trace.steps if step.error)[-400:]
        raise CourseError(f"The recipe of {name} failed: {trace.error}\n{log}", fix="check the network and the mirror")


@contextmanager
def context() -> Iterator[Path]:
    """A temporary folder whose modes do not depend on this user's umask."""
    with tempfile.TemporaryDirectory(prefix=labels.folder_prefix()) as folder:
        yield Path(folder)
