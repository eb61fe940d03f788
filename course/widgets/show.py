"""Builds as a cell's result: `show(trace)`, and `watch(project)` while they run.

Enters: a `BuildTrace`, or a `Project` to build. Leaves: pictures that a notebook displays, and a terminal as text.
`watch` builds on the engine; may import `course.forecast`, `course.lab` and its neighbours.
"""

from collections.abc import Mapping, Sequence

from IPython.display import display

from course.builds.model import BuildTrace
from course.cache.nouns import Prediction
from course.forecast import Comparison, explain
from course.lab.project import Project
from course.widgets.live import LivePicture
from course.widgets.stack import draw_stack


class LayerStack(LivePicture):
    """The stack of a build. Pick a step by click or keyboard for its line, what was predicted, and what it printed."""

    def __init__(
        self,
        trace: BuildTrace | None = None,
        *,
        predictions: Sequence[Prediction] = (),
        sizes_bytes: Mapping[str, int] | None = None,
        title: str = "The build",
    ) -> None:
        self._title, self._predictions = title, tuple(predictions)
        super().__init__(draw_stack(trace, predictions=predictions, sizes_bytes=sizes_bytes, title=title))

    def predict(self, predictions: Sequence[Prediction]) -> None:
        """Show what is predicted; the results will stand beside it."""
        self._predictions = tuple(predictions)
        self.draw(draw_stack(None, predictions=predictions, title=self._title))

    def follow(self, trace: BuildTrace) -> None:
        """Show a snapshot of a build that runs, or its end."""
        drawing = draw_stack(trace, predictions=self._predictions, title=self._title)
        self.draw(drawing, soon=not trace.finished)


def show(trace: BuildTrace, title: str = "The build") -> LayerStack:
    """The stack of a build: its base at the bottom, what was reused and what ran, and where it broke."""
    return LayerStack(trace, title=title)


def watch(project: Project, title: str = "The build") -> BuildTrace:
    """Predict the project's next build, and show it beside the build while that runs."""
    stack = LayerStack(title=title)
    display(stack)
    return watch_build(project, stack).trace


def watch_build(project: Project, stack: LayerStack) -> Comparison:
    """The same in a picture that is already shown."""
    found = explain(
        project.client,
        project.root,
        no_cache=project.is_new,
        on_predicted=stack.predict,
        on_snapshot=stack.follow,
    )
    project.is_new = False
    stack.follow(found.trace)
    return found
