"""A real JupyterLab and a real browser for the pictures."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Page, expect

expect.set_options(timeout=30_000)
TOKEN = "layer-by-layer"
REQUIRED = "LAYER_BY_LAYER_REQUIRE_ENGINE"


class Lab:
    """A JupyterLab that serves a folder of notebooks."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address

    def write(self, name: str, cells: Sequence[str]) -> str:
        """Make a notebook of code cells; gives its address."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(notebook, self.folder / name)
        return self.address_of(name)

    def address_of(self, name: str) -> str:
        """Where a notebook of the folder is opened."""
        workspace = name.removesuffix(".ipynb")  # one each: a page opens what its workspace had open before
        return f"{self.address}/lab/workspaces/{workspace}/tree/{name}?token={TOKEN}"


class Notebook:
    """A notebook that is open in a page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        self.page.wait_for_function("window.jupyterapp !== undefined", timeout=60_000)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
        self.page.evaluate(
            """async () => {
                const panel = window.jupyterapp.shell.currentWidget;
                await panel.context.ready;
                await panel.sessionContext.ready;
                await panel.sessionContext.session.kernel.info;
            }"""
        )
        self.page.wait_for_selector('[data-status="idle"]', timeout=60_000)

    def command(self, name: str, **arguments: object) -> None:
        self.page.evaluate("([name, args]) => window.jupyterapp.commands.execute(name, args)", [name, arguments])

    def run_all(self) -> None:
        """Start all cells and leave them running."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")

    def use_theme(self, name: str) -> None:
        self.command("apputils:change-theme", theme=name)
        light = "false" if "Dark" in name else "true"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *(f"--ServerApp.root_dir={folder}", f"--port={port}", f"--IdentityProvider.token={TOKEN}"),
        "--ServerApp.port_retries=0",
    ]
    settings = folder / ".settings/@jupyterlab/notebook-extension"
    settings.mkdir(parents=True)
    # by default cells out of sight are not in the page, where a test could not find them
    news = folder / ".settings/@jupyterlab/apputils-extension"
    news.mkdir()
    (news / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    home = {"JUPYTER_CONFIG_DIR": str(folder / ".config"), "JUPYTERLAB_SETTINGS_DIR": str(folder / ".settings")}
    with (folder / ".log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **home})
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_it_answers(f"{address}/api/status?token={TOKEN}", server, folder / ".log")
            yield Lab(folder, address)
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait_until_it_answers(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                json.load(answer)
            return
        except OSError:
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)


@pytest.fixture
def notebook(page: Page) -> Notebook:
    return Notebook(page)


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core, from npm's registry, as the machine's own settings have it."""
    folder = tmp_path_factory.mktemp("axe")
    command = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(folder), "axe-core@4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def faults(page: Page, axe: str, within: str) -> list[dict[str, Any]]:
    """What axe finds that is serious or critical."""
    page.evaluate(axe)
    found = page.evaluate("(within) => axe.run(within, {resultTypes: ['violations']})", within)
    return [
        {"rule": one["id"], "where": [re.sub(r"\s+", " ", node["html"])[:160] for node in one["nodes"][:3]]}
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
