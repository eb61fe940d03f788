"""A class for the tests of the exchange: three students, an assignment, zips built from lists of files."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from course.assignments import Assignment
from graders.exchange.picking import Wanted
from graders.exchange.roster import Student

ADA = Student(id="ada1", first_name="Ada", last_name="Lovelace", email="ada@example.org", lms_user_id="12345")
SEAN = Student(id="sean2", first_name="Seán", last_name="O'Brien-Ruiz", email="sean@example.org", lms_user_id="777")
LI = Student(id="li3", first_name="", last_name="李明", email="li@example.org")
ROSTER = (ADA, SEAN, LI)
WANTED = Wanted(name="order", artifacts=("Dockerfile", ".dockerignore"), notebooks=("order.ipynb",))
DOCKERFILE = b"FROM node:24-slim\n"


def zipped(files: Mapping[str, bytes], date: tuple[int, int, int, int, int, int] = (2026, 11, 23, 12, 0, 0)) -> bytes:
    """A zip of these files, all of one time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, date), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def an_assignment(folder: Path) -> Assignment:
    """`order`, as far as a collection looks at it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "order.ipynb").touch()
    return Assignment(name="order", folder=folder, app=folder, artifacts=WANTED.artifacts)


def in_folder(folder: Path) -> dict[str, bytes]:
    """Every file below, by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
