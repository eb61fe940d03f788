"""What the commands around the VM engine's guest do.

Enters: parsed arguments. Leaves: an exit status. Imports the rooms lazily, so that `course --help` is quick.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from course.commands import ERR, OUT, reporting
from course.errors import CourseError

_BASE_OF_THE_API: Final = "node:24-slim"

if TYPE_CHECKING:
    from docker import DockerClient

    from course.engine.vm.build import Booted, Source
    from course.engine.vm.place import Manifest


def build_vm(arguments: argparse.Namespace) -> int:
    """Build the guest of the VM engine, or take it from a bundle."""
    from course.images import find

    if arguments.from_ is not None:
        return _unpack(arguments)
    names = tuple(entry.name for entry in find(arguments.images)) if arguments.images is not None else ()
    manifest = _build(names, arguments.mirror)
    with_images = f" with {', '.join(manifest.images)}" if manifest.images else ""
    OUT.print(f"The VM engine is built{with_images}: `course engine start --kind vm`.")
    return 0


def start_or_build(*, install_agreed: bool, kind: str = "auto", shares: Sequence[Path] = ()) -> "DockerClient":
    """The engine that can be had here. Where that is a VM engine only, it is built first if that was agreed to."""
    from course import engine
    from course.engine import native
    from course.engine.vm import running
    from course.images import find

    try:
        with reporting("Looking for a Docker engine") as say:
            return engine.start(kind=kind, install_agreed=install_agreed, shares=shares, say=say)
    except CourseError:
        vm_it_is = kind == "vm" or (kind == "auto" and native.obstacle() is not None)
        if not (install_agreed and vm_it_is and running.obstacle() is None and not running.is_built()):
            raise
    _build(tuple(entry.name for entry in find()), None)
    with reporting("Starting the VM engine") as say:
        return engine.start(kind="vm", shares=shares, say=say)


def _build(names: tuple[str, ...], mirror: str | None) -> "Manifest":
    from course import engine
    from course.engine.vm.build import Plan, build
    from course.engine.vm.place import place

    source = machine_source(mirror)
    try:
        donor = engine.connect(start=False)
    except CourseError:
        donor = None
    with reporting("Building the VM engine") as say:
        plan = Plan(fill=lambda booted: _fill(booted, names, donor, say))
        return build(place(), source, plan, say=say)


def machine_source(mirror: str | None = None) -> "Source":
    """Where a guest's packages come from, and what it trusts: as this machine is set up, or another `mirror`."""
    from course.engine.native import machine_settings
    from course.engine.vm.build import Source
    from course.images.machine import read_machine

    machine = read_machine()
    return Source(mirror=mirror or machine.apt_mirror, certificates=machine.ca_bundle, settings=machine_settings())


def bundle_vm(arguments: argparse.Namespace) -> int:
    """Write the guest to one file."""
    from course.engine.vm.bundle import bundle
    from course.engine.vm.place import place

    with reporting("Packing") as say:
        digest = bundle(place(), arguments.file, say=say)
    OUT.print(f"{arguments.file} holds the VM engine. SHA-256: {digest}", soft_wrap=True)
    return 0


def _unpack(arguments: argparse.Namespace) -> int:
    from course.engine.vm.bundle import unpack
    from course.engine.vm.place import place
    from course.forecast import take_over

    with reporting("Unpacking") as say:
        manifest = unpack(place(), arguments.from_, expected=arguments.sha256, say=say)
    take_over(place().notes)
    OUT.print(f"The VM engine is here, with {', '.join(manifest.images) or 'no images'}.")
    return 0


def _fill(
    booted: "Booted", names: tuple[str, ...], donor: "DockerClient | None", say: Callable[[str], None]
) -> tuple[str, ...]:
    """Copy the images from another engine of this machine, where there is one that has them; else make them here. With
    them goes what npm installs for the lessons' API, into the build cache, and what predictions know of that.
    """
    from docker.errors import DockerException, ImageNotFound
    from rich.markup import escape

    from course.engine.http import load, stream
    from course.forecast import hand_on
    from course.images import ensure

    client = booted.client
    for name in names:
        if donor is None:
            break
        try:
            donor.images.get(name)
        except ImageNotFound:
            continue
        say(f"copying {name}")
        load(client, stream(donor, "/images/get", {"names": [name]}))
    if names:  # none would be all of them
        ensure(client, names, consent=True, on_progress=lambda progress: say(f"{progress.name}: {progress.doing}"))
    if _BASE_OF_THE_API in names:
        say("building the lessons' API once, for what npm installs")
        try:
            failure = _build_the_api(client)
            hand_on(client, booted.notes)
        except (CourseError, DockerException) as error:
            failure = str(error)
        if failure:
            said = f"npm's packages are not in its build cache, and lesson 06 will fetch them: {failure}"
            ERR.print(escape(said), soft_wrap=True)
    return names


def _build_the_api(client: "DockerClient") -> str | None:
    """Build the API as lesson 06 does on a slow engine, and keep nothing of it but the build cache, and what
    predictions learn of that: npm's first installation takes a minute there. What failed, if anything did.
    """
    from course import labels
    from course.builds import record
    from course.engine import docker_host
    from course.folders import notebooks_folder
    from course.forecast import explain
    from course.lab.project import Project
    from course.lessons.lighter import make_lighter

    with Project(notebooks_folder() / "apps/api", client=client, dockerfile="ordered.Dockerfile") as project:
        make_lighter(project)
        trace = explain(client, project.root, no_cache=True).trace
    if trace.image_id:
        client.images.remove(trace.image_id)
    record.forget(docker_host(client), [labels.session()])  # or a clean-up would take the cache away
    return str(trace.error) if trace.error else None
