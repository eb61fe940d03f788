"""`keep_my_work()`: a zip to download, for places that forget.

Enters: what is in notebooks/my-work. Leaves: a zip beside it and a link. Reads and writes files; may import
`course.assignments`, `course.folders` and `course.widgets`.
"""

import os
import zipfile
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import quote

from course.assignments import MINE
from course.folders import notebooks_folder
from course.widgets.page import Page

ZIP: Final = "my-work.zip"
_LEFT_OUT: Final = {"node_modules", "generated", ".ipynb_checkpoints"}


def keep_my_work() -> Page:
    """Put your assignments and your answers into one zip, and give a link to download it.

    Unpack it in the folder `notebooks`, here or elsewhere, to go on where you were.
    """
    folder = notebooks_folder() / MINE
    files = [path for path in sorted(folder.rglob("*")) if _is_kept(path.relative_to(folder)) and path.is_file()]
    if not files:
        words = "There is nothing to keep yet: no guess, and no assignment was begun."
        return Page(html=f"<p>{words}</p>", text=words)
    target = folder / ZIP
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, Path(MINE) / path.relative_to(folder))
    count = f"{len(files)} file{'s' if len(files) != 1 else ''}"
    address = quote(os.path.relpath(target, Path.cwd()).replace(os.sep, "/"))
    link = f'<a href="{address}" download="{ZIP}">Download {ZIP}</a>'
    return Page(html=f"<p>{link} ({escape(count)})</p>", text=f"{MINE}/{ZIP}: {count}")


def _is_kept(path: Path) -> bool:
    return path.name != ZIP and not path.name.endswith(".partial") and not _LEFT_OUT & set(path.parts)
