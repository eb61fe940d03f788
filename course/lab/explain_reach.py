"""Why a connection came out as it did, and the one change that would make it work: `explain(setup, reach)`.

Enters: a `Setup` and a `Reach` of it. Leaves: `Explanation(why, fix)`. Pure; may import its neighbours' nouns.

A `fix` that begins with `docker` can be typed as it stands; a test does so.
"""

from dataclasses import dataclass, replace

from course.lab.reach import HOST, Answer, Reach
from course.lab.setup import Container, Setup, network_owner

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
            state = {"exited": "has exited", "created": "was never started"}.get(one.state, f"is {one.state}")
            return Explanation(why=f"{one.name} {state}.", fix=f"docker {start} {one.name}")
    owner = network_owner(setup, source) if source else None
    if source is not None and owner is not None:
        found = explain(setup, replace(reach, source=owner.name))
        return replace(found, why=f"{source.name} uses the network of {owner.name}. {found.why}")
    if target is None:
        return _outside(setup, source, reach)
    if reach.source == HOST or source is None:
        return _from_host(target, reach)
    if reach.address == "localhost":
        return _own(source, target, reach)
    owner = network_owner(setup, target)
    if owner is not None and reach.answer is Answer.NAME_NOT_FOUND:
        why = f"{target.name} uses the network of {owner.name} and has no name of its own."
        return Explanation(why=why, fix="use localhost" if owner == source else f"use the name {owner.name}")
    return _between(source, target, reach)


def _between(source: Container, target: Container, reach: Reach) -> Explanation:
    shared = [name for name in networks(source) if name in networks(target)]
    on = next((one.network for one in target.networks if one.address == reach.address), None)
    if on is None and reach.address not in names(target):
        return _through_the_host(target, reach)
    if reach.answer is Answer.ANSWERED:
        if source.network_mode == "host" and on:
            return Explanation(why=f"{source.name} uses the host's own network, and the host is on {on} too.")
        by = "addresses get through" if on else f"its DNS knows {reach.address}"
        return Explanation(why=f"Both are on {on or (shared[0] if shared else 'one network')}; {by}.")
    if reach.answer is Answer.REFUSED:
        return _not_for_others(target, reach)
    if reach.answer is Answer.NAME_NOT_FOUND and source.name == target.name:
        why = "The default bridge has no names, not even for itself."
        return Explanation(why=why if shared else f"{source.name} is on no network with names.", fix="use localhost")
    if not shared or (on and on not in shared):
        return _apart(source, target, shared, on, reach)
    if reach.answer is Answer.NAME_NOT_FOUND and shared == [DEFAULT_BRIDGE]:
        return Explanation(
            why="They share only the default bridge, which has no names.",
            fix=f"docker network create web && docker network connect web {source.name} && "
            f"docker network connect web {target.name}",
        )
    return Explanation(why=f"Nobody answered at {reach.address}.", fix=f"docker logs {target.name}")


def _apart(source: Container, target: Container, shared: list[str], on: str | None, reach: Reach) -> Explanation:
    """They share no network, or not the one to which the address belongs."""
    alone = next((one.name for one in (source, target) if not networks(one) and one.network_mode != "host"), None)
    if shared and on:
        use = f"the name {target.name}" if shared != [DEFAULT_BRIDGE] else f"its address on {DEFAULT_BRIDGE}"
        why = f"{reach.address} is the address of {target.name} on {on}, where {source.name} is not."
        return Explanation(why=why, fix=f"use {use}")
    for one in (source, target):
        if one.network_mode == "host":
            why = f"{one.name} uses the host's own network, where the names of containers are not known."
            gateway = _join(source, DEFAULT_BRIDGE) if alone else "use the host's address, the gateway of a network"
            return Explanation(why=why, fix=_address(target) if one is source else gateway)
    pairs = ((source, target), (target, source))
    joins = [_join(source, on)] if on else []
    joins += [_join(one, network) for one, other in pairs for network in networks(other) if network != DEFAULT_BRIDGE]
    why = f"{source.name} and {target.name} share no network."
    fix = f"docker network create web && {_join(source, 'web')} && {_join(target, 'web')}"
    return Explanation(why=f"{alone} is on no network." if alone else why, fix=joins[0] if joins else fix)


