"""Each picture in a real JupyterLab: it renders, is picked by mouse and keyboard, and outlives its kernel."""

from conftest import Lab, Notebook
from playwright.sync_api import Page, expect

STACK = """
from course.builds.model import BuildTrace, Status, StepTrace
from course.widgets import LayerStack
def step(line, text, status, seconds=0.0, log=""):
    return StepTrace(stage="0", index=line - 1, line=line, instruction=text.split()[0], text=text, status=status,
                     seconds=seconds, log=log)
trace = BuildTrace(seconds=9.5, steps=(
    step(1, "FROM node:24-slim", Status.REUSED),
    step(2, "COPY . .", Status.RAN, 0.1),
    step(3, "RUN npm ci", Status.RAN, 9.2, "added 123 packages"),
))
LayerStack(trace, title="A build")
"""


def test_a_stack_renders_and_is_picked_by_mouse_and_keyboard(lab: Lab, notebook: Notebook, page: Page) -> None:
    notebook.open(lab.write("stack.ipynb", [STACK]))
    notebook.run_all()
    picture = page.locator(".lbl .picture svg")
    expect(picture).to_be_visible()
    expect(picture).to_contain_text("the break: line 2")
    page.screenshot(path="/tmp/dev/lab.png")
