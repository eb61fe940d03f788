"""Runs lessons on the engine in use and stores what they show, for readers without a kernel.

    python tests/notebooks/store.py 01-layers 02-cache     # or all of them, without names

Widgets are left out, their static pictures stay. `test_style.py` says what may not be in what was stored.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from course.lessons.notes import notes_folder

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lessons", nargs="*", help="such as 01-layers; all of them by default")
    names = parser.parse_args().lessons or [path.stem for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
    for name in names:
        if (notes_folder() / f"{name}.json").exists():
            print(f"{name}: your own answers would be stored with it; move {notes_folder()} away first.")
            return 1
        print(name, flush=True)
        store(NOTEBOOKS / f"{name}.ipynb")
    return 0


def store(path: Path) -> None:
    """Run a notebook from top to bottom and write its outputs into it; it stays as it was when a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = joined(output for output in map(still, cell.outputs) if output is not None)
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info.version = "3"  # of whichever Python it was
    nbformat.write(notebook, path)


def still(output: Any) -> Any:
    """An output without its widget; None where nothing is left of it."""
    if "data" in output:
        output.data = {kind: value for kind, value in output.data.items() if not kind.startswith("application/")}
        output.metadata = {}
        if not output.data:
            return None
    return output


def joined(outputs: Iterable[Any]) -> list[Any]:
    """What was printed in pieces, in one."""
    found: list[Any] = []
    for output in outputs:
        if found and output.output_type == "stream" and found[-1].get("name") == output.name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


if __name__ == "__main__":
    sys.exit(main())
