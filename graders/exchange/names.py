"""The names that Moodle and Canvas give to what students hand in.

Enters: names of folders and files. Leaves: `Label`. Pure.

Moodle, `mod/assign/classes/downloader.php`: a folder `Full name_1234567_assignsubmission_file` for each student (before
4.1 with another `_` at the end), or, where 'Download submissions in folders' is off, the same before each file's name.
The number is the participant's in this assignment only. Underscores in the full name have become spaces.

Canvas, `lib/content_zipper.rb`: `lovelaceada_12345_678910_Dockerfile`, where the first is the sortable name in small
letters without anything but letters, digits and `_`, the numbers are the user's and the file's, and `LATE` stands
between name and user where it is late; an anonymous student has no name and `anon_` with a code. `Attachment.rb` adds
`-1`, `-2` before the extension of a file that replaces one of the same name.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Final

_MOODLE: Final = re.compile(
    r"(?P<name>[^/_]*)_(?P<number>\d+)_assignsubmission_(?P<plugin>[a-z]+)(?:_(?P<file>.*))?", re.DOTALL
)
_CANVAS: Final = re.compile(
    r"(?:(?P<name>\w*?)_)??(?:(?P<late>LATE|late)_)?(?P<number>\d+|anon_[^\W_]+)_(?P<attachment>\d+)_(?P<file>.+)",
    re.DOTALL,
)
_CANVAS_TEXT: Final = re.compile(r"(?:\w*?_)??(?:LATE_|late_)?(?:\d+|anon_[^\W_]+)_(?:text|link)\.html")
_AGAIN: Final = re.compile(r"(?P<base>.*)-\d+(?P<extension>(?:\.[A-Za-z][A-Za-z0-9]*)*)", re.DOTALL)


class Platform(Enum):
    """Where a submission comes from."""

    MOODLE = "moodle"
    CANVAS = "canvas"
    FOLDER = "folder"


@dataclass(frozen=True, kw_only=True)
class Label:
    """What a name says: whose it is, by the platform's `number` or by `name`, and the student's own `file` name."""

    platform: Platform
    name: str
    number: str
    file: str = ""
    plugin: str = "file"
    late: bool = False
    attachment: int = 0

    @property
    def key(self) -> str:
        """What a person can call the submission in a `--map` file."""
        return "_".join(part for part in (self.name, self.number) if part)


def parse_moodle(part: str) -> Label | None:
    """A folder's name, or the name of a file in the flat form; None where it is neither."""
    found = _MOODLE.fullmatch(part)
    if not found:
        return None
    return Label(
        platform=Platform.MOODLE,
        name=found["name"].strip(),
        number=found["number"],
        file=found["file"] or "",
        plugin=found["plugin"],
    )


def parse_canvas(part: str) -> Label | None:
    """The name of a file of Canvas's 'Download submissions'; None where it is something else."""
    found = _CANVAS.fullmatch(part)
    if not found:
        return None
    return Label(
        platform=Platform.CANVAS,
        name=found["name"] or "",
        number=found["number"],
        file=found["file"],
        late=bool(found["late"]),
        attachment=int(found["attachment"]),
    )


def is_canvas_text(part: str) -> bool:
    """Whether it is a text or a link that a student handed in in place of files."""
    return parse_canvas(part) is None and bool(_CANVAS_TEXT.fullmatch(part))


def moodle_folder(name: str, number: str) -> str:
    """The folder's name that every Moodle takes feedback back by (`mod/assign/feedback/file/importziplib.php`)."""
    return f"{name}_{number}_assignsubmission_file_"


def without_resubmission(file: str, wanted: Collection[str]) -> str:
    """The name that the student gave to a file, where Canvas has added a number: a wanted one, or a zip's."""
    found = None if file in wanted else _AGAIN.fullmatch(file)
    if not found:
        return file
    original = f"{found['base']}{found['extension']}"
    if original in wanted or original.lower().endswith(".zip"):
        return original
    return found["base"] if found["base"] in wanted else file  # `.dockerignore-1.dockerignore`


def squash(name: str) -> str:
    """A name without what the platforms drop or change: only letters, marks and digits, in small letters."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    kept = "".join(character for character in folded if unicodedata.category(character)[0] in "LMN")
    return unicodedata.normalize("NFKC", kept)


def shown(text: str, limit: int = 120) -> str:
    """A name that others chose, fit for a terminal."""
    plain = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return plain if len(plain) <= limit else f"{plain[: limit - 1]}…"
