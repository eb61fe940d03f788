"""The container that a replay engine runs in, and the way into it.

Enters: docker-py's client of the engine outside. Leaves: a container, and docker-py's client of the engine inside.
Creates and removes a container; may import `course` and its neighbours.
"""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trustme
from docker import DockerClient
from docker.errors import APIError
from docker.models.containers import Container
from docker.tls import TLSConfig
from docker.types import LogConfig

from course import labels
from course.engine.find import PROBE_TIMEOUT_S, Address, try_address
from course.errors import CourseError
from course.lab.scratch import start_container
from graders.sandbox.image import BRIDGE

API_PORT: Final = "2376/tcp"
START_TIMEOUT_S: Final = 60
MEMORY_BYTES: Final = 3 << 30
PROCESSES: Final = 1500
"""In all; what submissions may take of them (`limits`) leaves enough for the engine, which needs some to end them."""
DISK_BYTES: Final = 10 << 30
"""For the base images and for what one submission makes."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Who may talk to the engine inside: its authority, its own certificate with its key, and the graders'. All PEM."""

    ca: str
    certificate: str
    key: str
    client_certificate: str
    client_key: str

    def write(self, folder: Path) -> TLSConfig:
        """What docker-py needs of them, as files in `folder`."""
        for name, text in (("ca", self.ca), ("cert", self.client_certificate), ("key", self.client_key)):
            (folder / f"{name}.pem").write_text(text, encoding="ascii")
        mine = (str(folder / "cert.pem"), str(folder / "key.pem"))
        return TLSConfig(client_cert=mine, ca_cert=str(folder / "ca.pem"), verify=True)

    @classmethod
    def make(cls, host: str) -> "Keys":
        """New ones, for an engine that is reached as `host`."""
        ca = trustme.CA()
        server, mine = ca.issue_cert(host), ca.issue_cert("graders@replay")
        return cls(
            ca=ca.cert_pem.bytes().decode(),
            certificate=server.cert_chain_pems[0].bytes().decode(),
            key=server.private_key_pem.bytes().decode(),
            client_certificate=mine.cert_chain_pems[0].bytes().decode(),
            client_key=mine.private_key_pem.bytes().decode(),
        )


def create(
    outer: DockerClient,
    image: str,
    volume: str,
    keys: Keys,
    *,
    publish_at: tuple[str, int | None],
    carried: Mapping[str, str] | None = None,
) -> Container:
    """Start it, with the engine's API published at an address and a port, None for a free one; labels it carries."""
    environment = {
        "CA_PEM": keys.ca,
        "CERTIFICATE_PEM": keys.certificate,
        "KEY_PEM": keys.key,
        "BRIDGE": f"{BRIDGE}/24",
        "DISK_BYTES": str(DISK_BYTES),
    }
    api = outer.api
    limits: dict[str, Any] = api.create_host_config(
        cap_add=["SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"],
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        device_cgroup_rules=["a *:* rwm"],
        mem_limit=MEMORY_BYTES,
        pids_limit=PROCESSES,
        read_only=True,
        init=True,
        tmpfs=dict.fromkeys(("/run", "/tmp", "/root", "/var/log"), "size=512m,exec"),
        binds={volume: {"bind": "/store", "mode": "rw"}},
        port_bindings={API_PORT: publish_at},
        log_config=LogConfig(type=LogConfig.types.JSON, config={"max-size": "1m"}),
    )
    limits |= {"MaskedPaths": [], "ReadonlyPaths": []}  # it mounts /proc for its containers (docker-py has no option)
    created = api.create_container(
        image,
        host_config=limits,
        environment=environment,
        labels=labels.labels(**(carried or {})),
        ports=[int(API_PORT.partition("/")[0])],
        name=f"{volume}-{os.getpid()}",
    )
    container = outer.containers.get(created["Id"])
    try:
        start_container(container, names_ports=publish_at[1] is not None)
    except APIError as error:
        container.remove(force=True)
        raise CourseError(
            f"The graders' own engine cannot run on this one: {error.explanation}", fix="`course engine start`"
        ) from error
    return container


def connect(
    container: Container,
    tls: TLSConfig,
    host: str,
    *,
    port: int | None = None,
    pace: float = 1,
    version: str = "auto",
) -> DockerClient:
    """A client, as soon as the engine inside answers. The port is the published one unless it is given; `pace` is how
    many times longer it may take; `version` is that of its API, where it is known.
    """
    deadline = time.monotonic() + START_TIMEOUT_S * pace
    while time.monotonic() < deadline:
        container.reload()
        if container.status == "exited":
            break
        bindings = container.ports.get(API_PORT)
        if bindings:
            docker = f"tcp://{host}:{port or bindings[0]['HostPort']}"
            address = Address(source="the graders' own", docker_host=docker, tls=tls)
            client = try_address(address, timeout_s=int(PROBE_TIMEOUT_S * pace), version=version)
            if isinstance(client, DockerClient):
                return client
        time.sleep(0.1)
    said = container.logs(tail=3).decode("utf-8", "replace").strip()
    raise CourseError(
        f"The graders' own engine did not start: {said or 'no word'}", fix="`course doctor`, then try again"
    )


def stop(container: Container) -> None:
    """End the engine inside, and remove its container."""
    with suppress(APIError):  # one that cannot be stopped is killed
        container.stop(timeout=10)
    try:
        container.remove(force=True)
    except APIError as error:
        if error.status_code not in (404, 409):  # gone, or going: somebody else cleans up
            raise
