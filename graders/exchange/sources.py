"""A platform's download, or a folder of one's own, becomes one submission for each student.

Enters: a zip or a folder. Leaves: a `Download` of `HandedIn`s. Reads files; may import `course.errors` and its
neighbours.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from course.errors import CourseError
from graders.exchange.entries import OF_A_CLASS, Entry, Unsafe, open_zip, walk
from graders.exchange.names import (
    Label,
    Platform,
    is_canvas_text,
    moodle_folder,
    parse_canvas,
    parse_moodle,
    shown,
    without_resubmission,
)


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """One submission: `key` names it, `label` says whose it is, `folder` is Moodle's name for it.

    `sequence` grows from one submission of a student to the next where the platform numbers its files, else it is 0.
    """

    key: str
    label: Label
    entries: tuple[Entry, ...]
    folder: str = ""
    sequence: int = 0

    @property
    def late(self) -> bool:
        """Whether the platform marks it."""
        return self.label.late

    @property
    def modified(self) -> datetime | None:
        """The latest time of its entries, in no time zone."""
        return max((entry.modified for entry in self.entries if entry.modified), default=None)


@dataclass(frozen=True, kw_only=True)
class Download:
    """What is in a source; `unclear` are the files that belong to nobody."""

    platform: Platform
    submissions: tuple[HandedIn, ...]
    unclear: tuple[str, ...] = ()


@contextmanager
def open_source(source: Path) -> Iterator[tuple[Entry, ...]]:
    """The files of a zip or a folder; raises `CourseError` where it is neither."""
    try:
        if source.is_dir():
            yield tuple(walk(source))
            return
        with source.open("rb") as opened, open_zip(opened, OF_A_CLASS) as entries:
            yield entries
    except OSError as error:
        raise CourseError(f"{str(source)!r} cannot be read: {error.strerror}.", fix="give a zip or a folder") from error
    except Unsafe as problem:
        raise CourseError(
            f"{source.name}: {problem}.", fix="download it again, or unpack it and give its folder"
        ) from problem


def split(entries: Sequence[Entry], wanted: Collection[str]) -> Download:
    """Whose each file is, by the names that the platforms give; `wanted` are the names of the assignment's files.

    Only the first part of a path counts: what lies deeper a student can name, after another student too.
    """
    if any(parse_moodle(entry.path[0]) for entry in entries):
        return _moodle(entries)
    if any(parse_canvas(entry.name) for entry in entries if len(entry.path) == 1):
        return _canvas(entries, wanted)
    return _folders(entries)


def all_of_one(entries: Sequence[Entry], key: str) -> Download:
    """The whole source as the submission of one student, whom the command line names."""
    label = Label(platform=Platform.FOLDER, name=key, number="")
    return Download(platform=Platform.FOLDER, submissions=(HandedIn(key=key, label=label, entries=tuple(entries)),))


def _moodle(entries: Sequence[Entry]) -> Download:
    found: dict[str, list[Entry]] = defaultdict(list)
    labels: dict[str, tuple[Label, str]] = {}
    unclear = []
    for entry in entries:
        label = parse_moodle(entry.path[0])
        if not label:
            unclear.append(_path(entry))
        elif label.plugin != "file":
            unclear.append(f"{_path(entry)} (no file: {label.plugin})")
        elif len(entry.path) == 1:
            found[label.key].append(replace(entry, path=(label.file or "?",)))
            labels.setdefault(label.key, (label, moodle_folder(label.name, label.number)))
        else:
            found[label.key].append(entry.below(1))
            labels.setdefault(label.key, (label, entry.path[0]))
    submissions = [
        HandedIn(key=key, label=labels[key][0], entries=tuple(files), folder=labels[key][1])
        for key, files in found.items()
    ]
    return Download(platform=Platform.MOODLE, submissions=tuple(submissions), unclear=tuple(unclear))


def _canvas(entries: Sequence[Entry], wanted: Collection[str]) -> Download:
    found: dict[str, dict[str, tuple[Label, Entry]]] = defaultdict(dict)
    unclear = []
    for entry in entries:
        label = parse_canvas(entry.name) if len(entry.path) == 1 else None
        if not label:
            text = " (a text or a link, no file)" if is_canvas_text(entry.name) else ""
            unclear.append(f"{_path(entry)}{text}")
            continue
        name = without_resubmission(label.file, wanted)
        before = found[label.key].get(name)
        if not before or before[0].attachment < label.attachment:
            found[label.key][name] = (label, replace(entry, path=(name,)))
    submissions = []
    for key, files in found.items():
        newest = max((label for label, _ in files.values()), key=lambda label: label.attachment)
        inside = tuple(entry for _, entry in files.values())
        late = any(label.late for label, _ in files.values())
        label = replace(newest, late=late)
        submissions.append(HandedIn(key=key, label=label, entries=inside, sequence=newest.attachment))
    return Download(platform=Platform.CANVAS, submissions=tuple(submissions), unclear=tuple(unclear))


def _folders(entries: Sequence[Entry]) -> Download:
    """A folder or a zip for each student, whose name is the id or the full name."""
    found: dict[str, list[Entry]] = defaultdict(list)
    unclear = []
    for entry in entries:
        first = entry.path[0]
        if first in ("__MACOSX", ".DS_Store"):
            continue
        if len(entry.path) > 1:
            found[first].append(entry.below(1))
        elif first.lower().endswith(".zip"):
            found[first[:-4]].append(entry)
        else:
            unclear.append(_path(entry))
    submissions = [
        HandedIn(key=key, label=Label(platform=Platform.FOLDER, name=key, number=""), entries=tuple(files))
        for key, files in found.items()
    ]
    return Download(platform=Platform.FOLDER, submissions=tuple(submissions), unclear=tuple(unclear))


def _path(entry: Entry) -> str:
    return shown("/".join(entry.path))
