"""What a submission for the `networks` assignment does: brought up, asked from every side, and brought up elsewhere.

Enters: a `ReplayEngine`, the assignment and the artifacts. Leaves: `NetworksEvidence`, plain data, part by part.

The parts are known by what they say: web and the API name themselves, Redis answers PING. Who reaches whom is tried
from within each part's network. That no address is written down shows when all that was used the first time is taken.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from docker.types import IPAMConfig, IPAMPool

from course.assignments import Assignment
from course.lab.reach import Answer, Reach, measure_reach
from course.lab.setup import Container, Setup
from graders.evidence.parts import ANSWERS, Part, find_parts, listening
from graders.evidence.replay import open_replay
from graders.evidence.world import World
from graders.pictures import Surveyed
from graders.rubric import Gathered
from graders.sandbox import Ran, ReplayEngine
from graders.sandbox.store import BUILTIN_NETWORKS
from graders.submission import Artifacts

PORT: Final = 8080
UP_TIMEOUT_S: Final = 90
PATIENCE_S: Final = 15
"""How long a set-up that is up may take until it answers."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What port 8080 says: whether there is a page, the visits that /api counted one after the other, and the last that
    it `said` instead.
    """

    page: bool
    visits: tuple[int, ...] = ()
    said: str = ""

    @property
    def good(self) -> bool:
        """Whether all of it works."""
        return self.page and len(self.visits) == 2 and self.visits[0] < self.visits[1]


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A TCP port that the machine did not listen on before, and the parts whose containers publish it."""

    port: int
    parts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NetworksEvidence:
    """What happened. `kept` is the count in each Redis, `containers` are those that run, `again` is what it answered
    where the first addresses were taken, or why it did not come up. `surveyed` is what ran the first time, to look at.
    """

    first: Answers | None = None
    kept: tuple[int, ...] = ()
    containers: tuple[Container, ...] = ()
    opened: tuple[Opened, ...] = ()
    web_to_api: tuple[Reach, ...] = ()
    api_to_db: tuple[Reach, ...] = ()
    web_to_db: tuple[Reach, ...] = ()
    again: Answers | str = ""
    surveyed: Surveyed | None = None


PARTS: Final = ("first", "kept", "containers", "opened", "web_to_api", "api_to_db", "web_to_db", "again")


def gather(engine: ReplayEngine, assignment: Assignment, artifacts: Artifacts) -> Iterator[Gathered[NetworksEvidence]]:
    """Replay the artifacts; raises `CourseError` when the engine itself fails."""
    gathered = Gathered(evidence=NetworksEvidence())
    if not artifacts.files:
        yield gathered.fail(" and ".join(artifacts.problems.values()), *PARTS)
        return
    with open_replay(engine, assignment, artifacts) as replay:
        world = World(engine, replay.root)
        before = _listening(engine)
        ran, excuse = world.up(timeout_s=UP_TIMEOUT_S)
        if ran.exit_code == 0:
            yield from _look(world, before, gathered)
        elif excuse := _excuse(world, ran, excuse):
            yield gathered.lack(excuse, *PARTS)
        else:
            yield gathered.fail(_why(world, ran), *PARTS)


def _look(
    world: World, before: frozenset[int], gathered: Gathered[NetworksEvidence]
) -> Iterator[Gathered[NetworksEvidence]]:
    """Look at what is up, from outside and from within, then bring it up elsewhere."""
    first = _answers(world)
    gathered = gathered.have(first=first)
    yield gathered
    if not first.good and (reached := world.engine.limit_reached()):
        yield gathered.fail(reached, *(part for part in PARTS if part != "first"))
        return
    setup = world.setup()
    parts = _find(world, setup, patient=first.good)
    gathered = gathered.have(kept=tuple(part.count for part in parts if part.count is not None))
    if lost := [kind for kind in ANSWERS if kind not in {part.kind for part in parts}]:
        gathered = gathered.fail(_nowhere(lost, setup), "containers", "opened")
    else:
        running = tuple(one for one in setup.containers if one.state == "running")
        gathered = gathered.have(containers=running, opened=_opened(world.engine, before, setup, parts))
    yield gathered
    reaches = _measure(world, setup, parts, patient=first.good)
    gathered = _who_reaches_whom(reaches, setup, parts, gathered)
    gathered = gathered.have(surveyed=Surveyed(setup=setup, reaches=reaches))
    yield gathered
    if first.good:
        again, excuse = _elsewhere(world, setup)
        yield gathered.lack(excuse, "again") if excuse else gathered.have(again=again)
    else:
        yield gathered.fail("it does not answer the first time either", "again")


def _why(world: World, ran: Ran) -> str:
    command = "docker compose up --detach --build" if world.composed else "sh run.sh"
    last = [line.strip() for line in ran.output.splitlines() if line.strip(" -")][-4:]
    said = "" if ran.ended else " / ".join(last) or "without a word"
    return f"`{command}` fails: {'; '.join(filter(None, (ran.ended, said, world.engine.limit_reached())))}"


def _excuse(world: World, ran: Ran, excuse: str | None) -> str | None:
    """No excuse for what never ended, nor for what compose has made containers of: it had its images."""
    made = world.composed and world.setup().containers
    return None if ran.exit_code is None or made else excuse


