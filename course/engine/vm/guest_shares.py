"""Shares in the guest: lines of shell that mount them there.

Enters: folders of this machine, and links that lead to them. Leaves: lines for the guest's agent. Pure; may import
nothing here, since the keeper uses it.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

_OPTIONS: Final = "trans=virtio,version=9p2000.L,msize=512000,cache=mmap"


def mounting(shares: Sequence[str], links: Mapping[str, str]) -> Iterator[str]:
    """Mount each share at the same path as here, and make its other names: links, and where they lead."""
    for number, path in enumerate(shares):
        at = shlex.quote(path)
        mount = f"mount -t 9p -o {_OPTIONS} share{number} {at}"
        there = f"mount | grep -qF {shlex.quote(f' on {path} type ')}"
        yield f"mkdir -p {at} && {{ {there} || {mount}; }} || exit 1"
    for link, target in links.items():
        yield _linking(link, target)


def unmounting(share: str) -> str:
    """Unmount a share, which fails while it is in use."""
    return f"umount {shlex.quote(share)}"


def _linking(link: str, target: str) -> str:
    """A line that makes a link, in the place of an older one or of empty folders; it says where there is more."""
    at, above, to = shlex.quote(link), shlex.quote(str(Path(link).parent)), shlex.quote(target)
    clear = f"if [ -L {at} ]; then rm {at}; else find {at} -xdev -depth -type d -exec rmdir {{}} + 2>/dev/null; fi"
    make = f"mkdir -p {above} && ln -s {to} {at}"
    return f"{clear}; if [ -e {at} ]; then echo {at} is something else in the guest; else {make} || exit 1; fi"
