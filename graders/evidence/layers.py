"""What a submission for the `layers` assignment says and does: answers about a given image, and a lighter one.

Enters: a `ReplayEngine`, the assignment and the student's artifacts. Leaves: `LayersEvidence`, plain data, by and by.

The given image is built here as well, so the right answers are what this engine made of it; and what its containers
print is what the student's have to print. Both are built from a visits.txt that got a page which nobody can know of.
"""

import json
import re
import shlex
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from course.assignments import GIVEN, Assignment
from course.builds import BuildTrace, Status
from course.errors import CourseError
from course.images import ImageLayers, read_layers, shared_layers
from course.images.layers import Change, Layer
from graders.evidence.probe import hash_files, run_once
from graders.evidence.replay import BUILD_TIMEOUT_S, Replay, failure, open_replay
from graders.rubric import Gathered
from graders.sandbox import ReplayEngine
from graders.submission import Artifacts

Words = tuple[str, ...]
Said = tuple[int | None, str]
"""A container's exit status, and what it printed."""
BASE: Final = "busybox:stable"
VISITS: Final = "visits.txt"
ANSWERS: Final = "answers.json"
KNOWN_WORDS: Final = (("cache",), ("nosuch",))
"""A page that no edit touches, and one that nobody visited."""
NEW_VISITS: Final = 321
TIMES_THE_GIVEN: Final = 10
"""A build, or a container, that takes so much longer than the given one does something else."""
LEAST_BUILD_TIMEOUT_S: Final = 60
LEAST_ANSWER_TIMEOUT_S: Final = 15
GIVEN_ANSWERS_TIMEOUT_S: Final = 120
LOOK_LIMIT_BYTES: Final = 300_000_000
"""The given image weighs 40 MB; one that weighs more than this is not looked through."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """The given image as it came out of its build."""

    added_layers: int = 0
    largest_line: int = 0
    unseen_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What a container of the student's image printed to `docker run IMAGE WORDS`, and what one of the given did.

    `asked` are the words for people. A status is None where there was none: not started, or not ended in time.
    """

    asked: str
    printed: str
    status: int | None
    wanted: str
    wanted_status: int | None


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """A file that a layer holds and a later one removes or replaces; `created_by` says which instruction wrote it."""

    path: str
    size_bytes: int
    created_by: str


