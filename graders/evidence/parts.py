"""Which container is which part of the counter, known by what it answers.

Enters: a `World` that is up, and its `Setup`. Leaves: `Part`s. Asks from within each container's own network.
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from course.lab.setup import Container, Setup
from graders.evidence.world import World

ANSWERS: Final = {"web": "web", "api": "the API", "db": "Redis"}
"""What each part is called."""
_AT_ONCE: Final = 8
_ASK: Final = r"""
s=$1
ask() {
    said=$(printf 'PING\r\nGET visits\r\nQUIT\r\n' | timeout $s nc -w $s "$1" "$2" | head -c 60 | tr '\r\n' '  ')
    case $said in +PONG* | -NOAUTH*) echo "$2 db $said"; return ;; esac
    echo "$2 $(wget -q -T $s -O - "http://$1:$2/health" | head -c 200 | tr -d '\r\n')"
}
netstat -ltn 2> /dev/null | {
    while read -r protocol in out local rest; do
        case $protocol in tcp*) ;; *) continue ;; esac
        port=${local##*:} address=${local%:*}
        case $address in 127.0.0.11) continue ;; 0.0.0.0 | :*) address=127.0.0.1 ;; esac
        ask "$address" "$port" 2> /dev/null &
    done
    wait
} | sort -n
"""
"""A line for each TCP port that is listened on: `6379 db` and what Redis says, or what GET /health says in $1 s."""
_PATIENCE_S: Final = 3
_COUNT: Final = re.compile(r"\$\d+ +(\d+) ")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A container that is `web`, `api` or `db`, the port on which it shows, and the `count` that a db keeps."""

    kind: str
    container: Container
    port: int
    count: int | None = None


def listening(parts: tuple[Part, ...]) -> tuple[Container, ...]:
    """The containers of these parts as ones that listen on the parts' ports and publish none."""
    ports: dict[str, set[int]] = {}
    for part in parts:
        ports.setdefault(part.container.name, set()).add(part.port)
    every = {part.container.name: part.container for part in parts}
    return tuple(replace(one, listens=tuple(sorted(ports[name])), ports=()) for name, one in every.items())


def find_parts(world: World, setup: Setup) -> tuple[Part, ...]:
    """Every part that is there. One that shares another's network is not told from it; what is on the host's network
    hears everything that is published there, and is only asked for what is nowhere else.
    """
    running = [one for one in setup.containers if one.state == "running"]
    own = [one for one in running if not one.network_mode.startswith(("container:", "host"))]
    on_host = [one for one in running if one.network_mode == "host"][:1]
    found = tuple(_ask(world, own))
    kinds = {part.kind for part in found}
    return found + tuple(part for part in _ask(world, on_host) if part.kind not in kinds)


def _ask(world: World, containers: list[Container]) -> Iterator[Part]:
    words = ["sh", "-c", _ASK, "ask", f"{_PATIENCE_S * world.engine.pace:.0f}"]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        said = pool.map(lambda one: world.beside(one.id, words, timeout_s=15).output, containers)
        for container, lines in zip(containers, said, strict=True):
            for line in lines.splitlines():
                port, _, answer = line.partition(" ")
                if kind := _kind(answer):
                    counted = _COUNT.search(answer) if kind == "db" else None
                    count = int(counted[1]) if counted else None
                    yield Part(kind=kind, container=container, port=int(port), count=count)


def _kind(answer: str) -> str | None:
    if answer.startswith("db "):
        return "db"
    try:
        kind = json.loads(answer)["part"]
    except (ValueError, TypeError, KeyError):
        return None
    return kind if kind in ("web", "api") else None
