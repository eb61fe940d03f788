"""A bundle: a guest in one file, to be carried to a machine that can build none.

Enters: a guest's folder and a file. Leaves: a compressed tar, or the guest in its place. May import `course.errors` and
its neighbours.

Its snapshot for emulation goes along, since QEMU itself does; one for KVM is for this kind of processor, and stays.
"""

import hashlib
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO, Final

from course.engine.vm.build import put_in_place, workshop
from course.engine.vm.machine import TCG
from course.engine.vm.place import NOTES, Manifest, Place, read_manifest
from course.engine.vm.running import BUILD, check_possible
from course.errors import CourseError

_CHUNK_BYTES: Final = 1 << 20
_MANIFEST: Final = "manifest.json"
_PARTS: Final = ("vmlinuz", "initrd", "disk.qcow2", "qemu", TCG)

Say = Callable[[str], None]


def bundle(here: Place, file: Path, *, say: Say) -> str:
    """Write the guest to `file`; its SHA-256. A file that could not be finished is removed."""
    manifest = read_manifest(here.guest)
    if manifest is None:
        raise CourseError("The VM engine is not built yet.", fix=BUILD)
    carried = replace(manifest, snapshots={TCG: manifest.snapshots[TCG]})
    partial = file.with_name(file.name + ".partial")
    try:
        with tarfile.open(partial, "w:gz", compresslevel=1) as tar:
            noted = json.dumps(carried.to_json(), indent=1).encode()
            member = tarfile.TarInfo(_MANIFEST)
            member.size = len(noted)
            tar.addfile(member, BytesIO(noted))
            for part in (*_PARTS, *([NOTES] if here.notes.is_dir() else [])):
                say(f"packing {part}")
                tar.add(here.guest / part, part, filter=_nobodys)
        partial.replace(file)
    except OSError as error:
        raise CourseError(f"{file} cannot be written: {error.strerror}.", fix="another place with more space") from None
    finally:
        partial.unlink(missing_ok=True)
    return sha256(file)


def unpack(here: Place, file: Path, *, expected: str | None = None, say: Say) -> Manifest:
    """Put a bundle's guest in the place of this user's; refuses what is no bundle, or not the `expected` one."""
    check_possible()
    try:
        if expected and sha256(file) != expected.lower():
            raise CourseError(f"{file} is not the bundle that was expected: its SHA-256 differs.", fix="fetch it again")
        with workshop(here) as folder:
            guest = folder / "guest"
            with tarfile.open(file, "r:gz") as tar:
                for number, member in enumerate(tar):
                    say(f"unpacking {member.name.partition('/')[0]}")
                    _extract(tar, member, guest)
                    if number == 0 and read_manifest(guest) is None:
                        raise ValueError(f"{_MANIFEST} does not come first")
            manifest = read_manifest(guest)
            if manifest is None or not all((guest / part).exists() for part in _PARTS):
                raise CourseError(f"{file} is no bundle of a VM engine.", fix="course engine bundle-vm FILE")
            put_in_place(here, guest)
        return manifest
    except (tarfile.TarError, EOFError, ValueError) as error:
        fix = "make one with `course engine bundle-vm FILE`"
        raise CourseError(f"{file} is no bundle of a VM engine, or is cut short: {error}.", fix=fix) from None
    except OSError as error:
        reason = error.strerror or "it is damaged"  # gzip's own complaint has no errno
        raise CourseError(f"{file} cannot be unpacked: {reason}.", fix="fetch it again, or make space") from None


def sha256(file: Path) -> str:
    """The SHA-256 of a file's content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """One file or folder, and nothing outside `folder`; runs of zeros are left out of what is written."""
    target = (folder / member.name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise tarfile.TarError(f"{member.name} lies outside")
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
    elif member.isfile():
        target.parent.mkdir(parents=True, exist_ok=True)
        content = tar.extractfile(member)
        assert content is not None
        with target.open("wb") as file:
            _write_sparsely(content, file)
            file.truncate(member.size)
        target.chmod(0o700 if member.mode & 0o100 else 0o600)
    else:
        raise tarfile.TarError(f"{member.name} is neither a file nor a folder")


def _write_sparsely(content: IO[bytes], file: IO[bytes]) -> None:
    while chunk := content.read(_CHUNK_BYTES):
        if chunk.count(0) == len(chunk):
            file.seek(len(chunk), 1)
        else:
            file.write(chunk)
