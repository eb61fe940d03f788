"""Debian packages, downloaded and unpacked without root, into a folder of their own.

Enters: names of packages, a mirror. Leaves: their files below a folder, and the versions that they had. Runs apt-get
and dpkg-deb with a private configuration; nothing is installed. May import `course.errors`.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from course.errors import CourseError

SUITE: Final = "trixie"
NEWER: Final = f"{SUITE}-backports"
FROM_NEWER: Final = "qemu-* seabios ipxe-qemu libslirp0"
"""QEMU 10 forwards no Unix sockets into a guest (qemu-project/qemu issue 347); what backports has does."""
_KEYRINGS: Final = ("usr/share/keyrings/debian-archive-keyring.gpg", "usr/share/keyrings/debian-archive-keyring.pgp")
_ELSEWHERE: Final = "`course engine build-vm --from FILE` with a bundle from another machine"
_TOOLS: Final = ("apt-get", "dpkg-deb")


def unpack(
    wanted: Sequence[str], folder: Path, *, mirror: str | None, say: Callable[[str], None] = print
) -> dict[str, str]:
    """Unpack `wanted` and the libraries that they depend on below `folder`/root; the version of each package."""
    chosen = fetch(wanted, folder, mirror=mirror, needed=lambda name: _is_needed(name, wanted), say=say)
    say("unpacking")
    for archive in sorted((folder / "archives").glob("*.deb")):
        _run(["dpkg-deb", "-x", str(archive), str(folder / "root")])
    return chosen


def fetch(
    wanted: Sequence[str],
    folder: Path,
    *,
    mirror: str | None,
    suite: str = SUITE,
    needed: Callable[[str], bool] = lambda name: True,
    say: Callable[[str], None] = print,
) -> dict[str, str]:
    """Download `wanted` (names or patterns of apt) with all that they depend on and is `needed`, to `folder`/archives;
    the version of each package. Raises `CourseError` in apt's own words.
    """
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise CourseError(f"The guest is built from Debian's packages, and {missing[0]} is not here.", fix=_ELSEWHERE)
    mirror = mirror or default_mirror()
    if mirror is None:
        fix = f"--mirror URL, or apt-get install python-apt-common, or {_ELSEWHERE}"
        raise CourseError("This machine's apt names no mirror of Debian.", fix=fix)
    if _keyring() is None:
        fix = f"apt-get install debian-archive-keyring, or {_ELSEWHERE}"
        raise CourseError("Debian's keys are not here, and its packages could not be checked.", fix=fix)
    configuration = _configure(folder, mirror, suite)
    _apt(configuration, "update")
    solved = _apt(configuration, "--simulate", "install", *wanted)
    found = dict(re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+)", solved, re.M))
    chosen = {name: version for name, version in found.items() if needed(name)}
    say(f"fetching {len(chosen)} packages")
    archives = folder / "archives"
    archives.mkdir(exist_ok=True)
    _apt(configuration, "download", *(f"{name}={version}" for name, version in chosen.items()), at=archives)
    return dict(sorted(chosen.items()))


def default_mirror(root: Path = Path("/")) -> str | None:
    """Debian's own address, as python-apt's data has it, on other systems too; None where that is not here."""
    try:
        known = (root / "usr/share/python-apt/templates/Debian.info").read_text(encoding="utf-8")
    except OSError:
        return None
    address = re.search(r"^BaseURI:\s*(\S+)", known, re.M)
    return address[1].rstrip("/") if address else None


def _is_needed(name: str, wanted: Sequence[str]) -> bool:
    """What is asked for, libraries, and the kernel itself; not what only maintainer scripts need."""
    return name in wanted or name.startswith(("lib", "linux-image-", "qemu-", "seabios"))


def _keyring() -> str | None:
    return next((f"/{path}" for path in _KEYRINGS if Path("/", path).is_file()), None)


def _configure(folder: Path, mirror: str, suite: str) -> Path:
    """An apt configuration that knows nothing of this machine's packages, in `folder`."""
    for name in ("state/lists/partial", "cache/archives/partial", "parts", "log"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    suites = (suite, NEWER) if suite == SUITE else (suite,)
    sources = "".join(f"deb [signed-by={_keyring()}] {mirror} {one} main\n" for one in suites)
    (folder / "sources.list").write_text(sources, encoding="utf-8")
    pin = f"Package: {FROM_NEWER}\nPin: release n={NEWER}\nPin-Priority: 900\n"
    (folder / "parts/pins").write_text(pin, encoding="utf-8")
    settings: Mapping[str, str] = {
        "Dir::State": str(folder / "state"),
        "Dir::State::status": str(folder / "status"),
        "Dir::Cache": str(folder / "cache"),
        "Dir::Etc::sourcelist": str(folder / "sources.list"),
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": str(folder / "parts"),
        "Dir::Log": str(folder / "log"),
        "APT::Sandbox::User": "root",  # where root runs this, it is a folder that no other user may read
        "APT::Architecture": "amd64",
        "APT::Install-Recommends": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    configuration = folder / "apt.conf"
    configuration.write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()), encoding="utf-8")
    return configuration


def _apt(configuration: Path, *words: str, at: Path | None = None) -> str:
    return _run(["apt-get", "-q", "-y", *words], configuration=configuration, at=at)


def _run(command: list[str], *, configuration: Path | None = None, at: Path | None = None) -> str:
    settings = ["env", f"APT_CONFIG={configuration}"] if configuration else []
    done = subprocess.run(
        [*settings, *command],
        cwd=at,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("E:", "dpkg-deb:"))]
        raise CourseError(f"{command[0]} failed: {' '.join(said[:2])}", fix=f"check the network, or {_ELSEWHERE}")
    return done.stdout
