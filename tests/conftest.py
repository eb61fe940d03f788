"""The real engine and the real browser that tests share, and how long they may take."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from docker import DockerClient
from hypothesis import settings
from playwright.sync_api import Browser, Page, sync_playwright
from xdist import is_xdist_worker
from xdist.scheduler import LoadScopeScheduling

from course import engine, images
from course.clean import clean, clean_session
from course.errors import CourseError

REQUIRED = "LAYER_BY_LAYER_REQUIRE_ENGINE"
APART = ("tests/unit", "tests/notebooks", "tests/browser/test_pictures.py", "tests/engine/test_vm")
"""What needs no engine, or has its own in a virtual machine: it may run beside the tests of the engine in use."""


class TwoGroups(LoadScopeScheduling):
    """Two groups for `pytest -n 2`, each in one process and in the order that it has without.

    pytest-xdist's own `--dist loadgroup` does nothing with pytest 9.2 (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        return "apart" if nodeid.startswith(APART) else "engine"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the slow suites in full")


def pytest_configure() -> None:
    """Examples are drawn alike in every run, and may take their time on a busy machine."""
    settings.register_profile("calm", deadline=None, derandomize=True, database=None)
    settings.load_profile("calm")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes minutes, and tells more than the rest does, is left to --long."""
    if not config.getoption("--long"):
        left = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return TwoGroups(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What killed kernels of notebook tests left behind goes as it would at the next lesson's start."""
    if is_xdist_worker(session):  # the other one may still work on that engine
        return
    with suppress(CourseError):
        clean(engine.connect(start=False))


@pytest.fixture(scope="session")
def long(request: pytest.FixtureRequest) -> bool:
    """Whether slow suites run in full."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def client() -> Iterator[DockerClient]:
    """The engine in use. Without one the test is skipped, which CI counts as a failure."""
    try:
        client = engine.connect(start=False)
    except CourseError as error:
        if os.environ.get(REQUIRED):
            pytest.fail(str(error))
        pytest.skip(f"no engine: {error}")
    yield client
    clean_session(client)
    client.close()


@pytest.fixture(scope="session")
def busybox(client: DockerClient) -> None:
    """The smallest image of the catalogue is there."""
    images.ensure(client, ("busybox:stable",), consent=True)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get(REQUIRED):
            pytest.fail("no Chromium: CI installs it")
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(30_000)
    yield page
    page.close()
