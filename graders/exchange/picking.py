"""Find, in what a student handed in, the files that the assignment names.

Enters: `Entry`s. Leaves: `Picked`, or `Unsafe`. Reads what is asked for; may import its neighbours.

Students zip a folder of the assignment's name, one of another name or none, or zip the zip. The files are looked for
where they stand highest; what macOS puts beside them and what a build leaves there does not count.
"""

import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from graders.exchange.entries import OF_A_STUDENT, Entry, Unsafe, open_zip

ARTIFACT_BYTES: Final = 1 << 20
NOTEBOOK_BYTES: Final = 16 << 20
ZIP_BYTES: Final = 64 << 20
ZIPS: Final = 5
_DEPTH: Final = 2
_NOT_THEIRS: Final = frozenset({"__MACOSX", ".DS_Store", "node_modules", ".git", ".ipynb_checkpoints"})


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What an assignment asks for; `name` is its own, which students give to the folder as well."""

    name: str
    artifacts: tuple[str, ...]
    notebooks: tuple[str, ...]

    @property
    def files(self) -> frozenset[str]:
        """All names."""
        return frozenset((*self.artifacts, *self.notebooks))


def pick(entries: Sequence[Entry], wanted: Wanted, depth: int = _DEPTH) -> dict[str, bytes]:
    """The wanted files by name, at least one; raises `Unsafe` where there is none or it cannot be told which."""
    if any(entry.escapes for entry in entries):
        raise Unsafe("a name in it points outside of it")
    theirs = [one for one in entries if not _NOT_THEIRS.intersection(one.path) and not one.name.startswith("._")]
    plain = [entry for entry in theirs if entry.name in wanted.files]
    files = _read(_at_home(theirs, plain, wanted), wanted)
    if not files.keys() & set(wanted.artifacts):
        files |= _from_zips([entry for entry in theirs if entry.name.lower().endswith(".zip")], wanted, depth)
    if not files:
        raise Unsafe(f"there is no {', '.join(wanted.artifacts)} in it")
    return files


def _at_home(theirs: Sequence[Entry], plain: Sequence[Entry], wanted: Wanted) -> list[Entry]:
    """The wanted files of the one folder that they are taken from."""
    homes: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    counted = [entry for entry in plain if entry.name in wanted.artifacts] or plain
    for entry in counted:
        homes[entry.path[:-1]].append(entry)
    if not homes:
        return []
    top = min(map(len, homes))
    highest = [home for home in homes if len(home) == top]
    if len(highest) > 1:
        highest = [home for home in highest if home[-1] == wanted.name] or highest
    if len(highest) > 1:
        raise Unsafe(f"two folders hold {homes[highest[0]][0].name} or the like: {_named(highest)}")
    home = highest[0]
    _check_cases([entry for entry in theirs if entry.path[:-1] == home], wanted)
    taken = [entry for entry in plain if entry.path[:-1] == home]
    others = [entry for entry in plain if entry.name in wanted.notebooks and entry.path[:-1] != home]
    if len(others) == 1 and others[0].name not in {entry.name for entry in taken}:
        taken += others
    return taken


def _check_cases(beside: Sequence[Entry], wanted: Wanted) -> None:
    """Raise `Unsafe` where a wanted name stands there twice, small and capital letters being the same."""
    names: dict[str, list[str]] = defaultdict(list)
    for entry in beside:
        names[entry.name.casefold()].append(entry.name)
    for name in sorted(wanted.files):
        same = names[name.casefold()]
        if len(same) > 1:
            raise Unsafe(f"more than one file is called {' or '.join(sorted(set(same)))}")


def _read(entries: Sequence[Entry], wanted: Wanted) -> dict[str, bytes]:
    limits = dict.fromkeys(wanted.artifacts, ARTIFACT_BYTES) | dict.fromkeys(wanted.notebooks, NOTEBOOK_BYTES)
    return {entry.name: entry.read(limits[entry.name]) for entry in entries}


def _from_zips(zips: Sequence[Entry], wanted: Wanted, depth: int) -> dict[str, bytes]:
    if len(zips) > ZIPS or (zips and not depth):
        raise Unsafe("there are too many zips in it" if depth else "there are zips in zips in zips")
    found: dict[str, dict[str, bytes]] = {}
    problems = []
    for entry in zips:
        try:
            with open_zip(io.BytesIO(entry.read(ZIP_BYTES)), OF_A_STUDENT) as inside:
                found["/".join(entry.path)] = pick(inside, wanted, depth - 1)
        except Unsafe as problem:
            problems.append(f"{entry.name}: {problem}")
    if problems and not found:
        raise Unsafe("; ".join(problems))
    if len({tuple(sorted(files.items())) for files in found.values()}) > 1:
        raise Unsafe(f"more than one zip holds them: {', '.join(found)}")
    return next(iter(found.values()), {})


def _named(homes: Sequence[tuple[str, ...]]) -> str:
    return ", ".join("/".join(home) or "the top" for home in homes[:3])
