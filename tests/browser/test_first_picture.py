"""From opening the first lesson to its first picture, in a JupyterLab that runs."""

import shutil
import time
from pathlib import Path

import pytest
from conftest import Lab, Notebook
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LIMIT_S = 20


def test_the_first_picture_comes_within_20_s(lab: Lab, notebook: Notebook, page: Page) -> None:
    shutil.copytree(NOTEBOOKS / "apps/hello", lab.folder / "apps/hello", dirs_exist_ok=True)
    shutil.copy(NOTEBOOKS / "00-start.ipynb", lab.folder)
    notebook.open(lab.write("warm.ipynb", ["1"]))
    began = time.monotonic()
    notebook.open(lab.address_of("00-start.ipynb"))
    opened = time.monotonic() - began
    notebook.run_all()
    expect(page.locator(".lbl .picture").first).to_contain_text("✓ reused")
    seconds = time.monotonic() - began
    print(f"\nthe first picture came after {seconds:.1f} s, of which the page and its kernel took {opened:.1f} s")
    assert seconds < LIMIT_S
