"""Why a connection came out as it did, and the one change that would make it work: `explain(setup, reach)`.

Enters: a `Setup` and a `Reach` of it. Leaves: `Explanation(why, fix)`. Pure; may import its neighbours' nouns.
"""

from dataclasses import dataclass

from course.lab.reach import HOST, Answer, Reach
from course.lab.setup import Container, Setup

DEFAULT_BRIDGE = "bridge"


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A sentence, and a command or a change; no `fix` where nothing need be mended."""

    why: str
    fix: str = ""


def explain(setup: Setup, reach: Reach) -> Explanation:
    """Explain what came of one connection."""
    containers = {one.name: one for one in setup.containers}
    source, target = containers.get(reach.source), containers.get(reach.target)
    for one in (source, target):
        if one is not None and one.state != "running":
            start = "unpause" if one.state == "paused" else "start"
            return Explanation(why=f"{one.name} is {one.state}.", fix=f"docker {start} {one.name}")
    if target is None:
        return _outside(setup, source, reach)
    if reach.source == HOST or source is None:
        return _from_host(target, reach)
    if reach.address == "localhost":
        return _own(source, target, reach)
    return _between(source, target, reach)


def _between(source: Container, target: Container, reach: Reach) -> Explanation:
    shared = [name for name in networks(source) if name in networks(target)]
    is_address = any(reach.address == one.address for one in target.networks)
    if not is_address and reach.address not in names(target):
        return _through_the_host(target, reach)
    if reach.answer is Answer.ANSWERED:
        by = "addresses get through" if is_address else f"its DNS knows {reach.address}"
        return Explanation(why=f"Both are on {shared[0] if shared else 'one network'}; {by}.")
    if reach.answer is Answer.REFUSED:
        return Explanation(
            why=f"{target.name} is reached, but nothing listens on its port {reach.port} for others.",
            fix=f"let the program in {target.name} listen on 0.0.0.0:{reach.port}",
        )
    if not networks(source):
        return Explanation(why=f"{source.name} is on no network.", fix=f"docker network connect NETWORK {source.name}")
    if not shared:
        where = next(iter(networks(target)), "NETWORK")
        return Explanation(
            why=f"{source.name} and {target.name} share no network.",
            fix=f"docker network connect {where} {source.name}",
        )
    if reach.answer is Answer.NAME_NOT_FOUND and source.name == target.name:
        return Explanation(why="The default bridge has no names, not even for itself.", fix="use localhost")
    if reach.answer is Answer.NAME_NOT_FOUND and shared == [DEFAULT_BRIDGE]:
        return Explanation(
            why="They share only the default bridge, which has no names.",
            fix=f"docker network create web, and docker network connect web for {source.name} and {target.name}",
        )
    return Explanation(why=f"Nobody answered at {reach.address}.", fix=f"docker logs {target.name}")


def _through_the_host(target: Container, reach: Reach) -> Explanation:
    if reach.answer is Answer.ANSWERED:
        return Explanation(why=f"Port {reach.port} of the host is published, and leads to {target.name}.")
    own = next((port for port in target.ports if port.host_port == reach.port), None)
    if own is not None and own.address.startswith("127."):
        return Explanation(
            why=f"Port {reach.port} is published at {own.address} of the host, where containers are not.",
            fix=f"use the name {target.name} on a shared network, or -p {reach.port}:{own.container_port}",
        )
    return Explanation(
        why=f"Nobody answered at port {reach.port} of the host.", fix=f"use the name {target.name} on a shared network"
    )


def _own(source: Container, target: Container, reach: Reach) -> Explanation:
    if source.network_mode == "host":
        return Explanation(why=f"{source.name} uses the host's own network: its localhost is the host.")
    if reach.answer is Answer.ANSWERED:
        return Explanation(why=f"localhost is {source.name} itself, and it listens on {reach.port}.")
    if source.name == target.name:
        return Explanation(
            why=f"Nothing listens on port {reach.port} in {source.name}.", fix=f"docker logs {source.name}"
        )
    return Explanation(why=f"localhost is {source.name} itself, not {target.name}.", fix=f"use the name {target.name}")


def _from_host(target: Container, reach: Reach) -> Explanation:
    own = next((port for port in target.ports if port.container_port == reach.port), None)
    if reach.answer is Answer.ANSWERED:
        if reach.address == "localhost":
            return Explanation(why=f"Port {reach.port} of the host is published, and leads to {target.name}.")
        return Explanation(
            why="The engine runs on this host, which is on its bridges too; with Docker Desktop it is not."
        )
    if reach.address == "localhost":
        return Explanation(
            why=f"Port {reach.port} is published, but nothing in {target.name} listens behind it on all addresses.",
            fix=f"let the program in {target.name} listen on 0.0.0.0",
        )
    use = f"use localhost:{own.host_port}" if own else f"publish it: -p {reach.port}:{reach.port}"
    if reach.answer is Answer.NAME_NOT_FOUND:
        return Explanation(why="The names of containers are known on their networks only, not on the host.", fix=use)
    return Explanation(why=f"From the host nobody answers at {reach.address}.", fix=use)


def _outside(setup: Setup, source: Container | None, reach: Reach) -> Explanation:
    if reach.answer is Answer.ANSWERED:
        return Explanation(why="The network has a way out, through the host.")
    internal = {network.name for network in setup.networks if network.internal}
    if source is not None and not networks(source):
        return Explanation(why=f"{source.name} is on no network.", fix=f"docker network connect NETWORK {source.name}")
    if source is not None and set(networks(source)) <= internal:
        return Explanation(
            why=f"All networks of {source.name} are internal: they have no way out.",
            fix=f"docker network connect NETWORK {source.name}, of one that is not internal",
        )
    return Explanation(why=f"The host itself may not reach {reach.target}.", fix="try it from the host")


def networks(container: Container) -> tuple[str, ...]:
    """The networks that lead somewhere; none for `--network none`."""
    return tuple(one.network for one in container.networks if one.network != "none")


def names(container: Container) -> set[str]:
    """Every name that a container has on its networks."""
    return {container.name, *(name for one in container.networks for name in one.names)}
