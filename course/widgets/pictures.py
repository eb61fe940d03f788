"""The pictures that live in a notebook; each is drawn by a pure function of its own and can be drawn anew.

Enters: plain data, so that a saved trace shows as a running one does. Leaves: widgets. `NetworkMap.follow` and
`VolumeLineage.follow` listen to an engine; may import the nouns of what is shown, `course.lab` and its neighbours.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from docker import DockerClient
from docker.errors import DockerException

from course.builds.model import BuildTrace, Status, StepTrace
from course.cache.cost import Cost
from course.cache.nouns import Prediction
from course.images import ImageLayers, Progress
from course.lab.lineage import Journal, Lineage, renamed
from course.lab.reach import Reach
from course.lab.setup import Setup, read_setup, watch_setup
from course.widgets.costs import draw_costs
from course.widgets.drawing import Drawing
from course.widgets.history import Built, draw_history
from course.widgets.layers import draw_layers
from course.widgets.lineage import draw_lineage
from course.widgets.live import LivePicture
from course.widgets.network import draw_network
from course.widgets.progress import Bar, draw_progress
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
        self._since: dict[tuple[str, int], float] = {}
        super().__init__(draw_stack(trace, predictions=predictions, sizes_bytes=sizes_bytes, title=title))

    def predict(self, predictions: Sequence[Prediction]) -> None:
        """Show what is predicted; the results will stand beside it."""
        self._predictions = tuple(predictions)
        self.draw(draw_stack(None, predictions=predictions, title=self._title))

    def follow(self, trace: BuildTrace, sizes_bytes: Mapping[str, int] | None = None) -> None:
        """Show a snapshot of a build that runs, or its end with the sizes of its layers."""
        timed = replace(trace, steps=tuple(self._timed(step) for step in trace.steps))
        drawing = draw_stack(timed, predictions=self._predictions, sizes_bytes=sizes_bytes, title=self._title)
        self.draw(drawing, soon=not trace.finished)

    def _timed(self, step: StepTrace) -> StepTrace:
        """A step that runs has no seconds in its trace yet: they count from when it was first seen to run."""
        if step.status is not Status.RUNNING:
            return step
        since = self._since.setdefault((step.stage, step.index), time.monotonic())
        return replace(step, seconds=time.monotonic() - since)


class BuildHistory(LivePicture):
    """Builds over time; pick a cell for what the build was and what became of the step."""

    def __init__(self, builds: Sequence[Built] = (), *, title: str = "The builds") -> None:
        self.builds, self._title = tuple(builds), title
        super().__init__(draw_history(self.builds, title=title))

    def add(self, dockerfile: str, edit: str | None, trace: BuildTrace) -> BuildTrace:
        """Put one more build into the picture; gives the trace back."""
        self.builds = (*self.builds, Built(dockerfile=dockerfile, edit=edit, trace=trace))
        self.draw(draw_history(self.builds, title=self._title))
        return trace


class CostBars(LivePicture):
    """What a week of builds costs with each Dockerfile; pick a bar for the lines that run, and which edits it sums."""

    def __init__(self, costs: Mapping[str, Cost], *, title: str = "A week of builds") -> None:
        super().__init__(draw_costs(costs, title=title))


class LayerExplorer(LivePicture):
    """An image's layers; pick one for what it changes and for the files up to there. `other` is one to compare with."""

    def __init__(self, image: ImageLayers, *, other: ImageLayers | None = None, title: str = "") -> None:
        super().__init__(draw_layers(image, other=other, title=title))


class _Following(LivePicture):
    """A picture that can change with what is set up on an engine, until it is closed."""

    def __init__(self, drawing: Drawing) -> None:
        self._ended = threading.Event()
        super().__init__(drawing)

    def close(self) -> None:
        """Stop following, and take the widget away."""
        self._ended.set()
        super().close()

    def _listen(self, client: DockerClient, see: Callable[[Setup], None]) -> None:
        def listen() -> None:
            with suppress(DockerException, OSError):  # the engine went away: the last picture stays
                for setup in watch_setup(client):
                    if self._ended.is_set():
                        return
                    see(setup)

        threading.Thread(target=listen, daemon=True).start()


class VolumeLineage(_Following):
    """Containers and volumes over time; pick a mark for what was written or found."""

    def __init__(self, lineage: Lineage, *, title: str = "What outlived its container") -> None:
        self._title = title
        super().__init__(draw_lineage(lineage, title=title))

    @classmethod
    def follow(cls, client: DockerClient, *, title: str = "What came and went", suffix: str = "") -> "VolumeLineage":
        """A story that grows as the course's containers come and go, until it is closed. `suffix`, of a scratch world's
        names, is left out.
        """
        journal = Journal()
        journal.see(read_setup(client))
        picture = cls(renamed(journal.lineage, suffix), title=title)

        def see(setup: Setup) -> None:
            if journal.see(setup):
                picture.show(renamed(journal.lineage, suffix))

        picture._listen(client, see)
        return picture

    def show(self, lineage: Lineage) -> None:
        """Draw what has become of the story."""
        self.draw(draw_lineage(lineage, title=self._title))


class NetworkMap(_Following):
    """Networks and containers; pick a cell of the table for every way that was tried, and why it came out so."""

    def __init__(
        self,
        setup: Setup,
        reaches: Sequence[Reach] = (),
        *,
        title: str = "Who is where, and who reaches whom",
        suffix: str = "",
    ) -> None:
        self._title, self._suffix = title, suffix
        super().__init__(draw_network(setup, reaches, title=title, suffix=suffix))

    @classmethod
    def follow(cls, client: DockerClient, *, title: str = "What is running", suffix: str = "") -> "NetworkMap":
        """A map that changes as the course's containers come and go, until it is closed."""
        picture = cls(read_setup(client), title=title, suffix=suffix)
        picture._listen(client, picture.show)
        return picture

    def show(self, setup: Setup, reaches: Sequence[Reach] = ()) -> None:
        """Draw another set-up, and what was measured in it."""
        self.draw(draw_network(setup, reaches, title=self._title, suffix=self._suffix))


class ProgressBars(LivePicture):
    """How far something is that takes more than a second."""

    def __init__(self, names: Sequence[str] = (), *, title: str = "Images") -> None:
        self._title, self._began = title, time.monotonic()
        self._bars = {name: Bar(name=name) for name in names}
        super().__init__(draw_progress(tuple(self._bars.values()), title=title))

    def follow(self, progress: Progress) -> None:
        """Take in a report of `images.ensure`."""
        bar = Bar(name=progress.name, doing=progress.doing, done=progress.done, total=progress.total)
        self._bars[progress.name] = bar
        self._show(soon=True)

    def finish(self) -> None:
        """All is done."""
        self._bars = {name: Bar(name=name, doing="ready", done=1, total=1) for name in self._bars}
        self._show(soon=False)

    def _show(self, *, soon: bool) -> None:
        seconds = time.monotonic() - self._began
        self.draw(draw_progress(tuple(self._bars.values()), title=self._title, seconds=seconds), soon=soon)
