"""A minimal Debian without root: its packages are unpacked here, and configured on the engine.

Enters: a release and a mirror. Leaves: a build context. Downloads packages with the host's own apt; may import
`course.engine`.

mmdebstrap, which does all of it here, needs root or user namespaces. As it does (mmdebstrap(1), "essential"), dpkg
installs all packages at once, over their own unpacked files.
"""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from course.engine.vm.packages import default_mirror, fetch

_PACKAGES: Final = ("?essential", "apt", "ca-certificates")
_MERGED: Final = ("bin", "lib", "lib64", "sbin")
"""Since bookworm these are links into /usr; some packages still have files there."""
_DOCKERFILE: Final = """\
FROM scratch AS unpacked
ADD root.tar /
RUN --mount=type=bind,source=archives,target=/archives \\
    mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates && touch /var/lib/dpkg/status /var/lib/dpkg/available \\
 && DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes dpkg --install --force-depends /archives/*.deb \\
 && rm -f /var/log/dpkg.log /var/log/alternatives.log
COPY sources.list /etc/apt/sources.list
FROM scratch
COPY --from=unpacked / /
CMD ["bash"]
"""


def prepare_debian(folder: Path, *, release: str, mirror: str | None) -> None:
    """Fill `folder` with what building a minimal Debian needs; raises `CourseError` in apt's own words."""
    packages = folder / "packages"
    packages.mkdir()
    fetch(_PACKAGES, packages, mirror=mirror, suite=release, say=lambda doing: None)
    (packages / "archives").rename(folder / "archives")
    shutil.rmtree(packages)
    with tarfile.open(folder / "root.tar", "w", format=tarfile.GNU_FORMAT) as merged:
        _merge(sorted((folder / "archives").glob("*.deb")), merged)
    address = mirror or default_mirror()
    (folder / "sources.list").write_text(f"deb {address} {release} main\n", encoding="utf-8")
    (folder / "Dockerfile").write_text(_DOCKERFILE, encoding="utf-8")


def _merge(archives: list[Path], merged: tarfile.TarFile) -> None:
    """All files of these packages in one archive, with their owners and modes, and below /usr where they belong."""
    for name in _MERGED:
        link = tarfile.TarInfo(name)
        link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
        merged.addfile(link)
    seen: set[str] = set()
    for member, content in (pair for archive in archives for pair in _members(archive)):
        name = _merged_name(member.name)
        if name in seen or name in ("", ".") or (member.issym() and member.name.removeprefix("./") in _MERGED):
            continue
        seen.add(name)
        member.name = name
        if member.islnk():
            member.linkname = _merged_name(member.linkname)
        merged.addfile(member, content)


def _merged_name(name: str) -> str:
    name = name.removeprefix("./").rstrip("/")
    return f"usr/{name}" if name.partition("/")[0] in _MERGED else name


def _members(archive: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    with (
        subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as unpacking,
        tarfile.open(fileobj=unpacking.stdout, mode="r|") as tar,
    ):
        for member in tar:
            yield member, tar.extractfile(member) if member.isfile() else None
