"""Who reaches whom, by which name: `measure_reach(client, setup) -> tuple[Reach, ...]`.

Enters: docker-py's client and a `Setup`. Leaves: one `Reach` for every way from a container, or from the host, to a TCP
port of a container or of the world outside. Runs a helper container in the network namespace of each source, so that
nothing need be installed there; may import `course.clean`, `course.labels` and
its neighbours.
"""

import errno
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from docker import DockerClient
from docker.errors import APIError

from course import labels
from course.clean import remove_each
from course.lab.setup import Container, Setup

HOST: Final = "the host"
HELPER: Final = "busybox:stable"
"""Of the catalogue; its `nc` tells a name that is not found from a refusal and from silence."""
_PATIENCE_S: Final = 2
_NAME_PATIENCE_S: Final = 4
_AT_ONCE: Final = 32
_PROBE: Final = """
set -f
name_patience=$1 patience=$2; shift 2
probe() {
    read began idle < /proc/uptime
    said=$(timeout $name_patience nc -w $patience "$2" "$3" -e true 2>&1); code=$?
    read ended idle < /proc/uptime
    echo $1 $code $began $ended $said  # not in quotes: what was said becomes one line
}
while [ $# -gt 0 ]; do probe "$1" "$2" "$3" & shift 3; done
wait
"""


class Answer(StrEnum):
    """What came of a connection."""

    ANSWERED = "answered"
    REFUSED = "refused"
    TIMED_OUT = "timed out"
    NAME_NOT_FOUND = "name not found"
    UNREACHABLE = "unreachable"
    NOT_RUNNING = "not running"


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to try: from `source` to `target` at `address` and `port`. Either end may be `HOST`; `target` may be a name
    of the world outside.
    """

    source: str
    target: str
    address: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What came of a way, and how long it took."""

    source: str
    target: str
    address: str
    port: int
    answer: Answer
    seconds: float


def measure_reach(
    client: DockerClient,
    setup: Setup,
    *,
    outside: Sequence[tuple[str, int]] = (),
    from_host: bool = True,
    helper: str = HELPER,
    pace: float = 1,
) -> tuple[Reach, ...]:
    """Try every way between the containers of `setup`, from the host, and to the addresses `outside`.

    Ports are those that a container declares or publishes. Takes seconds: ways that nobody answers run out of time
    together. `pace` is how many times longer an answer may take where the containers are.
    """
    ways = tuple(all_ways(setup, outside=outside, from_host=from_host))
    running = {one.name: one for one in setup.containers if one.state == "running"}
    idle = {one.name for one in setup.containers if one.state != "running"}

    def measure(source: str) -> dict[Way, Reach]:
        mine = [way for way in ways if way.source == source]
        tried = [way for way in mine if way.target not in idle and source not in idle]
        if source == HOST or not tried:
            found = _from_host(tried)
        else:
            found = _from_container(client, helper, running[source], tried, pace)
        stopped = {way: _reach(way, Answer.NOT_RUNNING, 0.0) for way in mine}
        return stopped | dict(zip(tried, found, strict=True))

    measured: dict[Way, Reach] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for found in pool.map(measure, dict.fromkeys(way.source for way in ways)):
            measured |= found
    return tuple(measured[way] for way in ways)


def all_ways(setup: Setup, *, outside: Sequence[tuple[str, int]] = (), from_host: bool = True) -> Iterator[Way]:
    """Every way that a learner might try."""
    gateways = {network.name: network.gateway for network in setup.networks}
    for source in setup.containers:
        for target in setup.containers:
            yield from _between(source, target, gateways)
        for address, port in outside:
            yield Way(source=source.name, target=address, address=address, port=port)
    for target in setup.containers if from_host else ():
        for port in target.listens:
            own = ("localhost",) if target.network_mode == "host" else ()
            for address in (target.name, *(one.address for one in target.networks if one.address), *own):
                yield Way(source=HOST, target=target.name, address=address, port=port)
        for published in target.ports:
            if published.protocol == "tcp":
                yield Way(source=HOST, target=target.name, address="localhost", port=published.host_port)


def _between(source: Container, target: Container, gateways: dict[str, str]) -> Iterator[Way]:
    names = [target.name, *(name for one in target.networks for name in one.names if name != target.id[:12])]
    addresses = [one.address for one in target.networks if one.address]
    for port in target.listens:
        own = ("localhost",) if source is target or port not in source.listens else ()
        for address in dict.fromkeys((*names, *addresses, *own)):
            yield Way(source=source.name, target=target.name, address=address, port=port)
    on_the_host = [published.host_port for published in target.ports if published.protocol == "tcp"]
    if target.network_mode == "host":
        on_the_host += target.listens
    for port in on_the_host:
        for address in dict.fromkeys(gateways.get(one.network, "") for one in source.networks):
            if address:
                yield Way(source=source.name, target=target.name, address=address, port=port)


def _from_container(
    client: DockerClient, image: str, source: Container, ways: Sequence[Way], pace: float
) -> list[Reach]:
    patience = [f"{seconds * pace:.0f}" for seconds in (_NAME_PATIENCE_S, _PATIENCE_S)]
    arguments = [word for number, way in enumerate(ways) for word in (str(number), way.address, str(way.port))]
    host = client.api.create_host_config(network_mode=f"container:{source.id}")
    command = ["sh", "-c", _PROBE, "probe", *patience, *arguments]
    helper = client.api.create_container(image, command, labels=labels.labels(), host_config=host)["Id"]
    try:
        client.api.start(helper)
        client.api.wait(helper)
        lines = client.api.logs(helper, stderr=False).decode(errors="replace").splitlines()
    except APIError:  # the source stopped meanwhile
        return [_reach(way, Answer.NOT_RUNNING, 0.0) for way in ways]
    finally:
        remove_each([(helper, lambda: client.api.remove_container(helper, force=True, v=True))])
    found = {}
    for line in lines:
        number, code, began, ended, *said = line.split(" ", 4)
        found[int(number)] = (_understood(int(code), " ".join(said)), float(ended) - float(began))
    lost = (Answer.TIMED_OUT, 0.0)
    return [_reach(way, *found.get(number, lost)) for number, way in enumerate(ways)]


def _understood(code: int, said: str) -> Answer:
    if code == 0:
        return Answer.ANSWERED
    for words, answer in (
        ("bad address", Answer.NAME_NOT_FOUND),
        ("refused", Answer.REFUSED),
        ("nreachable", Answer.UNREACHABLE),
    ):
        if words in said:
            return answer
    return Answer.TIMED_OUT


def _from_host(ways: Sequence[Way]) -> list[Reach]:
    with ThreadPoolExecutor(max(len(ways), 1)) as pool:
        return list(pool.map(_connect, ways))


def _connect(way: Way) -> Reach:
    began = time.monotonic()
    try:
        with socket.create_connection((way.address, way.port), timeout=_PATIENCE_S):
            answer = Answer.ANSWERED
    except socket.gaierror:
        answer = Answer.NAME_NOT_FOUND
    except TimeoutError:
        answer = Answer.TIMED_OUT
    except OSError as error:
        unreachable = error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH)
        answer = Answer.UNREACHABLE if unreachable else Answer.REFUSED
    return _reach(way, answer, time.monotonic() - began)


def _reach(way: Way, answer: Answer, seconds: float) -> Reach:
    return Reach(
        source=way.source, target=way.target, address=way.address, port=way.port, answer=answer, seconds=seconds
    )
