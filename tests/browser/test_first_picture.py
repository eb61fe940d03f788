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
    """In the calmest of a few rounds: others may keep the machine busy."""
    shutil.copytree(NOTEBOOKS / "apps/hello", lab.folder / "apps/hello", dirs_exist_ok=True)
    notebook.open(lab.write("warm.ipynb", ["1"]))
    rounds: list[float] = []
    while len(rounds) < 3 and min(rounds, default=LIMIT_S) >= LIMIT_S:
        name = f"00-start-{len(rounds)}.ipynb"
        shutil.copy(NOTEBOOKS / "00-start.ipynb", lab.folder / name)
        began = time.monotonic()
        notebook.open(lab.address_of(name))
        opened = time.monotonic() - began
        notebook.run_all()
        expect(page.locator(".lbl .picture").first).to_contain_text("✓ reused")
        rounds.append(time.monotonic() - began)
        print(
            f"\nthe first picture came after {rounds[-1]:.1f} s, of which the page and its kernel took {opened:.1f} s"
        )
    assert min(rounds) < LIMIT_S
