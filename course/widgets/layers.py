"""An image's layers: what each holds, what of it nobody sees any more, and which of them another image shares.

Enters: `ImageLayers`. Leaves: a `Drawing`. Pure; may import `course.images.layers`' nouns and its neighbours.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from course.images.layers import Change, ImageLayers, Kind, Layer, shared_layers
from course.widgets import svg
from course.widgets.drawing import Drawing, Part

_ROW: Final = 34
_SLIM_ROW: Final = 42
_TOP: Final = 62
_FOOT: Final = 14
_BAR_X: Final = 480
_BAR_WIDTH: Final = 170
_LISTED: Final = 300
"""So many of a layer's changes are listed, the largest first."""
_TREE: Final = 60
_SIGNS: Final = {Kind.ADDED: "+", Kind.CHANGED: "~", Kind.REMOVED: "-"}


def draw_layers(image: ImageLayers, *, other: ImageLayers | None = None, title: str = "") -> Drawing:
    """The whole picture, the base at the bottom; `other` is an image to compare with."""
    title = title or f"The layers of {image.name}"
    shared = shared_layers(image, other) if other else 0
    largest = max((layer.size_bytes for layer in image.layers), default=0)
    notes = [f"shared with {other.name}" if other and n < shared else "" for n in range(len(image.layers))]
    parts = zip(image.layers, _trees(image), strict=True)
    panels = {str(position): _panel(position, layer, tree) for position, (layer, tree) in enumerate(parts)}
    words = "\n".join(_words(image, other, shared, title))
    wasted = f", {svg.megabytes(image.wasted_bytes)} of it unseen" if image.wasted_bytes else ""
    aside = svg.megabytes(image.size_bytes) + wasted

    def page(width: int) -> str:
        is_slim = width < svg.WIDTH
        row_height, draw_row = (_SLIM_ROW, _slim_row) if is_slim else (_ROW, _row)
        height = _TOP + row_height * len(image.layers) + _FOOT
        body = list(_slim_headings() if is_slim else _headings())
        for position, (layer, note) in enumerate(zip(image.layers, notes, strict=True)):
            y = height - _FOOT - row_height * (position + 1)
            drawn = draw_row(position, layer, y, largest, note)
            body.append(svg.group(str(position), _spoken(position, layer, note), drawn))
        return svg.document(width, height, title, words, body, aside=aside)

    return Drawing(svg=page(svg.WIDTH), slim=page(svg.SLIM), text=words, panels=panels)


def _headings() -> Iterator[str]:
    y = _TOP - 6
    yield svg.text(50, y, "layer", "small faint", text_anchor="end")
    yield svg.text(66, y, "made by", "small faint")
    yield svg.text(_BAR_X, y, "size, and what of it is unseen", "small faint")
    yield svg.text(svg.WIDTH - 26, y, "+added ~changed -removed", "small faint", text_anchor="end")


def _row(position: int, layer: Layer, y: float, largest: int, note: str) -> Iterator[str]:
    yield svg.rect(16, y + 2, svg.WIDTH - 32, _ROW - 4, "good" if note else "quiet")
    middle = y + _ROW / 2 + 4
    yield svg.text(50, middle, position + 1, "faint code", text_anchor="end")
    up = 6 if note else 0
    yield svg.text(66, middle - up, _first_line(layer.created_by), "code", limit=55)
    if note:
        yield svg.text(66, middle + 8, f"✓ {note}", "small faint", limit=66)
    yield from _bar(layer, (_BAR_X, y + 11, _BAR_WIDTH, _ROW - 22), largest)
    size = svg.megabytes(layer.size_bytes)
    yield svg.text(_BAR_X + _BAR_WIDTH + 74, middle - (6 if layer.wasted_bytes else 0), size, text_anchor="end")
    if layer.wasted_bytes:
        unseen = f"✗ {svg.megabytes(layer.wasted_bytes)}"
        yield svg.text(_BAR_X + _BAR_WIDTH + 74, middle + 8, unseen, "small broke", text_anchor="end")
    yield svg.text(svg.WIDTH - 26, middle, _counts(layer), "small", text_anchor="end")


def _first_line(text: str) -> str:
    return next(iter(text.splitlines()), "")


def _slim_headings() -> Iterator[str]:
    y = _TOP - 6
    yield svg.text(16, y, "layer", "small faint")
    yield svg.text(54, y, "made by", "small faint")
    yield svg.text(svg.SLIM - 26, y, "files +added ~changed -removed, size", "small faint", text_anchor="end")


def _slim_row(position: int, layer: Layer, y: float, largest: int, note: str) -> Iterator[str]:
    """What made it, its files and its size; below them what is shared, the bar and what is unseen."""
    upper, lower, right = y + 17, y + 34, svg.SLIM - 26
    yield svg.rect(16, y + 1.5, svg.SLIM - 32, _SLIM_ROW - 3, "good" if note else "quiet")
    yield svg.text(44, upper, position + 1, "faint code", text_anchor="end")
    counts = _counts(layer)
    room = right - 70 - 7 * len(counts) - 54
    yield svg.text(54, upper, _first_line(layer.created_by), "code", limit=int(room / 7.3))
    yield svg.text(right - 64, upper, counts, "small faint", text_anchor="end")
    yield svg.text(right, upper, svg.megabytes(layer.size_bytes), text_anchor="end")
    if note:
        yield svg.text(54, lower, f"✓ {note}", "small faint", limit=27)
    yield from _bar(layer, (224, y + 25, _BAR_WIDTH, 10), largest)
    if layer.wasted_bytes:
        unseen = f"✗ {svg.megabytes(layer.wasted_bytes)} unseen"
        yield svg.text(right, lower, unseen, "small broke", text_anchor="end")


