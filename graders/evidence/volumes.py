"""What a submission for the `volumes` assignment does: brought up, written to, edited, taken down and brought up again.

Enters: a `ReplayEngine`, the assignment and the student's artifacts. Leaves: `VolumesEvidence`, plain data, part by
part.

Its containers are known by what they do, never by their names: the database answers on its port, the app on port 3000
of the machine, and another one has a file in its mounts that holds what was written to the database.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from course.assignments import Assignment
from course.lab.lineage import Deed, Journal, Lineage
from course.lab.setup import Container, Setup
from graders.evidence.mongodb import Place, ask_databases, places_with
from graders.evidence.replay import open_replay
from graders.evidence.world import World
from graders.rubric import Gathered
from graders.sandbox import Ran, ReplayEngine
from graders.submission import Artifacts

SOURCE: Final = "src/greeting.js"
PACKAGE: Final = "nodemon"
"""What the app's package.json asks for."""
PORT: Final = 3000
UP_TIMEOUT_S: Final = 120
START_TIMEOUT_S: Final = 30
SHARED_TIMEOUT_S: Final = 5
EDIT_TIMEOUT_S: Final = 10
_LIVES: Final = ("running", "restarting")
_LOOK: Final = """
import fs from "node:fs"; import path from "node:path"; import { createRequire } from "node:module";
const skip = new Set(["/proc", "/sys", "/dev"]), found = [];
function walk(folder, depth) {
  let entries = [];
  try { entries = fs.readdirSync(folder, { withFileTypes: true }); } catch { return; }
  const source = path.join(folder, SOURCE);
  if (fs.existsSync(source)) found.push(source);
  for (const { name } of entries.filter((entry) => entry.isDirectory() && entry.name !== "node_modules")) {
    if (depth < 6 && !skip.has(path.join(folder, name))) walk(path.join(folder, name), depth + 1);
  }
}
walk("/", 0);
console.log(JSON.stringify(found.map((source) => {
  let loads = false;
  try { loads = typeof createRequire(source)(PACKAGE) === "function"; } catch {}
  return [fs.readFileSync(source, "utf8"), loads];
})));
process.exit();
"""
"""Each copy of the app in a container: the text of its SOURCE, and whether PACKAGE loads from there."""


@dataclass(frozen=True, kw_only=True)
class Written:
    """A note for a database: whether it `took` it, the `places` where it lies, and which other containers see these."""

    database: str
    took: bool = True
    places: tuple[Place, ...] = ()
    seen_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class VolumesEvidence:
    """What happened. `written` has a note for each database, `kept` the databases whose notes were there again.

    `answer` is what port 3000 said before the edit of the source, `edited` the last that it said after it. `lineage` is
    what became of containers and volumes, to look at.
    """

    written: tuple[Written, ...] = ()
    kept: tuple[str, ...] = ()
    answer: str = ""
    greeting: str = ""
    edited: str | None = None
    edit: str = ""
    same_container: bool = True
    loads: bool = False
    lineage: Lineage | None = None


DATA: Final = ("written", "kept")
APP: Final = ("answer", "edited", "loads")


def gather(engine: ReplayEngine, assignment: Assignment, artifacts: Artifacts) -> Iterator[Gathered[VolumesEvidence]]:
    """Replay the artifacts; raises `CourseError` when the engine itself fails."""
    greeting, edit = f"hello {uuid.uuid4().hex}", f"hello {uuid.uuid4().hex}"
    gathered = Gathered(evidence=VolumesEvidence(greeting=greeting, edit=edit))
    if not {"compose.yaml", "run.sh"} & set(artifacts.files):
        reason = " and ".join(artifacts.problems[name] for name in ("compose.yaml", "run.sh"))
        yield gathered.fail(reason, *DATA, *APP)
        return
    with open_replay(engine, assignment, artifacts) as replay:
        (replay.root / SOURCE).write_text(_source(greeting), encoding="utf-8")
        world = World(engine, replay.root)
    ran, excuse = world.up(timeout_s=UP_TIMEOUT_S)
    trouble = _trouble(world, ran)
    if excuse:
        yield gathered.lack(excuse, *DATA, *APP)
    elif ran.exit_code is None or (world.composed and trouble) or not world.setup().containers:
        # what a compose that failed has started is a matter of chance; a script's steps have an order
        yield gathered.fail(trouble or "nothing is set up", *DATA, *APP)
    else:
        yield from _look(world, gathered, trouble)


