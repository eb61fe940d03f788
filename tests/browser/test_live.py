"""Pictures of what really happens on an engine, while it happens."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from conftest import Lab, Notebook
from docker import DockerClient
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("busybox")]

DOCKERFILE = f"""\
FROM busybox:stable
COPY a.txt /a/
RUN for i in 1 2 3; do echo line $i of {uuid4()}; sleep 0.5; done; sleep 5
COPY b.txt /b/
"""
OPEN = "from course import open_project, watch; project = open_project('app')"


@pytest.fixture
def app(lab: Lab) -> Path:
    folder = lab.folder / "app"
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / ".dockerignore").write_text("Dockerfile\n")
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text("hello\n")
    return folder


def test_a_stack_follows_a_build_and_keeps_the_prediction_beside_it(
    lab: Lab, notebook: Notebook, page: Page, client: DockerClient, app: Path
) -> None:
    cells = [OPEN, "first = watch(project)", "project.edit('b.txt'); again = watch(project)"]
    notebook.open(lab.write("live.ipynb", cells))
    notebook.run_all()
    stack = page.locator(".lbl .picture").first
    clock = stack.locator("[data-seconds]")
    expect(clock).to_be_visible()
    early = float((clock.text_content() or "").removesuffix(" s"))
    expect(stack).to_contain_text("line 3 of")
    later = float((clock.text_content() or "").removesuffix(" s"))
    assert later > early
    expect(stack).to_contain_text("▶ ran")
    expect(clock).to_have_count(0)
    second = page.locator(".lbl .picture").nth(1)
    expect(second).to_contain_text("the break: line 4")
    expect(second).to_contain_text("b.txt has other content")
    expect(second).to_contain_text("reuse ✓")
    expect(second).not_to_contain_text("✗")


def test_what_if_builds_what_was_thought_up(
    lab: Lab, notebook: Notebook, page: Page, client: DockerClient, app: Path
) -> None:
    cells = [OPEN, "from course import WhatIf; first = watch(project)", "what_if = WhatIf.of(project, first); what_if"]
    notebook.open(lab.write("what_if.ipynb", cells))
    notebook.run_all()
    live = page.locator(".lbl.whatif")
    expect(live.locator("h4")).to_contain_text("Nothing would run")
    line = live.locator(".lines li", has_text="RUN for i")
    line.focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(live.locator("h4")).to_contain_text(re.compile(r"3 steps would run, about ([3-9]|\d\d)\.\d s"))
    live.get_by_role("button", name="Build it").click()
    expect(live.locator(".result")).to_contain_text("What it did")
    expect(live.get_by_role("button", name="Build it")).to_be_enabled()
    expect(live.locator(".result")).not_to_contain_text("✗")
    expect(live.locator("h4")).to_contain_text("Nothing would run")


def test_a_map_follows_containers_as_they_come_and_go(
    lab: Lab, notebook: Notebook, page: Page, client: DockerClient
) -> None:
    cells = [
        "from course import connect; from course.lab import Scratch; from course.widgets import NetworkMap",
        "client = connect(start=False); scratch = Scratch(client); NetworkMap.follow(client, suffix='-' + scratch.id)",
        "web = scratch.network('web')",
        "one = scratch.run('busybox:stable', ['sleep', '60'], name='passer-by', networks=[web])",
    ]
    notebook.open(lab.write("map.ipynb", cells))
    notebook.run_all()
    live = page.locator(".lbl .picture").first
    passer_by = live.get_by_role("button", name="passer-by is running")
    expect(passer_by).to_be_visible()
    run_aside(page, "scratch.close()")
    expect(passer_by).to_have_count(0)


def test_a_lineage_follows_containers_and_their_volumes(
    lab: Lab, notebook: Notebook, page: Page, client: DockerClient
) -> None:
    cells = [
        "from course import connect; from course.lab import Scratch; from course.widgets import VolumeLineage",
        "client = connect(start=False); scratch = Scratch(client)",
        "VolumeLineage.follow(client, suffix='-' + scratch.id)",
        "data = scratch.volume('kept-data')",
        "volumes = {data.name: {'bind': '/data', 'mode': 'rw'}}",
        "one = scratch.run('busybox:stable', ['sleep', '60'], name='first-one', volumes=volumes)",
    ]
    notebook.open(lab.write("lineage.ipynb", cells))
    notebook.run_all()
    live = page.locator(".lbl .picture").first
    expect(live).to_contain_text("first-one")
    run_aside(page, "one.remove(force=True)")
    expect(live).to_contain_text("✗ removed")
    expect(live).to_contain_text("kept-data")
    expect(live).to_contain_text("✓ lives on")
    run_aside(page, "scratch.close()")


def test_a_history_grows_and_bars_follow_while_builds_run(
    lab: Lab, notebook: Notebook, page: Page, client: DockerClient, app: Path
) -> None:
    follow = (
        "def follow(trace):\n"
        "    done = sum(step.status not in ('WAITING', 'RUNNING') for step in trace.steps)\n"
        "    bars.follow(Progress(name='app', doing='building', done=done, total=len(trace.steps)))"
    )
    cells = [
        OPEN + "; from course import BuildHistory; from course.images import Progress; from course.widgets import *",
        "history = BuildHistory(); history",
        "bars = ProgressBars(['app'], title='Builds'); bars",
        follow,
        "history.add('app', None, project.build(on_snapshot=follow)); bars.finish()",
        "project.edit('b.txt'); history.add('app', 'b.txt', project.build())",
    ]
    notebook.open(lab.write("history.ipynb", cells))
    notebook.run_all()
    bars = page.locator(".lbl .picture").nth(1)
    expect(bars).to_contain_text("building, 50%")
    expect(bars).to_contain_text("ready")
    history = page.locator(".lbl .picture").first
    expect(history).to_contain_text("first")
    expect(history.locator("[data-key]")).to_have_count(8)
    expect(history).to_contain_text("b.txt")


def run_aside(page: Page, code: str) -> None:
    """Let the notebook's kernel do something that is in no cell."""
    page.evaluate(
        "(code) => { const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;"
        " kernel.requestExecute({code}); }",
        code,
    )
