"""The paths that the engine wants to follow, with what the links on their way lead to.

Enters: a folder and `followpaths` of the engine. Leaves: include patterns. Reads links; may import
`course.patterns`.

Source: tonistiigi/fsutil followlinks.go. An absolute target, and one that climbs out of the folder, begins again at the
folder: nothing outside of it is ever read.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from course.patterns import BadPattern, clean, glob


def follow(root: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """The paths with every link met on the way and its target, sorted; empty when one of them is the folder itself."""
    found: set[str] = set()
    for path in paths:
        _follow(root, path, found)
    return without_covered(sorted(found, key=os.fsencode))


def without_covered(paths: Sequence[str]) -> tuple[str, ...]:
    """Drop what lies below another path of a sorted list; nothing is left when all of the folder is wanted."""
    kept: list[str] = []
    for path in paths:
        if path == ".":
            return ()
        if not kept or not path.startswith(kept[-1] + "/"):
            kept.append(path)
    return tuple(kept)


def _follow(root: Path, path: str, found: set[str]) -> None:
    current = "."
    rest = clean("/" + path)[1:]
    while True:
        name, _, rest = rest.partition("/")
        current = clean(f"{current}/{name}")
        targets = _targets(root, current, globs=True)
        if (targets or not rest) and current in found:
            return
        if targets:
            found.add(current)
            for target in targets:
                _follow(root, f"{target}/{rest}", found)
            return
        if not rest:
            found.add(current)
            return


def _targets(root: Path, path: str, *, globs: bool) -> list[str]:
    """Where the link at `path` leads, or with `globs` the links of that pattern; from the folder's root."""
    parent, _, name = path.rpartition("/")
    if globs and _has_glob(name):
        try:
            matches = glob(name).match
            names = sorted((item.name for item in (root / parent).iterdir()), key=os.fsencode)
        except (BadPattern, OSError):
            return []
        below = [f"{parent}/{found}" if parent else found for found in names if matches(found)]
        return [target for found in below for target in _targets(root, found, globs=False)]
    try:
        target = os.readlink(root / path)
    except (OSError, ValueError):
        return []
    target = target.replace("\\", "/") if os.sep == "\\" else target
    return [target if target.startswith("/") else f"/{parent}/{target}"]


def _has_glob(name: str) -> bool:
    position = 0
    while position < len(name):
        if name[position] in "*?[":
            return True
        position += 2 if name[position] == "\\" and os.sep != "\\" else 1
    return False
