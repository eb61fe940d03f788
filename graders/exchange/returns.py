"""Feedback for Moodle's 'Upload multiple feedback files in a zip'.

Enters: feedback pages, and which submission was whose. Leaves: a zip. Reads and writes files; may import
`course.errors` and its neighbours.

Moodle takes a file by the name of the folder around it, `Full name_1234567_assignsubmission_file_`, of which it reads
the number and the last two words, and leaves out names that begin with `.` or `~`
(`mod/assign/feedback/file/importziplib.php`).
"""

import stat
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from course.errors import CourseError
from graders.exchange.matching import Index, match_all
from graders.exchange.names import Platform, moodle_folder
from graders.exchange.roster import Student
from graders.exchange.sources import open_source, split
from graders.exchange.stored import Record
from graders.exchange.tables import read_table
from graders.exchange.worksheet import read_worksheet

_PLAIN: int = (stat.S_IFREG | 0o644) << 16


def folders_of_records(records: Mapping[str, Record]) -> dict[str, str]:
    """Moodle's folder of each student whose submission was collected from Moodle."""
    return {name: record.folder for name, record in records.items() if record.folder}


def folders_of_template(template: Path, roster: Sequence[Student]) -> dict[str, str]:
    """Moodle's folder of each student, by its grading worksheet or by the download of all submissions."""
    if template.suffix.lower() == ".csv":
        index = Index(roster)
        found = ((index.of_participant(row), row) for row in read_worksheet(read_table(template)))
        return {
            students[0].id: moodle_folder(_plain(row.full_name), row.number)
            for students, row in found
            if len(students) == 1 and row.number
        }
    with open_source(template) as entries:
        download = split(entries, ())
        if download.platform is not Platform.MOODLE:
            raise CourseError(
                f"{template.name} is no download of Moodle's.", fix="give its zip, or the worksheet's CSV"
            )
        matches = match_all(download.submissions, roster)
    return {match.student.id: match.handed_in.folder for match in matches if match.student}


def find_pages(class_folder: Path, assignment: str) -> dict[str, list[Path]]:
    """The feedback pages of each student."""
    found: dict[str, list[Path]] = {}
    for folder in sorted((class_folder / "feedback").glob("*")):
        pages = [path for path in sorted((folder / assignment).glob("*.html")) if _is_page(path)]
        if pages:
            found[folder.name] = pages
    return found


def write_zip(target: Path, folders: Mapping[str, str], pages: Mapping[str, Sequence[Path]]) -> tuple[str, ...]:
    """Write the zip; returns the students whose folder is not known, whose pages are not in it."""
    unknown = tuple(student for student in pages if student not in folders)
    if len(unknown) == len(pages):
        raise CourseError(
            "There is no feedback whose place in Moodle is known.",
            fix="`graders feedback ASSIGNMENT`, and --template with Moodle's worksheet or its download",
        )
    partial = target.with_name(f"{target.name}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
            for student, paths in pages.items():
                for path in paths if student in folders else ():
                    info = zipfile.ZipInfo(f"{folders[student]}/{path.name}")
                    info.external_attr, info.compress_type = _PLAIN, zipfile.ZIP_DEFLATED
                    archive.writestr(info, path.read_bytes())
        partial.replace(target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CourseError(f"{str(target)!r} cannot be written: {error.strerror}.", fix="give another path") from error
    return unknown


def _is_page(path: Path) -> bool:
    return not path.name.startswith((".", "~")) and stat.S_ISREG(path.lstat().st_mode)


def _plain(name: str) -> str:
    """A full name as Moodle writes it into a path: `_` is what divides, and some characters cannot be."""
    return "".join(character for character in name.replace("_", " ") if character not in "/\\:*?\"<>|&`'")