def _address(container: Container) -> str:
    address = next((one.address for one in container.networks if one.address), None)
    return f"use its address, {address}" if address else _join(container, DEFAULT_BRIDGE)


def _join(container: Container, network: str) -> str:
    """The command; what was started with `--network none` has to leave that first."""
    leave = f"docker network disconnect none {container.name} && " if container.network_mode == "none" else ""
    return f"{leave}docker network connect {network} {container.name}"


def _not_for_others(target: Container, reach: Reach) -> Explanation:
    return Explanation(
        why=f"{target.name} is reached, but nothing listens on its port {reach.port} for others.",
        fix=f"let the program in {target.name} listen on 0.0.0.0:{reach.port}",
    )


def _through_the_host(target: Container, reach: Reach) -> Explanation:
    if target.network_mode == "host":
        why = f"{target.name} uses the host's own network, and {reach.address} is the host."
        fix = f"let the program in {target.name} listen on 0.0.0.0:{reach.port}"
        return Explanation(why=why, fix="" if reach.answer is Answer.ANSWERED else fix)
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
        fix = "" if reach.answer is Answer.ANSWERED or source is target else _address(target)
        return Explanation(why=f"{source.name} uses the host's own network: its localhost is the host.", fix=fix)
    if reach.answer is Answer.ANSWERED:
        return Explanation(why=f"localhost is {source.name} itself, and it listens on {reach.port}.")
    if source.name == target.name:
        return Explanation(
            why=f"Nothing listens on port {reach.port} in {source.name}.", fix=f"docker logs {source.name}"
        )
    return Explanation(why=f"localhost is {source.name} itself, not {target.name}.", fix=f"use the name {target.name}")


def _from_host(target: Container, reach: Reach) -> Explanation:
    own = next((port for port in target.ports if port.container_port == reach.port), None)
    is_address = any(one.address == reach.address for one in target.networks)
    if reach.answer is Answer.ANSWERED:
        if target.network_mode == "host":
            return Explanation(why=f"{target.name} uses the host's own network: it listens on the host itself.")
        if reach.address == "localhost":
            return Explanation(why=f"Port {reach.port} of the host is published, and leads to {target.name}.")
        return Explanation(
            why="The engine runs on this host, which is on its bridges too; with Docker Desktop it is not."
        )
    if reach.address == "localhost" and target.network_mode != "host":
        return Explanation(
            why=f"Port {reach.port} is published, but nothing in {target.name} listens behind it on all addresses.",
            fix=f"let the program in {target.name} listen on 0.0.0.0",
        )
    if reach.answer is Answer.REFUSED and is_address:
        return _not_for_others(target, reach)
    use = f"use localhost:{own.host_port}" if own else f"publish it: -p {reach.port}:{reach.port}"
    if target.network_mode == "host":
        use = f"use localhost:{reach.port}" if reach.address != "localhost" else f"docker logs {target.name}"
    if reach.answer is Answer.NAME_NOT_FOUND:
        return Explanation(why="The names of containers are known on their networks only, not on the host.", fix=use)
    return Explanation(why=f"From the host nobody answers at {reach.address}.", fix=use)


def _outside(setup: Setup, source: Container | None, reach: Reach) -> Explanation:
    if reach.answer is Answer.ANSWERED:
        return Explanation(why="The network has a way out, through the host.")
    internal = {network.name for network in setup.networks if network.internal}
    if source is not None and source.network_mode != "host" and not networks(source):
        return Explanation(why=f"{source.name} is on no network.", fix=_join(source, DEFAULT_BRIDGE))
    if source is not None and source.network_mode != "host" and set(networks(source)) <= internal:
        return Explanation(
            why=f"All networks of {source.name} are internal: they have no way out.",
            fix=_join(source, DEFAULT_BRIDGE),
        )
    return Explanation(why=f"The host itself may not reach {reach.target}.", fix="try it from the host")


def networks(container: Container) -> tuple[str, ...]:
    """The networks that lead somewhere; none for `--network none`, and the host's is no network of containers."""
    return tuple(one.network for one in container.networks if one.network not in ("none", "host"))


def names(container: Container) -> set[str]:
    """Every name that a container has on its networks."""
    return {container.name, *(name for one in container.networks for name in one.names)}
