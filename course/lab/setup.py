"""What is set up on an engine: containers, networks, volumes, mounts and ports, as plain data.

Enters: docker-py's client. Leaves: `Setup`, once or after each event. Asks the engine and changes nothing; may import
`course.labels`.
"""

import dataclasses
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from docker import DockerClient
from docker.errors import NotFound

from course import labels

_ANONYMOUS: Final = re.compile(r"[0-9a-f]{64}")
_WATCHED: Final = ("container", "network", "volume")
_BUSY: Final = ("exec_", "health_status", "top", "resize", "attach", "detach")
"""Events that change nothing of a set-up."""


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A container on a network: its address there, and its names for others, of which the default bridge has none."""

    network: str
    address: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Mount:
    """What is mounted where. `kind` is volume, bind or tmpfs; `source` the volume's name or the host's path."""

    kind: str
    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Port:
    """A published port; `address` is the host's, `0.0.0.0` for all of them."""

    container_port: int
    protocol: str
    address: str
    host_port: int


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container: `state` as the engine has it (running, paused, exited, created, ...)."""

    id: str
    name: str
    image: str
    state: str
    exit_code: int
    network_mode: str
    listens: tuple[int, ...]
    """The TCP ports that the image or the container declares (EXPOSE, --expose, -p)."""
    networks: tuple[Attachment, ...]
    mounts: tuple[Mount, ...]
    ports: tuple[Port, ...]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network; an `internal` one has no way out."""

    id: str
    name: str
    driver: str
    internal: bool
    subnets: tuple[str, ...]
    gateway: str = ""
    """The host's own address on it; empty where it has none."""


@dataclass(frozen=True, kw_only=True)
class Volume:
    """A volume; an anonymous one was named by the engine."""

    name: str
    driver: str
    anonymous: bool


@dataclass(frozen=True, kw_only=True)
class Setup:
    """All of it at one moment, in the order of names."""

    containers: tuple[Container, ...]
    networks: tuple[Network, ...]
    volumes: tuple[Volume, ...]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return dataclasses.asdict(self)

    def part(self, suffix: str) -> "Setup":
        """What has names that end in `suffix`, and the networks that these containers are on."""
        containers = tuple(one for one in self.containers if one.name.endswith(suffix))
        used = {attachment.network for one in containers for attachment in one.networks}
        return Setup(
            containers=containers,
            networks=tuple(one for one in self.networks if one.name in used or one.name.endswith(suffix)),
            volumes=tuple(one for one in self.volumes if one.name.endswith(suffix)),
        )

    def container(self, name: str) -> Container:
        """The container of that name; raises `LookupError`."""
        for one in self.containers:
            if one.name == name:
                return one
        raise LookupError(f"there is no container {name!r}")


def network_owner(setup: Setup, container: Container) -> Container | None:
    """The container whose network this one uses (`--network container:NAME`); None where it has its own."""
    kind, _, id = container.network_mode.partition(":")
    return next((one for one in setup.containers if kind == "container" and id in (one.id, one.name)), None)


def read_setup(client: DockerClient, *, everything: bool = False) -> Setup:
    """What this owner's course has set up, or everything on the engine. What vanishes meanwhile is left out."""
    filters = {} if everything else labels.owned_filter()
    containers, networks = [], []
    for found in client.api.containers(all=True, filters=filters):
        try:
            attrs = client.api.inspect_container(found["Id"])
        except NotFound:
            continue
        if everything or labels.made_by(attrs["Config"].get("Labels")):
            containers.append(_container(attrs))
    used = {attachment.network for container in containers for attachment in container.networks}
    for attrs in client.api.networks():
        if everything or labels.made_by(attrs.get("Labels")) or attrs["Name"] in used:
            networks.append(_network(attrs))
    mounted = {mount.source for container in containers for mount in container.mounts}
    volumes = [
        Volume(name=attrs["Name"], driver=attrs["Driver"], anonymous=bool(_ANONYMOUS.fullmatch(attrs["Name"])))
        for attrs in client.api.volumes().get("Volumes") or ()
        if everything or labels.made_by(attrs.get("Labels")) or attrs["Name"] in mounted
    ]
    return Setup(
        containers=tuple(sorted(containers, key=lambda one: one.name)),
        networks=tuple(sorted(networks, key=lambda one: one.name)),
        volumes=tuple(sorted(volumes, key=lambda one: (one.anonymous, one.name))),
    )


def watch_setup(client: DockerClient, *, everything: bool = False) -> Iterator[Setup]:
    """The set-up now, and again after each event that changes it; closing the iterator ends it."""
    events = client.events(decode=True, filters={"type": list(_WATCHED)})
    try:
        yield read_setup(client, everything=everything)
        for event in events:
            if not str(event.get("Action", "")).startswith(_BUSY):
                yield read_setup(client, everything=everything)
    finally:
        events.close()


def _container(attrs: dict[str, Any]) -> Container:
    config, host, state = attrs["Config"], attrs["HostConfig"], attrs["State"]
    declared = {*(config.get("ExposedPorts") or {}), *(host.get("PortBindings") or {})}
    return Container(
        id=attrs["Id"],
        name=attrs["Name"].lstrip("/"),
        image=config["Image"],
        state=state["Status"],
        exit_code=state["ExitCode"],
        network_mode=host["NetworkMode"],
        listens=tuple(sorted(int(port.split("/")[0]) for port in declared if port.endswith("/tcp"))),
        networks=tuple(_attachment(name, one) for name, one in sorted(attrs["NetworkSettings"]["Networks"].items())),
        mounts=tuple(sorted((_mount(one) for one in attrs["Mounts"]), key=lambda one: one.target)),
        ports=tuple(_ports(attrs["NetworkSettings"].get("Ports") or {})),
    )


def _attachment(name: str, attrs: dict[str, Any]) -> Attachment:
    return Attachment(network=name, address=attrs.get("IPAddress") or "", names=tuple(attrs.get("Aliases") or ()))


def _mount(attrs: dict[str, Any]) -> Mount:
    source = attrs.get("Name") if attrs["Type"] == "volume" else attrs.get("Source")
    return Mount(
        kind=attrs["Type"], source=source or "", target=attrs["Destination"], read_only=not attrs.get("RW", True)
    )


def _ports(found: dict[str, list[dict[str, str]] | None]) -> Iterator[Port]:
    for port, bindings in sorted(found.items()):
        number, _, protocol = port.partition("/")
        for one in bindings or ():
            if ":" not in one["HostIp"]:  # the same again for IPv6
                yield Port(
                    container_port=int(number),
                    protocol=protocol,
                    address=one["HostIp"] or "0.0.0.0",
                    host_port=int(one["HostPort"]),
                )


def _network(attrs: dict[str, Any]) -> Network:
    pools = (attrs.get("IPAM") or {}).get("Config") or ()
    return Network(
        id=attrs["Id"],
        name=attrs["Name"],
        driver=attrs["Driver"],
        internal=bool(attrs.get("Internal")),
        subnets=tuple(pool["Subnet"] for pool in pools if pool.get("Subnet")),
        gateway=next(filter(None, map(_gateway, pools)), ""),
    )


def _gateway(pool: dict[str, str]) -> str:
    """An address of IPv4; an engine that was not told of one takes the subnet's first and may not say so."""
    network = ipaddress.ip_network(pool.get("Subnet") or "::/0", strict=False)
    if network.version != 4:
        return ""
    return pool.get("Gateway") or str(network.network_address + 1)