def _look(world: World, gathered: Gathered[VolumesEvidence], trouble: str) -> Iterator[Gathered[VolumesEvidence]]:
    answer, databases = _wait(world)
    notes = {name: uuid.uuid4().hex for name in databases}
    journal = Journal()
    if databases:
        gathered = gathered.have(written=_write(world, notes))
        setup = world.setup()
        journal.see(setup)
        for one in gathered.evidence.written:
            if one.took:
                _note(journal, setup, one, Deed.WROTE, found=True)
    else:
        gathered = gathered.fail(_absent(world, "no database answers on port 27017", trouble), *DATA)
    if answer is None:
        gathered = gathered.fail(_absent(world, f"no container answers on port {PORT}", trouble), *APP)
        yield gathered
    else:
        gathered = gathered.have(answer=answer)
        yield gathered
        gathered = _edit(world, gathered)
        yield gathered
    if databases:
        yield _again(world, gathered, notes, journal)


def _wait(world: World) -> tuple[str | None, tuple[str, ...]]:
    """What the app answers, and the databases that do, as soon as both are there."""
    answer: str | None = None
    databases: tuple[str, ...] = ()

    def look() -> bool | None:
        nonlocal answer, databases
        lives = any(one.state in _LIVES for one in world.setup().containers)
        answer = answer if answer is not None else _ask(world)
        databases = databases or tuple(ask_databases(world, {}))
        return True if (answer is not None and databases) or not lives else None

    world.engine.wait_for(look, timeout_s=START_TIMEOUT_S)
    return answer, databases


def _write(world: World, notes: dict[str, str]) -> tuple[Written, ...]:
    answers: dict[str, tuple[str, ...]] = {}

    def take() -> bool | None:
        nonlocal answers
        answers = ask_databases(world, notes)
        return all(note in answers.get(database, ()) for database, note in notes.items()) or None

    world.engine.wait_for(take, timeout_s=SHARED_TIMEOUT_S)
    written = []
    for database, note in notes.items():

        def lie(note: str = note, database: str = database) -> dict[str, tuple[Place, ...]] | None:
            found = places_with(world, world.setup(), note)
            return found if database in found else None

        found = world.engine.wait_for(lie, timeout_s=SHARED_TIMEOUT_S) or {}

        def seen(note: str = note, database: str = database) -> tuple[str, ...] | None:
            return tuple(name for name in places_with(world, world.setup(), note) if name != database) or None

        seen_by = world.engine.wait_for(seen, timeout_s=SHARED_TIMEOUT_S) or ()
        took = note in answers.get(database, ())
        written.append(Written(database=database, took=took, places=found.get(database, ()), seen_by=seen_by))
    return tuple(written)


def _edit(world: World, gathered: Gathered[VolumesEvidence]) -> Gathered[VolumesEvidence]:
    before, edit = _publishers(world.setup()), gathered.evidence.edit
    last: str | None = None

    def look() -> bool | None:
        nonlocal last
        last = _ask(world)
        return last == edit or None

    world.edit(SOURCE, _source(edit))
    world.engine.wait_for(look, timeout_s=EDIT_TIMEOUT_S)
    after = _publishers(world.setup())
    same = [one.id for one in before] == [one.id for one in after]
    loads = any(_loads(world, one, last) for one in after)
    return gathered.have(edited=last, same_container=same, loads=loads)


