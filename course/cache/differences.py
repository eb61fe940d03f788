"""What is different between a step and the same step before, as a sentence and a cause.

Enters: notes of two builds. Leaves: `(sentence, Cause)`, or None where nothing is different. Pure.
"""

from collections.abc import Sequence
from typing import TypeAlias

from course.cache.history import StepNote
from course.cache.nouns import Cause
from course.cache.tree import Tree
from course.fingerprint import Fingerprint

Why: TypeAlias = tuple[str, Cause]
FileChange: TypeAlias = tuple[str, Fingerprint | None, Fingerprint | None]


def short(text: str, limit: int = 60) -> str:
    """A text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def changed_image(now: StepNote, before: StepNote) -> Why | None:
    """The stage begins from another image, or the image of that name has other layers."""
    is_now, was = dict(now.facts), dict(before.facts)
    if is_now.get("image") != was.get("image"):
        return (
            f"The stage begins from {is_now.get('image')} instead of {was.get('image')}.",
            Cause(kind="base", subject=is_now.get("image"), before=was.get("image"), after=is_now.get("image")),
        )
    if is_now.get("layers") != was.get("layers"):
        name = is_now.get("image")
        layers = [(facts.get("layers") or "").rpartition(" ")[2][:19] or None for facts in (was, is_now)]
        return f"The image {name} has other layers now.", Cause(
            kind="base", subject=name, before=layers[0], after=layers[1]
        )
    return None


def line_cause(now: StepNote, before: StepNote) -> Why:
    """The instruction itself is another one."""
    cause = Cause(kind="line", subject=now.line, before=before.text, after=now.text)
    return f"Line {now.line} was: {short(before.text)}", cause


def changed_variable(now: StepNote, before: StepNote) -> Why | None:
    """A variable that a command sees has another value, is new, is gone, or stands elsewhere in the list."""
    is_now, was = dict(now.env), dict(before.env)
    for name in [*is_now, *was]:
        if is_now.get(name) != was.get(name):
            cause = Cause(kind="variable", subject=name, before=was.get(name), after=is_now.get(name))
            if name not in was:
                return f"Variable {name} is new: {short(is_now[name])!r}.", cause
            if name not in is_now:
                return f"Variable {name} is gone; it was {short(was[name])!r}.", cause
            return f"Variable {name} is {short(is_now[name])!r}, it was {short(was[name])!r}.", cause
    for name, other in zip(is_now, was, strict=True):
        if name != other:
            cause = Cause(kind="variable", subject=name, before=" ".join(was), after=" ".join(is_now))
            return f"Variable {name} is set in another order.", cause
    return None


_SETS = {"shell": "SHELL", "directory": "WORKDIR", "user": "USER"}


def changed_surroundings(now: Sequence[StepNote], before: Sequence[StepNote], place: int, was: StepNote) -> Why | None:
    """A command runs as another user, in another directory, or with another shell."""
    old = dict(was.facts)
    for name, value in now[place].facts:
        if name in _SETS and old.get(name) != value:
            line = next((s.line for s in reversed(now[:place]) if s.instruction == _SETS[name]), now[place].line)
            cause = Cause(kind="line", subject=line, before=old.get(name), after=value)
            return f"Its {name} is {_shown(value)}, it was {_shown(old.get(name))}.", cause
    return None


def _shown(value: str | None) -> str:
    return repr(value) if value else "not set"


def changed_predecessor(now: Sequence[StepNote], before: Sequence[StepNote], place: int, was: StepNote) -> Why | None:
    """It stands on another step than before."""
    here = [step for step in now[:place] if step.is_layer]
    there = [step for step in before[: list(before).index(was)] if step.is_layer]
    for step, other in zip(reversed(here), reversed(there), strict=False):
        if step.text != other.text and step.instruction != "FROM":
            cause = Cause(kind="line", subject=step.line, before=other.text, after=step.text)
            return f"It stands on line {step.line}, where it stood on: {short(other.text)}", cause
    if len(here) < len(there):
        gone = there[-len(here) - 1]
        cause = Cause(kind="line", subject=now[place].line, before=gone.text)
        return f"A step above it is gone: {short(gone.text)}", cause
    if len(here) > len(there):
        step = here[-len(there) - 1]
        return f"It stands on line {step.line}, which is new.", Cause(kind="line", subject=step.line, after=step.text)
    return None


def changed_files(before: Tree, now: Tree) -> tuple[FileChange, ...]:
    """The files of the context that are not as they were, in the order of their names."""
    paths = sorted({*before.entries, *now.entries})
    pairs = ((path, before.entries.get(path), now.entries.get(path)) for path in paths)
    return tuple(
        (p, was, new) for p, was, new in pairs if was is not new and (not was or not new or was.record != new.record)
    )


def sentence_of_file(path: str, was: Fingerprint | None, now: Fingerprint | None) -> Why:
    """How a file changed."""
    name = path.lstrip("/")

    def why(text: str, before: str | None, after: str | None) -> Why:
        return f"{name} {text}.", Cause(kind="file", subject=name, before=before, after=after)

    if was is None or now is None:
        return why("is new", None, now.kind) if now else why("is gone", was.kind if was else None, None)
    if was.kind != now.kind:
        return why(f"is a {now.kind}, it was a {was.kind}", was.kind, now.kind)
    if was.digest != now.digest:
        return why("has other content", was.digest[:12], now.digest[:12])
    if was.link != now.link:
        return why(f"points to {now.link}, it pointed to {was.link}", was.link, now.link)
    if was.mode != now.mode:
        return why(f"has mode {now.mode:04o}, it had {was.mode:04o}", f"{was.mode:04o}", f"{now.mode:04o}")
    return why("has other extended attributes", _names(was), _names(now))


def _names(file: Fingerprint) -> str:
    return " ".join(name for name, _ in file.xattrs)
