"""What an image is made of: its layers, and what each of them adds, changes and removes.

Enters: docker-py's client, or the archive that `docker save` writes. Leaves: `ImageLayers`. Reads the archive as it
comes and keeps no file; may import `course.errors` and its neighbour.

Both of an archive's forms are read: Docker's own of before 25 (a folder per layer) and the OCI layout (blobs).
Deletions are the marks of OCI's image specification (layer.md, 'Whiteouts').
"""

import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from docker import DockerClient
from docker.errors import ImageNotFound

from course.errors import CourseError
from course.images.forward import Forward, Part

_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_SHELL: Final = re.compile(r"(?:RUN )?(?:\|\d+ .*?)?/bin/sh -c ", re.DOTALL)
_GZIP: Final = b"\x1f\x8b"
_JSON_LIMIT: Final = 4_000_000
"""A description of an image is smaller, and a layer's blob that begins like JSON would not be one."""


class Kind(StrEnum):
    """What a layer does to a path."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One path in one layer. `size_bytes` is the file's, 0 for what has no content of its own; `hidden_by` the position
    of a later layer that removed or replaced it.
    """

    path: str
    kind: Kind
    size_bytes: int = 0
    is_folder: bool = False
    hidden_by: int | None = None


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer. `digest` is that of its uncompressed archive (the config's diff_id)."""

    digest: str
    created_by: str
    changes: tuple[Change, ...]

    @property
    def size_bytes(self) -> int:
        """Its files' sizes, summed."""
        return sum(change.size_bytes for change in self.changes)

    @property
    def wasted_bytes(self) -> int:
        """What it holds and nobody sees, since a later layer hides it."""
        return sum(change.size_bytes for change in self.changes if change.hidden_by is not None)


@dataclass(frozen=True, kw_only=True)
class ImageLayers:
    """The layers from the base up. `metadata` are the steps that made none."""

    name: str
    layers: tuple[Layer, ...]
    metadata: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """The layers' sizes, summed."""
        return sum(layer.size_bytes for layer in self.layers)

    @property
    def wasted_bytes(self) -> int:
        """What was stored and cannot be seen any more."""
        return sum(layer.wasted_bytes for layer in self.layers)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def files(self, up_to: int | None = None) -> dict[str, int]:
        """Path to size of the files that are seen with the layers below position `up_to`, with all by default."""
        top = len(self.layers) if up_to is None else up_to
        return {
            change.path: change.size_bytes
            for layer in self.layers[:top]
            for change in layer.changes
            if change.kind is not Kind.REMOVED
            and not change.is_folder
            and (change.hidden_by is None or change.hidden_by >= top)
        }


def shared_layers(one: ImageLayers, other: ImageLayers) -> int:
    """How many layers, counted from the base, both have: an engine stores these once."""
    count = 0
    for mine, theirs in zip(one.layers, other.layers, strict=False):
        if mine.digest != theirs.digest:
            break
        count += 1
    return count


def read_layers(client: DockerClient, name: str, *, called: str = "") -> ImageLayers:
    """Read an image from the engine; `called` is its name for people. Raises `CourseError` when there is none."""
    return read_archive(_saved(client, name), called or name)


def read_stored(client: DockerClient, name: str, path: str) -> bytes | None:
    """The content of a file as some layer stores it, hidden by a later one or not; None where no layer has it."""
    stream = Forward(_saved(client, name))
    with tarfile.open(fileobj=stream, mode="r:") as outer:  # type: ignore[call-overload]  # needs no more of a file
        while (member := outer.next()) is not None:
            begin = stream.peek(2) if member.isfile() else b""
            if _is_layer(member, begin):
                with _open_layer(Part(stream, member.size), begin) as layer:
                    while (entry := layer.next()) is not None:
                        content = layer.extractfile(entry) if entry.isfile() and _path(entry) == path else None
                        if content:
                            return content.read()
    return None


def _saved(client: DockerClient, name: str) -> Iterator[bytes]:
    try:
        image_id = str(client.images.get(name).id)
    except ImageNotFound:
        raise CourseError(f"There is no image {name}.", fix="`docker images` lists what the engine has") from None
    wanted = name if not name.startswith("sha256:") else image_id
    saved: Iterator[bytes] = client.api.get_image(wanted)
    return saved


def read_archive(archive: Iterable[bytes], name: str) -> ImageLayers:
    """Read what `docker save` wrote, as it comes in chunks. Raises `CourseError` when it is not an image."""
    listings: dict[str, list[_Entry]] = {}
    documents: dict[str, Any] = {}
    links: dict[str, str] = {}
    stream = Forward(archive)
    try:
        with tarfile.open(fileobj=stream, mode="r:") as outer:  # type: ignore[call-overload]  # needs no more of a file
            while (member := outer.next()) is not None:
                if member.issym() or member.islnk():  # the same layer, twice in one image
                    links[member.name] = _resolved(member)
                elif member.isfile():
                    _read_member(stream, member, listings, documents)
    except tarfile.TarError as error:
        raise CourseError(f"{name}: the archive cannot be read: {error}", fix="an archive of `docker save`") from error
    manifest = documents.get("manifest.json")
    if not manifest:
        raise CourseError(f"{name}: the archive has no manifest.", fix="an archive of `docker save`")
    config = documents[manifest[0]["Config"]]
    paths = [links.get(path, path) for path in manifest[0]["Layers"]]
    return _assemble(name, [listings[path] for path in paths], config)


@dataclass(frozen=True)
class _Entry:
    """One member of a layer's archive."""

    path: str
    size_bytes: int
    is_folder: bool


def _read_member(
    stream: Forward, member: tarfile.TarInfo, listings: dict[str, list[_Entry]], documents: dict[str, Any]
) -> None:
    """Read the member at which the stream stands, where it is a document or a layer."""
    begin = stream.peek(2)
    if member.name.endswith(".json") or (begin[:1] == b"{" and member.size < _JSON_LIMIT):
        try:
            documents[member.name] = json.loads(stream.read(member.size))
        except ValueError:  # a file that is neither: of a plug-in's, or a version's of its own
            return
    elif _is_layer(member, begin):
        with _open_layer(Part(stream, member.size), begin) as layer:
            listings[member.name] = list(_entries(layer))


def _is_layer(member: tarfile.TarInfo, begin: bytes) -> bool:
    """Whether a member of the archive, which begins so, is a layer; a small JSON document is none."""
    is_document = begin[:1] == b"{" and member.size < _JSON_LIMIT
    named = member.name.endswith("layer.tar") or "blobs/" in member.name
    return member.isfile() and member.size > 1 and named and not is_document


def _open_layer(layer: Part, begin: bytes) -> tarfile.TarFile:
    """A layer's own archive; the containerd store may have it compressed."""
    file: Any = layer  # all that tarfile needs of one
    if begin == _GZIP:
        return tarfile.open(fileobj=file, mode="r|*", bufsize=1 << 18)
    return tarfile.open(fileobj=file, mode="r:")


def _entries(layer: tarfile.TarFile) -> Iterator[_Entry]:
    while (member := layer.next()) is not None:
        yield _Entry(_path(member), member.size if member.isfile() else 0, member.isdir())
        layer.members.clear()  # type: ignore[attr-defined]  # nobody goes back to them


def _path(member: tarfile.TarInfo) -> str:
    """Its name; what is not UTF-8 in it is written out, since nobody could print it or save it."""
    name = member.name.removeprefix("./").strip("/")
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _resolved(member: tarfile.TarInfo) -> str:
    parts = [*member.name.split("/")[:-1], *member.linkname.split("/")] if member.issym() else [member.linkname]
    kept: list[str] = []
    for part in parts:
        if part == "..":
            kept.pop()
        else:
            kept.append(part)
    return "/".join(kept)


def _assemble(name: str, listings: Sequence[Sequence[_Entry]], config: dict[str, Any]) -> ImageLayers:
    history = config.get("history") or []
    makers = [str(one.get("created_by", "")) for one in history if not one.get("empty_layer")]
    metadata = [str(one.get("created_by", "")) for one in history if one.get("empty_layer")]
    changes = _changes(listings)
    layers = tuple(
        Layer(digest=digest, created_by=_plain(makers[n]) if n < len(makers) else "", changes=tuple(changes[n]))
        for n, digest in enumerate(config["rootfs"]["diff_ids"])
    )
    return ImageLayers(name=name, layers=layers, metadata=tuple(map(_plain, metadata)))


def _plain(created_by: str) -> str:
    """The Dockerfile's line out of what an engine notes of it."""
    words = created_by.removesuffix("# buildkit").strip()
    if words.startswith("/bin/sh -c #(nop)"):
        return words.removeprefix("/bin/sh -c #(nop)").strip()
    command = _SHELL.match(words)  # with ARGs in force their number and values stand before the shell
    return f"RUN {words[command.end() :]}" if command else words


def _changes(listings: Sequence[Sequence[_Entry]]) -> list[list[Change]]:
    """What each layer does to what the ones below it show, and which of it later ones hide."""
    changes: list[list[Change]] = []
    there: dict[str, tuple[int, int]] = {}
    below: dict[str, set[str]] = {}
    for position, entries in enumerate(listings):
        mine: list[Change] = []
        changes.append(mine)
        for entry in sorted(entries, key=lambda one: not _is_whiteout(one.path)):
            folder, _, last = entry.path.rpartition("/")
            if last == _OPAQUE:
                for path in sorted(below.get(folder, ())):
                    _hide(path, position, there, below, changes)
            elif last.startswith(_WHITEOUT):
                path = "/".join(part for part in (folder, last.removeprefix(_WHITEOUT)) if part)
                _hide(path, position, there, below, changes)
                mine.append(Change(path=path, kind=Kind.REMOVED))
            elif entry.path and entry.path != ".":
                before = there.get(entry.path)
                if before and entry.is_folder and changes[before[0]][before[1]].is_folder:
                    continue  # a folder comes again with every file below it
                if before:
                    _hide(entry.path, position, there, below, changes)
                kind = Kind.CHANGED if before else Kind.ADDED
                there[entry.path] = (position, len(mine))
                below.setdefault(folder, set()).add(entry.path)
                mine.append(Change(path=entry.path, kind=kind, size_bytes=entry.size_bytes, is_folder=entry.is_folder))
    return changes


def _is_whiteout(path: str) -> bool:
    return path.rpartition("/")[2].startswith(_WHITEOUT)


def _hide(
    path: str,
    by: int,
    there: dict[str, tuple[int, int]],
    below: dict[str, set[str]],
    changes: list[list[Change]],
) -> None:
    """Mark a path, and all below it, as hidden from this layer on."""
    for child in sorted(below.pop(path, ())):
        _hide(child, by, there, below, changes)
    where = there.pop(path, None)
    if where:
        position, index = where
        changes[position][index] = replace(changes[position][index], hidden_by=by)
        below.get(path.rpartition("/")[0], set()).discard(path)
