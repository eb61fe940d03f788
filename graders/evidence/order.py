"""What a submission for the `order` assignment does: it is built, edited and built again, and looked into.

Enters: a `ReplayEngine`, the assignment and the student's artifacts. Leaves: `OrderEvidence`, plain data, part by part.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from course.assignments import Assignment
from course.builds import BuildTrace, read_dockerfile
from course.builds.model import BuildError
from graders.evidence.api import PACKAGE, SOURCE, StepRef, edit_source, find_steps, look, plant, rewritten, sent
from graders.evidence.probe import ask_api
from graders.evidence.replay import Replay, open_replay
from graders.rubric import Gathered
from graders.sandbox import ReplayEngine
from graders.submission import Artifacts

SCHEMA: Final = "prisma/schema.prisma"
LOCKED: Final = "6.0.0"
"""The version that the lock file names; package.json alone would get the next."""
MODEL: Final = "GraderNote"
START_TIMEOUT_S: Final = 20


@dataclass(frozen=True, kw_only=True)
class OrderEvidence:
    """What happened. `installs` and `generates` are the RUN steps after which the dependencies load, and the client is
    there. `rewritten` are the lines of RUN steps that wrote as much as an installation does after the edit of a source.
    `answer` is what the API said then, else `log` has the last that it printed. `added` is the version of the package
    that was added to package.json, `by_npm` whether npm installed it, and not a manager that has another lock file.
    """

    planted: tuple[str, ...] = ()
    cold: BuildTrace | None = None
    source_edited: BuildTrace | None = None
    rewritten: tuple[int, ...] = ()
    readme_edited: BuildTrace | None = None
    installs: tuple[StepRef, ...] = ()
    generates: tuple[StepRef, ...] = ()
    answer: str | None = None
    log: str = ""
    edit: str = ""
    added: str | None = None
    by_npm: bool = False
    models: tuple[str, ...] = ()
    schema_edited: BuildTrace | None = None


BUILT: Final = (
    *("cold", "source_edited", "rewritten", "readme_edited", "answer", "log", "edit"),
    *("installs", "generates", "added", "by_npm", "models", "schema_edited"),
)
"""The parts that need a build."""


def gather(engine: ReplayEngine, assignment: Assignment, artifacts: Artifacts) -> Iterator[Gathered[OrderEvidence]]:
    """Replay the artifacts; raises `CourseError` when the engine itself fails."""
    gathered = Gathered(evidence=OrderEvidence())
    if "Dockerfile" not in artifacts.files:
        yield gathered.fail(artifacts.problems["Dockerfile"], "planted", *BUILT)
        return
    with open_replay(engine, assignment, artifacts) as replay:
        plant(replay.root)
        if not sent(replay.root):
            gathered = gathered.have(planted=())
            yield gathered
        yield from _build(replay, gathered)


def _build(replay: Replay, gathered: Gathered[OrderEvidence]) -> Iterator[Gathered[OrderEvidence]]:
    dockerfile = read_dockerfile(replay.root, "Dockerfile")
    cold, excuse = replay.judged(lambda: replay.build(no_cache=True))
    if cold.error or isinstance(dockerfile, BuildError):
        lost = [part for part in ("planted", *BUILT) if part not in gathered.ready]
        reason = f"the build fails: {cold.error}"
        yield gathered.lack(excuse, *lost) if excuse else gathered.fail(reason, *lost)
        return
    edit = uuid.uuid4().hex  # in every edit: the engine may know what an earlier replay built
    source = replay.edited(SOURCE, lambda text: edit_source(text, edit))
    answer, log = _ask(replay, source)
    again = rewritten(replay, source)
    readme = replay.edited("README.md", lambda text: f"{text}\n<!-- {edit} -->\n")
    gathered = gathered.have(cold=cold, source_edited=source, rewritten=again, readme_edited=readme)
    gathered = gathered.have(answer=answer, log=log, edit=edit)
    if "planted" not in gathered.ready:
        gathered = gathered.have(planted=tuple(look(replay, source)["planted"]))
    yield gathered
    installs, generates = find_steps(replay, dockerfile)
    gathered = gathered.have(installs=installs, generates=generates)
    yield gathered
    schema = replay.edited(SCHEMA, lambda text: f"{text}\n// {edit}\nmodel {MODEL} {{\n  id Int @id\n}}\n")
    gathered = gathered.have(schema_edited=schema)
    if schema.error:
        gathered = gathered.fail(f"after an edit of {SCHEMA} the build fails: {schema.error}", "models")
    else:
        gathered = gathered.have(models=tuple(look(replay, schema)["models"]))
    yield gathered
    package, excuse = replay.judged(
        lambda: replay.edited(
            "package.json", lambda text: _add_package(text, edit), also={"package-lock.json": _lock_package}
        )
    )
    if package.error:
        reason = f"after an edit of package.json the build fails: {package.error}"
        yield gathered.lack(excuse, "added", "by_npm") if excuse else gathered.fail(reason, "added", "by_npm")
    else:
        seen = look(replay, package)
        yield gathered.have(added=seen["packages"].get(PACKAGE), by_npm=seen["npm"])


def _ask(replay: Replay, trace: BuildTrace) -> tuple[str | None, str]:
    if trace.image_id is None:
        return None, f"after an edit of {SOURCE} the build fails: {trace.error}"
    patience_s = START_TIMEOUT_S * replay.engine.pace
    return ask_api(replay.engine.client, trace.image_id, "/health", timeout_s=patience_s)


def _add_package(text: str, edit: str) -> str:
    data = json.loads(text)
    data["description"] = edit
    data["dependencies"][PACKAGE] = f">={LOCKED}"
    return json.dumps(data, indent=2) + "\n"


def _lock_package(text: str) -> str:
    data = json.loads(text)
    data["packages"][""]["dependencies"][PACKAGE] = f">={LOCKED}"
    data["packages"][f"node_modules/{PACKAGE}"] = {"version": LOCKED, "license": "MIT"}
    return json.dumps(data, indent=2) + "\n"
