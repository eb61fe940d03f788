"""What a submission for the `capstone` assignment does: its image is built and edited, its set-up run twice.

Enters: a `ReplayEngine`, the assignment and the student's artifacts. Leaves: `CapstoneEvidence`, part by part.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from course.assignments import Assignment
from course.builds import BuildTrace, read_dockerfile
from course.builds.model import BuildError
from course.lab.setup import Setup
from graders.evidence.api import PLANTED, SOURCE, StepRef, edit_source, find_steps, look, plant, rewritten, sent
from graders.evidence.replay import Replay, open_replay
from graders.evidence.world import World
from graders.rubric import Gathered
from graders.sandbox import ReplayEngine
from graders.submission import Artifacts

API: Final = "localhost:3000"
READY_S: Final = 40
"""A database that is new takes some seconds before it answers."""
IMAGE_PARTS: Final = ("source_edited", "installs", "generates", "rewritten")
WORLD_PARTS: Final = (
    "health",
    "kept_before",
    "kept_after",
    "new_code",
    "others_published",
    "running",
    "anonymous",
    "bare_networks",
)


@dataclass(frozen=True, kw_only=True)
class CapstoneEvidence:
    """What happened.

    `health` is the first answer of GET /health; `kept_before` and `kept_after` say whether a task that was posted is
    listed, before and after all containers were removed and made again; `others_published` are the containers with
    published ports besides the API; `anonymous` those with data in a volume without a name; `bare_networks` those that
    are on the default bridge or the host's network.
    """

    planted: tuple[str, ...] = ()
    source_edited: BuildTrace | None = None
    installs: tuple[StepRef, ...] = ()
    generates: tuple[StepRef, ...] = ()
    rewritten: tuple[int, ...] = ()
    health: str | None = None
    said: str = ""
    kept_before: bool = False
    kept_after: bool = False
    new_code: bool = False
    others_published: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    anonymous: tuple[str, ...] = ()
    bare_networks: tuple[str, ...] = ()


def gather(engine: ReplayEngine, assignment: Assignment, artifacts: Artifacts) -> Iterator[Gathered[CapstoneEvidence]]:
    """Replay the artifacts; raises `CourseError` when the engine itself fails."""
    gathered = Gathered(evidence=CapstoneEvidence())
    if "Dockerfile" not in artifacts.files:
        yield gathered.fail(artifacts.problems["Dockerfile"], "planted", *IMAGE_PARTS, *WORLD_PARTS)
        return
    with open_replay(engine, assignment, artifacts) as replay:
        plant(replay.root)
        if not sent(replay.root):
            gathered = gathered.have(planted=())
            yield gathered
        for one in _image(replay, gathered):
            gathered = one
            yield gathered
        if not set(IMAGE_PARTS) <= gathered.ready:
            return
        if not {"compose.yaml", "run.sh"} & set(artifacts.files):
            yield gathered.fail("there is neither a compose.yaml nor a run.sh", *WORLD_PARTS)
            return
        yield from _world(World(engine, replay.root), gathered)


def _image(replay: Replay, gathered: Gathered[CapstoneEvidence]) -> Iterator[Gathered[CapstoneEvidence]]:
    dockerfile = read_dockerfile(replay.root, "Dockerfile")
    cold, excuse = replay.judged(lambda: replay.build(no_cache=True))
    if cold.error or isinstance(dockerfile, BuildError):
        lost = [part for part in ("planted", *IMAGE_PARTS, *WORLD_PARTS) if part not in gathered.ready]
        yield gathered.lack(excuse, *lost) if excuse else gathered.fail(f"the build fails: {cold.error}", *lost)
        return
    source = replay.edited(SOURCE, lambda text: edit_source(text, uuid.uuid4().hex))
    gathered = gathered.have(source_edited=source, rewritten=rewritten(replay, source))
    if "planted" not in gathered.ready:
        gathered = gathered.have(planted=tuple(name for name in look(replay, source)["planted"] if name in PLANTED))
    installs, generates = find_steps(replay, dockerfile)
    yield gathered.have(installs=installs, generates=generates)


def _world(world: World, gathered: Gathered[CapstoneEvidence]) -> Iterator[Gathered[CapstoneEvidence]]:
    ran, excuse = world.up()
    if ran.exit_code != 0:
        what = "compose.yaml" if world.composed else "run.sh"
        how = "did not end in time" if ran.exit_code is None else f"failed: {_end(ran.output)}"
        yield gathered.lack(excuse, *WORLD_PARTS) if excuse else gathered.fail(f"{what} {how}", *WORLD_PARTS)
        return
    health = world.engine.wait_for(lambda: world.get(f"{API}/health"), timeout_s=READY_S)
    if health is None:
        reason = f"nobody answers GET /health on port 3000 of the host: {_logs(world)}"
        gathered = gathered.have(health=None, said=reason)
        yield gathered.fail(reason, "kept_before", "kept_after", "new_code").have(**_seen(world.setup()))
        return
    title = uuid.uuid4().hex
    posted = world.engine.wait_for(lambda: world.post(f"{API}/tasks", json.dumps({"title": title})), timeout_s=READY_S)
    kept = posted is not None and _lists(world, title, timeout_s=5)
    said = "" if kept else _logs(world)
    gathered = gathered.have(health=health, said=said, kept_before=kept, **_seen(world.setup()))
    yield gathered
    edit = uuid.uuid4().hex
    world.down()
    world.edit(SOURCE, edit_source(world.read(SOURCE), edit))
    again, excuse = world.up()
    if excuse:
        yield gathered.lack(excuse, "kept_after", "new_code")
        return
    new = world.engine.wait_for(lambda: edit in (world.get(f"{API}/health") or "") or None, timeout_s=READY_S)
    kept = kept and again.exit_code == 0 and _lists(world, title, timeout_s=READY_S)
    yield gathered.have(kept_after=kept, new_code=bool(new))


def _lists(world: World, title: str, *, timeout_s: float) -> bool:
    return bool(world.engine.wait_for(lambda: title in (world.get(f"{API}/tasks") or "") or None, timeout_s=timeout_s))


def _seen(setup: Setup) -> dict[str, tuple[str, ...]]:
    running = [one for one in setup.containers if one.state == "running"]
    nameless = {volume.name for volume in setup.volumes if volume.anonymous}
    return {
        "others_published": tuple(
            one.name for one in running if one.ports and not any(port.host_port == 3000 for port in one.ports)
        ),
        "running": tuple(one.name for one in running),
        "anonymous": tuple(one.name for one in running if any(mount.source in nameless for mount in one.mounts)),
        "bare_networks": tuple(
            one.name for one in running if {"bridge", "host"} & {place.network for place in one.networks}
        ),
    }


def _logs(world: World) -> str:
    return "; ".join(f"{one.name}: {world.said(one)}" for one in world.setup().containers)


def _end(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:])[-300:] or "no word"