def _bar(layer: Layer, place: tuple[float, float, float, float], largest: int) -> Iterator[str]:
    """A layer's size in a place of which the `largest` fills all, and at its end what of it is unseen."""
    left, top, room, height = place
    if largest and layer.size_bytes:
        width = max(2.0, room * layer.size_bytes / largest)
        yield svg.rect(left, top, width, height, "askbar", rx=2)
        if layer.wasted_bytes:
            wasted = max(2.0, room * layer.wasted_bytes / largest)
            yield svg.rect(left + width - wasted, top, wasted, height, "badbar", rx=2)


def _panel(position: int, layer: Layer, tree: str) -> tuple[Part, ...]:
    changes = sorted(layer.changes, key=lambda one: (-one.size_bytes, one.path))
    listed = "\n".join(_line(change) for change in changes[:_LISTED])
    more = f"\n... and {len(changes) - _LISTED} smaller" if len(changes) > _LISTED else ""
    return (
        Part(heading=f"Layer {position + 1}: {svg.megabytes(layer.size_bytes)}", text=layer.created_by, code=True),
        Part(heading="What it adds (+), changes (~) and removes (-)", text=listed + more or "nothing", code=True),
        Part(heading="The files up to here", text=tree, code=True),
    )


def _line(change: Change) -> str:
    size = svg.megabytes(change.size_bytes) if change.size_bytes else ""
    hidden = f"  ✗ unseen: layer {change.hidden_by + 1} hides it" if change.hidden_by is not None else ""
    return f"{_SIGNS[change.kind]} {size:>9}  {change.path}{'/' if change.is_folder else ''}{hidden}"


def _trees(image: ImageLayers) -> Iterator[str]:
    """For each layer the file system up to it: the largest folders, three deep, in the order of names.

    The sizes are carried on from layer to layer, which for hundreds of layers is the whole difference.
    """
    hidden: dict[int, list[Change]] = {}
    for layer in image.layers:
        for change in layer.changes:
            if change.hidden_by is not None:
                hidden.setdefault(change.hidden_by, []).append(change)
    sizes: Counter[str] = Counter()
    files: Counter[str] = Counter()
    above = cache(_folders)
    for position, layer in enumerate(image.layers):
        for sign, changes in ((1, layer.changes), (-1, hidden.get(position, ()))):
            for change in changes:
                if change.kind is not Kind.REMOVED and not change.is_folder:
                    for folder in above(change.path.rpartition("/")[0]):
                        sizes[folder] += sign * change.size_bytes
                        files[folder] += sign
        largest = heapq.nlargest(_TREE, (one for one in files if one and files[one]), key=sizes.__getitem__)
        lines = (_folder_line(folder, sizes[folder]) for folder in sorted(largest))
        yield "\n".join((f"{svg.megabytes(sizes['']):>9}  /  {files['']} files", *lines))


def _folders(path: str) -> tuple[str, ...]:
    """A file's folder and those above it, of them the three uppermost, and the root, which is called nothing."""
    parts = path.split("/")[:3] if path else []
    return ("", *("/".join(parts[: depth + 1]) for depth in range(len(parts))))


def _folder_line(path: str, size_bytes: int) -> str:
    return f"{svg.megabytes(size_bytes):>9}  {'   ' * path.count('/')}{path.rpartition('/')[2]}/"


def _counts(layer: Layer) -> str:
    counts = Counter(change.kind for change in layer.changes)
    return " ".join(f"{_SIGNS[kind]}{counts[kind]}" for kind in Kind if counts[kind])


def _spoken(position: int, layer: Layer, note: str) -> str:
    wasted = f", {svg.megabytes(layer.wasted_bytes)} of it unseen" if layer.wasted_bytes else ""
    shared = f", {note}" if note else ""
    return f"layer {position + 1}, {layer.created_by}: {svg.megabytes(layer.size_bytes)}{wasted}{shared}"


def _words(image: ImageLayers, other: ImageLayers | None, shared: int, title: str) -> Sequence[str]:
    lines = [f"{title}: {svg.megabytes(image.size_bytes)}"]
    for position, layer in enumerate(image.layers):
        note = f"shared with {other.name}" if other and position < shared else ""
        lines.append(_spoken(position, layer, note))
        hidden = [change for change in layer.changes if change.hidden_by is not None and change.size_bytes]
        for change in sorted(hidden, key=lambda one: -one.size_bytes)[:3]:
            lines.append(f"    {change.path} ({svg.megabytes(change.size_bytes)}) is still stored, and unseen")
    return lines
