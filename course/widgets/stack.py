"""The stack of a build as a static picture: from the base at the bottom up to the last step, and where it broke.

Enters: a `BuildTrace`. Leaves: SVG, and text that says the same. Pure; may import `course.builds`' nouns.

Each status has a colour, a mark and a word: never the colour alone. The picture brings its own background, since it is
also shown where no style sheet of ours applies (GitHub, nbviewer, exports).
"""

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from course.builds.model import BuildTrace, Status, StepTrace

WIDTH: Final = 860
ROW: Final = 30
_TOP: Final = 46
_TEXT_X: Final = 66
_WORD_X: Final = 560
_BAR_X: Final = 672
_BAR_WIDTH: Final = 120
_TEXT_LIMIT: Final = 60

LOOK: Final = {
    Status.REUSED: ("✓", "reused", "reused"),
    Status.RAN: ("▶", "ran", "ran"),
    Status.FAILED: ("✗", "failed", "failed"),
    Status.NOT_NEEDED: ("·", "not needed", "quiet"),
    Status.METADATA: ("-", "metadata", "quiet"),
    Status.WAITING: ("·", "waiting", "quiet"),
    Status.RUNNING: ("▶", "running", "ran"),
}
"""Per status its mark, its word and its class in the picture."""

_STYLE: Final = """
.paper{fill:#ffffff;stroke:#d0d7de} .ink{fill:#1f2328} .faint{fill:#59636e}
.reused{fill:#dafbe1;stroke:#4ac26b} .ran{fill:#fff1e5;stroke:#e16f24} .failed{fill:#ffebe9;stroke:#cf222e}
.quiet{fill:#f6f8fa;stroke:#d0d7de} .bar{fill:#e16f24} .break{stroke:#bc4c00} .breaktext{fill:#bc4c00}
text{font:13px ui-sans-serif,system-ui,sans-serif}
.code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px}
.title{font-size:15px;font-weight:600}
@media (prefers-color-scheme:dark){
.paper{fill:#0d1117;stroke:#3d444d} .ink{fill:#f0f6fc} .faint{fill:#9198a1}
.reused{fill:#12261e;stroke:#2ea043} .ran{fill:#2b1a0d;stroke:#db6d28} .failed{fill:#2d1214;stroke:#f85149}
.quiet{fill:#151b23;stroke:#3d444d} .bar{fill:#db6d28} .break{stroke:#f0883e} .breaktext{fill:#f0883e}}
"""


def the_break(steps: Sequence[StepTrace]) -> int | None:
    """The position of the first step that was not reused, when something below it was; None when nothing broke."""
    worked = [n for n, step in enumerate(steps) if step.status in (Status.RAN, Status.FAILED, Status.RUNNING)]
    return worked[0] if worked and any(step.status is Status.REUSED for step in steps[: worked[0]]) else None


def stack_svg(trace: BuildTrace, *, title: str = "The build") -> str:
    """The whole picture, `WIDTH` pixels wide and a row for each step; the base is the lowest."""
    steps = trace.steps
    broken = the_break(steps)
    height = _TOP + ROW * len(steps) + (18 if broken is not None else 0) + 14
    longest = max((step.seconds for step in steps), default=0.0)
    body: list[str] = []
    y = float(height - 14)
    for position, step in enumerate(steps):
        if position == broken:
            y -= 18
            body.append(_break_line(step, y + 9))
        y -= ROW
        body.extend(_row(step, y, longest, several=len({s.stage for s in steps}) > 1))
    seconds = f"{trace.seconds:.1f} s"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'style="max-width:{WIDTH}px;width:100%;height:auto" '
        f'role="img" aria-label="{escape(stack_text(trace, title=title), {chr(34): "&quot;", chr(10): "&#10;"})}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f'<rect class="paper" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>'
        f'<text class="ink title" x="16" y="28">{escape(title)}</text>'
        f'<text class="ink title" x="{WIDTH - 16}" y="28" text-anchor="end">{seconds}</text>{"".join(body)}</svg>'
    )


def stack_text(trace: BuildTrace, *, title: str = "The build") -> str:
    """The same in words, in the file's order."""
    broken = the_break(trace.steps)
    lines = [f"{title}: {trace.seconds:.1f} s"]
    for position, step in enumerate(trace.steps):
        if position == broken:
            lines.append(f"--- the break: line {step.line} is the first that could not be reused ---")
        mark, word, _ = LOOK[step.status]
        seconds = f"{step.seconds:6.1f} s" if step.seconds else " " * 8
        lines.append(f"{step.line:4} {mark} {word:10} {seconds}  {_first_line(step)}")
    if trace.error:
        lines.append(f"The build failed: {trace.error}")
    return "\n".join(lines)


def _row(step: StepTrace, y: float, longest: float, *, several: bool) -> Iterator[str]:
    mark, word, look = LOOK[step.status]
    middle = y + ROW / 2 + 4
    ink = "faint" if look == "quiet" else "ink"
    text = _first_line(step)
    if several:
        text = f"{step.stage}: {text}"
    if len(text) > _TEXT_LIMIT:
        text = text[: _TEXT_LIMIT - 1] + "…"
    yield f'<rect class="{look}" x="16" y="{y + 1.5}" width="{WIDTH - 32}" height="{ROW - 3}" rx="4"/>'
    yield f'<text class="faint code" x="50" y="{middle}" text-anchor="end">{step.line}</text>'
    yield f'<text class="{ink} code" x="{_TEXT_X}" y="{middle}">{escape(text)}</text>'
    yield f'<text class="{ink}" x="{_WORD_X}" y="{middle}">{mark} {word}</text>'
    if step.status in (Status.RAN, Status.FAILED):
        width = max(2.0, _BAR_WIDTH * step.seconds / longest) if longest else 2.0
        yield f'<rect class="bar" x="{_BAR_X}" y="{y + 9}" width="{width:.1f}" height="{ROW - 18}" rx="2"/>'
        yield f'<text class="ink" x="{WIDTH - 26}" y="{middle}" text-anchor="end">{step.seconds:.1f} s</text>'


def _break_line(step: StepTrace, y: float) -> str:
    words = f"the break: line {step.line}, and everything above it"
    return (
        f'<line class="break" x1="16" y1="{y}" x2="{WIDTH - 320}" y2="{y}" stroke-width="1.5" stroke-dasharray="5 4"/>'
        f'<text class="breaktext" x="{WIDTH - 20}" y="{y + 4}" text-anchor="end">{words}</text>'
    )


def _first_line(step: StepTrace) -> str:
    return step.text.splitlines()[0]