@dataclass(frozen=True, kw_only=True)
class LayersEvidence:
    """What was answered, and what the student's image is: how it answers to words that were there before and to those
    of the edit, which files it hides, which of the toolkit's it shows, and by how much it weighs more than its base.
    `layers` are its own, to look at.
    """

    answers: Mapping[str, object] = field(default_factory=dict)
    given: Given = field(default_factory=Given)
    known: tuple[Exchange, ...] = ()
    edited: tuple[Exchange, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    toolkit: tuple[str, ...] = ()
    added_bytes: int = 0
    layers: ImageLayers | None = None


BUILT: Final = ("known", "edited", "hidden", "toolkit", "added_bytes")
"""The parts that need the student's image."""


@dataclass(frozen=True, kw_only=True)
class _Model:
    """What the student's image is compared with."""

    printed: Mapping[Words, Said]
    toolkit: frozenset[str]
    build_timeout_s: float
    answer_timeout_s: float


def gather(engine: ReplayEngine, assignment: Assignment, artifacts: Artifacts) -> Iterator[Gathered[LayersEvidence]]:
    """Build the given image and the student's; raises `CourseError` when the engine itself fails."""
    gathered = read_answers(artifacts)
    if "Dockerfile" not in artifacts.files:
        gathered = gathered.fail(artifacts.problems["Dockerfile"], *BUILT)
    new = f"page{uuid.uuid4().hex[:8]}"  # the engine may know what an earlier replay built
    with open_replay(engine, assignment, Artifacts(files={}, problems={})) as replay:
        _edit(replay.root, new)
        trace = replay.build(dockerfile=GIVEN)
        gathered = gathered.have(given=_read_given(replay, trace))
        yield gathered
        if "Dockerfile" not in artifacts.files:
            return
        model = _look_at_given(replay, trace, new)
    with open_replay(engine, assignment, artifacts) as replay:
        _edit(replay.root, new)
        _plant(replay.root)
        yield from _build(replay, model, new, gathered)


def _build(
    replay: Replay, model: _Model, new: str, gathered: Gathered[LayersEvidence]
) -> Iterator[Gathered[LayersEvidence]]:
    trace, excuse = replay.judged(lambda: replay.build(no_cache=True, timeout_s=model.build_timeout_s))
    if trace.image_id is None:
        yield gathered.lack(excuse, *BUILT) if excuse else gathered.fail(failure(trace), *BUILT)
        return
    client, image = replay.engine.client, trace.image_id
    said = _ask(replay, image, model)
    gathered = gathered.have(
        known=tuple(_exchange(words, said, model, new) for words in KNOWN_WORDS),
        edited=tuple(_exchange(words, said, model, new) for words in model.printed if words not in KNOWN_WORDS),
    )
    yield gathered
    size = int(client.images.get(image).attrs["Size"])
    if size > LOOK_LIMIT_BYTES:
        yield gathered.fail(f"the image weighs {size / 1e6:.0f} MB", "hidden", "toolkit", "added_bytes")
        return
    layers, base = read_layers(client, image, called="your image"), read_layers(client, BASE)
    toolkit = tuple(path for path, digest in hash_files(client, image).items() if digest in model.toolkit)
    added = layers.size_bytes - base.size_bytes
    hidden = tuple(_hidden(layers))
    yield gathered.have(hidden=hidden, toolkit=toolkit, added_bytes=added, layers=_plain(layers, new))


def read_answers(artifacts: Artifacts) -> Gathered[LayersEvidence]:
    """What answers.json holds, whatever that is."""
    gathered = Gathered(evidence=LayersEvidence())
    if ANSWERS not in artifacts.files:
        return gathered.fail(artifacts.problems[ANSWERS], "answers")
    try:
        answers = json.loads(artifacts.files[ANSWERS])
    except json.JSONDecodeError as error:
        return gathered.fail(f"{ANSWERS} is not JSON: line {error.lineno}: {error.msg}", "answers")
    except (ValueError, RecursionError):
        return gathered.fail(f"{ANSWERS} is not JSON", "answers")
    if not isinstance(answers, dict):
        return gathered.fail(f"{ANSWERS} does not hold an object, {{...}}", "answers")
    return gathered.have(answers=answers)


def _read_given(replay: Replay, trace: BuildTrace) -> Given:
    """The answers: the image's own layers and the steps that made them are the same in number and order."""
    if trace.image_id is None:
        raise CourseError(f"The given image could not be built: {trace.error}", fix="try again")
    layers = read_layers(replay.engine.client, trace.image_id)
    own = layers.layers[shared_layers(layers, read_layers(replay.engine.client, BASE)) :]
    steps = [step for step in trace.steps if step.instruction != "FROM" and step.status is not Status.METADATA]
    largest = max(zip(own, steps, strict=True), key=lambda pair: pair[0].size_bytes)
    return Given(added_layers=len(own), largest_line=largest[1].line, unseen_bytes=layers.wasted_bytes)


def _look_at_given(replay: Replay, trace: BuildTrace, new: str) -> _Model:
    image = str(trace.image_id)
    found = hash_files(replay.engine.client, image)
    toolkit = frozenset(digest for path, digest in found.items() if "/toolkit/" in path)
    began = time.monotonic()
    printed = _ask_given(replay, image, (*KNOWN_WORDS, (), (new,)))
    answered_s, pace = time.monotonic() - began, replay.engine.pace
    return _Model(
        printed=printed,
        toolkit=toolkit,
        build_timeout_s=min(max(TIMES_THE_GIVEN * trace.seconds / pace, LEAST_BUILD_TIMEOUT_S), BUILD_TIMEOUT_S),
        answer_timeout_s=min(max(TIMES_THE_GIVEN * answered_s / pace, LEAST_ANSWER_TIMEOUT_S), GIVEN_ANSWERS_TIMEOUT_S),
    )


def _ask_given(replay: Replay, image: str, questions: Sequence[Words]) -> dict[Words, Said]:
    """All questions to one container: a container for each would take most of the time that a learner waits."""
    end = uuid.uuid4().hex
    script = "\n".join(f"{shlex.join(('sh', 'report.sh', *words))}; echo {end} $?" for words in questions)
    entrypoint = ["sh", "-c", script]
    status, printed = run_once(
        replay.engine.client,
        image,
        (),
        timeout_s=GIVEN_ANSWERS_TIMEOUT_S * replay.engine.pace,
        entrypoint=entrypoint,
    )
    parts = re.findall(rf"(.*?){end} (\d+)\n", printed, re.S)
    if status is None or len(parts) != len(questions):
        raise CourseError("The given image does not answer on the replay engine.", fix="try again")
    return {words: (int(code), text) for words, (text, code) in zip(questions, parts, strict=True)}


def _ask(replay: Replay, image: str, model: _Model) -> dict[Words, Said]:
    """A container for each question; once one does not start or end, no further one is tried."""
    said: dict[Words, Said] = {}
    last: Said = (0, "")
    for words in model.printed:
        if last[0] is not None:
            patience_s = model.answer_timeout_s * replay.engine.pace
            last = run_once(replay.engine.client, image, words, timeout_s=patience_s)
        said[words] = last
    return said


def _exchange(words: Words, said: Mapping[Words, Said], model: _Model, new: str) -> Exchange:
    """One question; what is not known beforehand has the same name in every report."""

    def plain(text: str) -> str:
        return "\n".join(line.rstrip() for line in text.strip().splitlines()).replace(new, "NEWPAGE")

    (status, printed), (wanted_status, wanted) = said[words], model.printed[words]
    asked = " ".join(["docker run IMAGE", *words]).replace(new, "NEWPAGE")
    return Exchange(
        asked=asked, printed=plain(printed), status=status, wanted=plain(wanted), wanted_status=wanted_status
    )


def _plain(layers: ImageLayers, new: str) -> ImageLayers:
    """The same, with what is not known beforehand under the same name in every report."""

    def changes(layer: Layer) -> tuple[Change, ...]:
        return tuple(replace(one, path=one.path.replace(new, "NEWPAGE")) for one in layer.changes)

    return replace(layers, layers=tuple(replace(layer, changes=changes(layer)) for layer in layers.layers))


def _hidden(layers: ImageLayers) -> Iterator[Hidden]:
    for layer in layers.layers:
        for change in layer.changes:
            if change.hidden_by is not None and change.size_bytes:
                yield Hidden(path=change.path, size_bytes=change.size_bytes, created_by=layer.created_by)


def _edit(root: Path, new: str) -> None:
    """A page that nobody can know of, visited on a Sunday."""
    path = root / VISITS
    path.write_text(f"{path.read_text(encoding='utf-8')}sunday {new} {NEW_VISITS}\n", encoding="utf-8")


def _plant(root: Path) -> None:
    """What lies about in a real project's folder: its history, which no image needs."""
    pack = root / ".git/objects/pack/pack-1.pack"
    pack.parent.mkdir(parents=True)
    pack.write_bytes(b"PACK" + bytes(3_000_000))
