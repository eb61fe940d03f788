"""What a build looks like in a terminal: the same steps, marks and words as in the notebook's pictures.

Enters: a `BuildTrace`. Leaves: rich renderables. May import `course.advice`, `course.builds`,
`course.cache` and `course.images`.
"""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from course.advice import Proof
from course.builds import BuildTrace, Status
from course.cache import Prediction, Verdict
from course.images import Progress

_LOOK: Final = {
    Status.REUSED: ("=", "reused", "green"),
    Status.RAN: (">", "ran", "yellow"),
    Status.FAILED: ("x", "failed", "red"),
    Status.NOT_NEEDED: (".", "not needed", "dim"),
    Status.METADATA: ("-", "metadata", "dim"),
    Status.WAITING: (" ", "waiting", "dim"),
    Status.RUNNING: (">", "running", "cyan"),
}
"""Per status a mark, a word and a colour: never the colour alone."""
_LOG_LINES: Final = 8


def step_table(trace: BuildTrace, *, title: str | None = None) -> Table:
    """The steps in the file's order, with what became of each and its seconds."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    several = len({step.stage for step in trace.steps}) > 1
    if several:
        table.add_column("stage")
    table.add_column("line", justify="right", min_width=4)
    table.add_column("what happened", no_wrap=True, min_width=12)
    table.add_column("seconds", justify="right", min_width=7)
    table.add_column("step", overflow="ellipsis", no_wrap=True, ratio=1)
    for step in trace.steps:
        mark, word, style = _LOOK[step.status]
        seconds = f"{step.seconds:.1f}" if step.status in (Status.RAN, Status.FAILED) else ""
        stage = [step.stage] if several else []
        happened, text = Text(f"{mark} {word}", style=style), Text(step.text.splitlines()[0])
        table.add_row(*stage, str(step.line), happened, seconds, text)
    return table


_VERDICTS: Final = {
    Verdict.HIT: ("=", "reuse", "green"),
    Verdict.MISS: (">", "run", "yellow"),
    Verdict.DEPENDS: ("?", "depends", "cyan"),
    Verdict.NOT_NEEDED: (".", "not needed", "dim"),
    Verdict.METADATA: ("-", "metadata", "dim"),
}


def prediction_table(predictions: Sequence[Prediction], trace: BuildTrace | None = None) -> Table:
    """What is predicted for each step and why; beside it what a build really did, where there was one."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("line", justify="right", min_width=4)
    table.add_column("predicted", no_wrap=True, min_width=12)
    if trace:
        table.add_column("happened", no_wrap=True, min_width=12)
    table.add_column("step, and why")
    happened = {(step.stage, step.index): step.status for step in trace.steps} if trace else {}
    for prediction in predictions:
        mark, word, style = _VERDICTS[prediction.verdict]
        cells = [Text(f"{mark} {word}", style=style)]
        if trace:
            mark, word, style = _LOOK[happened[prediction.step.stage, prediction.step.index]]
            cells.append(Text(f"{mark} {word}", style=style))
        step = Text(prediction.step.text.splitlines()[0])
        why = Text(f"\n{prediction.reason}", style="dim") if prediction.reason else Text("")
        table.add_row(str(prediction.step.line), *cells, step + why)
    return table


def proof_table(proof: Proof) -> Table:
    """What was measured of both orders, and what their rebuilds are expected to cost."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "now", "proposed"):
        table.add_column(heading, justify="left" if not heading else "right")
    orders = (proof.now, proof.proposed)
    table.add_row("from nothing", *(f"{order.cold.seconds:.1f} s" for order in orders))
    table.add_row(f"after an edit of {proof.edit}", *(f"{order.edited.seconds:.1f} s" for order in orders))
    table.add_row("expected per rebuild", *(f"{order.cost.seconds_per_rebuild:.1f} s" for order in orders))
    table.add_row("expected per week", *(f"{order.cost.minutes_per_week:.1f} min" for order in orders))
    return table


def print_result(console: Console, trace: BuildTrace) -> None:
    """The image, or the failing line with the end of what its command printed."""
    if trace.error is None:
        console.print(f"Built [bold]{(trace.image_id or '').removeprefix('sha256:')[:12]}[/] in {trace.seconds:.1f} s.")
        return
    for step in trace.steps:
        if step.status is Status.FAILED:
            for line in step.log.splitlines()[-_LOG_LINES:]:
                console.print(Text("  | " + line, style="dim"))
    console.print(Text(f"The build failed: {trace.error}", style="bold red"), soft_wrap=True)


class LiveSteps:
    """A table that follows a build: use it as a context manager and call it with each snapshot."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> "LiveSteps":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, trace: BuildTrace) -> None:
        self._live.update(step_table(trace), refresh=True)


class ImageBars:
    """A bar per image: use it as a context manager and call it with each progress."""

    def __init__(self, console: Console) -> None:
        name, doing = TextColumn("{task.description}"), TextColumn("{task.fields[doing]}")
        self._bars = Bars(name, BarColumn(), doing, TimeElapsedColumn(), console=console, transient=True)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "ImageBars":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, progress: Progress) -> None:
        if progress.name not in self._tasks:
            self._tasks[progress.name] = self._bars.add_task(progress.name, total=None, doing="")
        task = self._tasks[progress.name]
        self._bars.update(task, completed=progress.done, total=progress.total or None, doing=progress.doing)