def _again(
    world: World, gathered: Gathered[VolumesEvidence], notes: dict[str, str], journal: Journal
) -> Gathered[VolumesEvidence]:
    made = _volumes_made(world)
    world.down()
    journal.see(world.setup())
    ran, excuse = world.up(timeout_s=UP_TIMEOUT_S)
    if excuse:
        return gathered.lack(excuse, "kept")

    answers: dict[str, tuple[str, ...]] = {}

    def look() -> bool | None:
        nonlocal answers
        answers = ask_databases(world, {})
        lives = any(one.state in _LIVES for one in world.setup().containers)
        return True if len(answers) >= len(notes) or not lives else None

    done = world.engine.wait_for(look, timeout_s=START_TIMEOUT_S)
    setup = world.setup()
    journal.see(setup)
    for one in gathered.evidence.written:
        if one.took and one.database in answers:
            _note(journal, setup, one, Deed.READ, found=notes[one.database] in answers[one.database])
    if not _made_anew(world, made):  # the picture would say of it that it lives on
        gathered = gathered.have(lineage=journal.lineage)
    if done is None:
        trouble = _trouble(world, ran)
        return gathered.fail(_absent(world, "brought up again, the database does not answer", trouble), "kept")
    kept = {note for held in answers.values() for note in held}
    return gathered.have(kept=tuple(name for name, note in notes.items() if note in kept))


def _note(journal: Journal, setup: Setup, one: Written, deed: Deed, *, found: bool) -> None:
    """Note for the picture that a database wrote its note, or read it and `found` it or not."""
    for container in setup.containers:
        if container.name == one.database:
            targets = {place.target for place in one.places}
            volumes = [mount.source for mount in container.mounts if mount.kind == "volume" and mount.target in targets]
            notes = ("a note",) if found else ()
            journal.note(deed, name=container.name, id=container.id, volumes=volumes, notes=notes)


def _volumes_made(world: World) -> dict[str, str]:
    """When each volume was made."""
    found = world.engine.client.api.volumes().get("Volumes") or ()
    return {attrs["Name"]: str(attrs.get("CreatedAt")) for attrs in found}


def _made_anew(world: World, before: Mapping[str, str]) -> bool:
    """Whether a volume has gone and come again under its name."""
    return any(before.get(name, made) != made for name, made in _volumes_made(world).items())


def _publishers(setup: Setup) -> list[Container]:
    """The containers that can be what answers on the machine's port."""
    published = [one for one in setup.containers if any(port.host_port == PORT for port in one.ports)]
    return published or [one for one in setup.containers if one.network_mode == "host"]


def _loads(world: World, container: Container, served: str | None) -> bool:
    """Whether the package loads where the app is; among several copies of it that which is served counts."""
    script = _LOOK.replace("SOURCE", json.dumps(SOURCE)).replace("PACKAGE", json.dumps(PACKAGE))
    ran = world.in_container(container.id, ["node", "--no-warnings", "--input-type=module", "-e", script])
    try:
        copies: list[tuple[str, bool]] = json.loads(ran.output.splitlines()[-1])
    except (IndexError, ValueError):
        return False
    running = [loads for text, loads in copies if served is not None and text == _source(served)]
    return any(running or [loads for _, loads in copies])


def _ask(world: World) -> str | None:
    return world.get(f"127.0.0.1:{PORT}/", timeout_s=2)


def _source(greeting: str) -> str:
    return f'module.exports = "{greeting}";\n'


def _trouble(world: World, ran: Ran) -> str:
    """Why it could not be brought up; nothing where it could."""
    if ran.exit_code == 0:
        return ""
    what = "compose.yaml" if world.composed else "run.sh"
    if ran.exit_code is None:
        return f"{what} was not done after {UP_TIMEOUT_S} seconds"
    lines = [line.strip() for line in ran.output.splitlines() if line.strip()]
    return f"{what} failed: {lines[-1] if lines else f'exit status {ran.exit_code}'}"


def _absent(world: World, what: str, trouble: str) -> str:
    """What is not there, with what can be said about it."""
    setup = world.setup()
    ended = [one for one in setup.containers if one.state != "running" and one.exit_code]
    said = [f"{one.name} ended with exit status {one.exit_code}: {world.said(one)}" for one in ended]
    return "; ".join([what, *([trouble] if trouble else []), *said])