def _answers(world: World) -> Answers:
    """Ask for the page and twice for the visits, with patience."""
    page = world.engine.wait_for(lambda: world.get(f"localhost:{PORT}/"), timeout_s=PATIENCE_S)
    if page is None:
        return Answers(page=False, said=f"no container answers GET / on port {PORT}")
    said = ""

    def counted(more_than: int) -> int | None:
        nonlocal said
        ran = world.ask(f"localhost:{PORT}/api")
        said = ran.output.strip() or "nothing"
        number = _visits(said)
        return number if number is not None and number > more_than else None

    one = world.engine.wait_for(lambda: counted(0), timeout_s=PATIENCE_S)
    other = None if one is None else world.engine.wait_for(lambda: counted(one), timeout_s=PATIENCE_S / 3)
    visits = tuple(number for number in (one, other) if number is not None)
    return Answers(page=True, visits=visits, said=said)


def _visits(said: str) -> int | None:
    try:
        visits = json.loads(said)["visits"]
    except (ValueError, TypeError, KeyError):
        return None
    return visits if isinstance(visits, int) else None


def _listening(engine: ReplayEngine) -> frozenset[int]:
    """The TCP ports of the machine that the engine runs on, the engine's own among them."""

    def look() -> frozenset[int] | None:
        lines = engine.run(["ss", "-ltnH"]).output.splitlines()  # nothing where the machine is out of breath
        return frozenset(int(line.split()[3].rpartition(":")[2]) for line in lines if len(line.split()) > 3) or None

    return engine.wait_for(look, timeout_s=PATIENCE_S) or frozenset()


def _opened(engine: ReplayEngine, before: frozenset[int], setup: Setup, parts: tuple[Part, ...]) -> tuple[Opened, ...]:
    of = {part.container.name: part.kind for part in parts}
    behind = {(part.container.name, part.port): part.kind for part in parts}
    published = [(port.host_port, one.name, port.container_port) for one in setup.containers for port in one.ports]
    return tuple(
        Opened(
            port=opened,
            parts=tuple(
                behind.get((name, inside), of.get(name, name)) for port, name, inside in published if port == opened
            ),
        )
        for opened in sorted(_listening(engine) - before)
    )


def _find(world: World, setup: Setup, *, patient: bool) -> tuple[Part, ...]:
    """The parts; where the counter counts all are there, and a busy machine is given time to show them."""
    parts: tuple[Part, ...] = ()

    def find() -> bool | None:
        nonlocal parts
        parts = find_parts(world, setup)
        return {part.kind for part in parts} == set(ANSWERS) or None

    world.engine.wait_for(find, timeout_s=PATIENCE_S if patient else 0)
    return parts


def _measure(world: World, setup: Setup, parts: tuple[Part, ...], *, patient: bool) -> tuple[Reach, ...]:
    """Who reaches whom; where the counter counts the API is reached and Redis is, and a busy machine is given time."""
    reaches: tuple[Reach, ...] = ()

    def measure() -> bool | None:
        nonlocal reaches
        listens = replace(setup, containers=listening(parts))
        engine = world.engine
        reaches = measure_reach(engine.client, listens, from_host=False, helper=world.tools, pace=engine.pace)
        reached = {
            reach.target for reach in reaches if reach.answer is Answer.ANSWERED and reach.source != reach.target
        }
        return {part.container.name for part in parts if part.kind != "web"} <= reached or None

    world.engine.wait_for(measure, timeout_s=PATIENCE_S / 2 if patient else 0)
    return reaches


def _who_reaches_whom(
    reaches: tuple[Reach, ...], setup: Setup, parts: tuple[Part, ...], gathered: Gathered[NetworksEvidence]
) -> Gathered[NetworksEvidence]:
    """The ways from web to the API, from the API to Redis, and from web to Redis."""
    for source, target in (("web", "api"), ("api", "db"), ("web", "db")):
        name = f"{source}_to_{target}"
        sources = {part.container.name for part in parts if part.kind == source}
        targets = {(part.container.name, part.port) for part in parts if part.kind == target}
        if lost := [kind for kind, found in ((source, sources), (target, targets)) if not found]:
            gathered = gathered.fail(_nowhere(lost, setup), name)
        elif sources & {container for container, _ in targets}:
            gathered = gathered.fail(f"{ANSWERS[source]} and {ANSWERS[target]} share one network address", name)
        else:
            ways = (reach for reach in reaches if reach.source in sources and (reach.target, reach.port) in targets)
            gathered = gathered.have(**{name: tuple(ways)})
    return gathered


def _nowhere(kinds: list[str], setup: Setup) -> str:
    ended = [f"{one.name} ended with exit code {one.exit_code}" for one in setup.containers if one.state == "exited"]
    return "; ".join((f"no container answers as {' or '.join(ANSWERS[kind] for kind in kinds)} does", *ended))


def _elsewhere(world: World, first: Setup) -> tuple[Answers | str, str | None]:
    """Take it down, take every subnet and address that it had, and bring it up again; and what excuses a failure."""
    world.down()
    client = world.engine.client
    for network in first.networks:
        pools = [IPAMPool(subnet=subnet) for subnet in network.subnets]
        if network.name not in BUILTIN_NETWORKS and pools:
            client.networks.create(f"taken-{network.name}", ipam=IPAMConfig(pool_configs=pools))
    for container in first.containers:
        if any(one.network == "bridge" for one in container.networks):
            client.containers.run(world.tools, ["sleep", "600"], detach=True)
    ran, excuse = world.up(timeout_s=UP_TIMEOUT_S)
    return (_answers(world) if ran.exit_code == 0 else _why(world, ran)), _excuse(world, ran, excuse)
