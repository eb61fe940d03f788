"""What the commands around the VM engine's guest do.

Enters: parsed arguments. Leaves: an exit status. Imports the rooms lazily, so that `course --help` is quick.
"""

import argparse
from typing import TYPE_CHECKING

from course.commands import ERR, OUT
from course.errors import CourseError

if TYPE_CHECKING:
    from docker import DockerClient


def build_vm(arguments: argparse.Namespace) -> int:
    """Build the guest of the VM engine."""
    from course import engine
    from course.engine.native import machine_settings
    from course.engine.vm.build import Source, build
    from course.engine.vm.place import place
    from course.images import find
    from course.images.machine import read_machine

    if arguments.from_ is not None:
        return _unpack(arguments)
    names = tuple(entry.name for entry in find(arguments.images)) if arguments.images is not None else ()
    machine = read_machine()
    source = Source(
        mirror=arguments.mirror or machine.apt_mirror, certificates=machine.ca_bundle, settings=machine_settings()
    )
    try:
        donor = engine.connect(start=False)
    except CourseError:
        donor = None
    with ERR.status("Building the VM engine") as state:
        manifest = build(place(), source, lambda client: _fill(client, names, donor), say=state.update)
    with_images = f" with {', '.join(manifest.images)}" if manifest.images else ""
    OUT.print(f"The VM engine is built{with_images}: `course engine start --kind vm`.")
    return 0


def bundle_vm(arguments: argparse.Namespace) -> int:
    """Write the guest to one file."""
    from course.engine.vm.bundle import bundle
    from course.engine.vm.place import place

    with ERR.status("Packing") as state:
        digest = bundle(place(), arguments.file, say=state.update)
    OUT.print(f"{arguments.file} holds the VM engine. SHA-256: {digest}", soft_wrap=True)
    return 0


def _unpack(arguments: argparse.Namespace) -> int:
    from course.engine.vm.bundle import unpack
    from course.engine.vm.place import place

    with ERR.status("Unpacking") as state:
        manifest = unpack(place(), arguments.from_, expected=arguments.sha256, say=state.update)
    OUT.print(f"The VM engine is here, with {', '.join(manifest.images) or 'no images'}.")
    return 0


def _fill(client: "DockerClient", names: tuple[str, ...], donor: "DockerClient | None") -> tuple[str, ...]:
    """Copy the images from another engine of this machine, where there is one that has them; else make them here."""
    from docker.errors import ImageNotFound

    from course.engine.http import load, stream
    from course.images import ensure

    for name in names:
        if donor is None:
            break
        try:
            donor.images.get(name)
        except ImageNotFound:
            continue
        load(client, stream(donor, "/images/get", {"names": [name]}))
    ensure(client, names, consent=True)
    return names
