"""CSV files as people and platforms write them.

Enters: text or a file. Leaves: a `Table`, or text that a spreadsheet shows and does not run. May import
`course.errors`.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from course.errors import CourseError

LIMIT_BYTES: Final = 16 << 20
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the start of a formula (OWASP, 'CSV injection')."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """The header and the rows below it, as long as the header; `delimiter` is what stood between the cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str = ","

    def column(self, *names: str) -> int | None:
        """Where the first of these headings stands; case and spaces around do not matter."""
        headings = [heading.strip().casefold() for heading in self.header]
        return next((headings.index(name.casefold()) for name in names if name.casefold() in headings), None)

    def cells(self, *names: str) -> tuple[str, ...]:
        """A column without the spaces around its cells; empty cells where there is no such heading."""
        at = self.column(*names)
        return tuple("" if at is None else row[at].strip() for row in self.rows)


def parse_table(text: str) -> Table:
    """Read CSV whose cells are divided by commas, semicolons or tabs; raises `ValueError` where there is none."""
    first = text.lstrip("\ufeff\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = [
            tuple(line) for line in csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=delimiter)
        ]
    except csv.Error as error:
        raise ValueError(f"it is not CSV: {error}") from error
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if not lines:
        raise ValueError("it is empty")
    width = len(lines[0])
    rows = tuple((*line, *[""] * (width - len(line)))[:width] for line in lines[1:])
    return Table(header=lines[0], rows=rows, delimiter=delimiter)


def read_table(path: Path) -> Table:
    """Read a CSV file; raises `CourseError` for what is none."""
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise ValueError(f"it is larger than {LIMIT_BYTES >> 20} MiB")
        content = path.read_bytes()
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        return parse_table(content.decode(encoding))
    except OSError as error:
        fix = "give the path of a CSV file"
        raise CourseError(f"{str(path)!r} cannot be read: {error.strerror}.", fix=fix) from error
    except UnicodeDecodeError as error:
        raise CourseError(f"{path.name} is not UTF-8.", fix="save it as 'CSV UTF-8', or export it again") from error
    except ValueError as error:
        raise CourseError(f"{path.name} cannot be read: {error}.", fix="export it as CSV") from error


def as_text(cell: str) -> str:
    """The cell so that a spreadsheet shows it: what would be a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def format_table(table: Table) -> str:
    """As CSV, each cell as text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=table.delimiter, lineterminator="\r\n")
    writer.writerows([as_text(cell) for cell in row] for row in (table.header, *table.rows))
    return out.getvalue()


def of_records(header: Sequence[str], records: Iterable[Mapping[str, str]]) -> Table:
    """A table of records, with an empty cell where one lacks a key."""
    rows = tuple(tuple(record.get(name, "") for name in header) for record in records)
    return Table(header=tuple(header), rows=rows)
