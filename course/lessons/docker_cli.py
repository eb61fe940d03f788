"""The docker command for a lesson's cells: the one that is installed, else the real one from Debian's packages.

Enters: the engine in use, and which of the command's plugins are needed. Leaves: environment variables under which
`docker ...` reaches that engine. Downloads packages without root and unpacks them in the user's data folder; may import
`course.engine`, `course.errors`, `course.folders` and `course.images`.

The packages go through this machine's own mirror by a private apt directory (apt.conf(5), DIR); nothing is installed.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from docker import DockerClient
from docker.context import ContextAPI
from filelock import FileLock

from course import labels
from course.engine import docker_host
from course.errors import CourseError
from course.folders import data_folder
from course.images.machine import apt_mirror

RELEASE: Final = "trixie"
PACKAGES: Final = ("docker-cli", "docker-buildx", "docker-compose")
_INSTALL_BY_HAND: Final = "install the docker command: docker-cli, docker-ce-cli or Docker Desktop"
_TIMEOUT_S: Final = 600


def cli_environment(client: DockerClient, plugins: Sequence[str] = ()) -> dict[str, str]:
    """What to set so that `docker` is a command with these `plugins` (compose, buildx) and reaches the client's engine.

    Raises `CourseError` when there is no such command and none can be fetched.
    """
    environment = _address(client)
    if not _works(os.environ, plugins):
        environment |= _own_cli()
    return environment


def _address(client: DockerClient) -> dict[str, str]:
    """DOCKER_HOST, unless the command finds this engine by itself; certificates travel in no variable of ours."""
    here = docker_host(client)
    found = os.environ.get("DOCKER_HOST") or ContextAPI.get_current_context().Host
    tls = str(client.api.base_url).startswith("https://")
    return {} if tls or found == here else {"DOCKER_HOST": here}


def _works(environment: Mapping[str, str], plugins: Sequence[str]) -> bool:
    program = shutil.which("docker", path=environment.get("PATH", os.defpath))
    if program is None:
        return False
    commands = [[program, "--version"], *([program, plugin, "version"] for plugin in plugins)]
    return all(_run(command, environment).returncode == 0 for command in commands)


def _own_cli() -> dict[str, str]:
    """The course's own command; the person's docker configuration stays in use, with the plugins beside it."""
    root = data_folder() / "docker-cli"
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / "lock", timeout=_TIMEOUT_S):
        if not (root / "usr/bin/docker").exists():
            _unpack_packages(root)
        configuration = _configuration(root)
    path = os.pathsep.join((str(root / "usr/bin"), os.environ.get("PATH", os.defpath)))
    return {"PATH": path, "DOCKER_CONFIG": str(configuration)}


def _configuration(root: Path) -> Path:
    """A folder of links: to all of the person's own configuration, and to the plugins."""
    folder = root / "config"
    theirs = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    if theirs == folder:  # set by an earlier call in this process
        return folder
    plugins = root / "usr/libexec/docker/cli-plugins"
    links = {folder / "cli-plugins" / plugin.name: plugin for plugin in plugins.iterdir()}
    if theirs.is_dir():
        links |= {folder / entry.name: entry for entry in theirs.iterdir() if entry.name != "cli-plugins"}
    (folder / "cli-plugins").mkdir(parents=True, exist_ok=True)
    for link, target in links.items():
        if not link.is_symlink():
            link.symlink_to(target)
    return folder


def _unpack_packages(root: Path) -> None:
    mirror = apt_mirror()
    if mirror is None or not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise CourseError("There is no docker command here that a lesson can use.", fix=_INSTALL_BY_HAND)
    with tempfile.TemporaryDirectory(prefix=labels.folder_prefix()) as folder:
        options = _private_apt(Path(folder), mirror)
        environment = {**os.environ, "LC_ALL": "C"}
        for command in (["update"], ["download", *PACKAGES]):
            _demand(["apt-get", "-qq", *options, *command], environment, Path(folder))
        partial = root / "partial"
        shutil.rmtree(partial, ignore_errors=True)
        for package in sorted(Path(folder).glob("*.deb")):
            _demand(["dpkg-deb", "-x", str(package), str(partial)], environment, Path(folder))
    shutil.rmtree(root / "usr", ignore_errors=True)
    (partial / "usr").rename(root / "usr")
    shutil.rmtree(partial)


def _private_apt(folder: Path, mirror: str) -> list[str]:
    """Options under which apt reads and writes nothing of the system's but its proxies, certificates and keys."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb {mirror} {RELEASE} main\n", encoding="utf-8")
    values = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "",  # it could not enter a folder of this user's
    }
    return [part for name, value in values.items() for part in ("-o", f"{name}={value}")]


def _demand(command: list[str], environment: Mapping[str, str], folder: Path) -> None:
    done = _run(command, environment, folder)
    if done.returncode:
        last = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()][-1:]
        raise CourseError(
            f"The docker command cannot be fetched: {command[0]} says {''.join(last) or 'nothing'}",
            fix=f"check the network, or {_INSTALL_BY_HAND}",
        )


def _run(
    command: list[str], environment: Mapping[str, str], folder: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=_TIMEOUT_S,
    )
