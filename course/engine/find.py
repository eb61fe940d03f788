"""Where a Docker engine may already be, and whether one answers there.

Enters: the environment, docker's own configuration and the usual sockets. Leaves: docker-py clients.
Talks to engines; may import `course.errors`.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
from docker import DockerClient
from docker.context import ContextAPI
from docker.errors import DockerException
from docker.tls import TLSConfig

_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
PROBE_TIMEOUT_S: Final = 5
CALL_TIMEOUT_S: Final = 300
"""Stopping a container or removing a large image may keep an answer waiting."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A place to look: `source` says in a person's words where it came from."""

    source: str
    docker_host: str
    tls: TLSConfig | None = None


@dataclass(frozen=True, kw_only=True)
class Silent:
    """An address at which no engine answered, and why."""

    address: Address
    reason: str


def addresses() -> Iterator[Address]:
    """DOCKER_HOST, the docker context in use, then the sockets that exist."""
    chosen = os.environ.get("DOCKER_HOST")
    if chosen:
        yield Address(source="DOCKER_HOST", docker_host=chosen, tls=_tls_from_environment())
    name = os.environ.get("DOCKER_CONTEXT") or ContextAPI.get_current_context().Name
    context = None if name == "default" else ContextAPI.get_context(name)
    if context is not None and context.Host:
        yield Address(source=f"the docker context {name!r}", docker_host=context.Host, tls=context.TLSConfig or None)
    for source, path in _usual_sockets():
        if path.exists():
            yield Address(source=source, docker_host=f"unix://{path}")
    if sys.platform == "win32":
        yield Address(source="Docker Desktop", docker_host="npipe:////./pipe/docker_engine")


def try_address(address: Address, *, timeout_s: int = PROBE_TIMEOUT_S, version: str = "auto") -> DockerClient | Silent:
    """A client when an engine answers there within a few seconds, else the reason. `version` is that of its API, where
    it is known: an engine that is asked for it starts programs to answer.
    """
    try:
        with _trusting_only(address.tls):
            client = DockerClient(
                base_url=address.docker_host, version=version, timeout=timeout_s, tls=address.tls or False
            )
        client.api.trust_env = not address.tls
        client.ping()
    except (DockerException, requests.exceptions.RequestException, OSError, ValueError) as error:
        return Silent(address=address, reason=_reason(address, error))
    client.api.timeout = CALL_TIMEOUT_S
    return client


@contextmanager
def _trusting_only(tls: TLSConfig | None) -> Iterator[None]:
    """Trust the certificates that were given for this engine: requests prefers a bundle named in the environment, as it
    is behind a company's CA, even to those that a session was told (psf/requests#3829).
    """
    hidden = {name: os.environ.pop(name) for name in _BUNDLES if tls and name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _usual_sockets() -> Iterator[tuple[str, Path]]:
    home = Path.home()
    yield "the system's engine", Path("/var/run/docker.sock")
    yield "Docker Desktop", home / ".docker/run/docker.sock"
    yield "Docker Desktop", home / ".docker/desktop/docker.sock"
    yield "Colima", Path(os.environ.get("COLIMA_HOME", home / ".colima")) / "default/docker.sock"
    yield "Rancher Desktop", home / ".rd/docker.sock"
    yield "OrbStack", home / ".orbstack/run/docker.sock"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        yield "rootless Docker", Path(runtime) / "docker.sock"
        yield "rootless Podman", Path(runtime) / "podman/podman.sock"
    yield "Podman", Path("/run/podman/podman.sock")
    yield "Podman machine", home / ".local/share/containers/podman/machine/podman.sock"


def _tls_from_environment() -> TLSConfig | None:
    """DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, as the docker CLI reads them."""
    folder = os.environ.get("DOCKER_CERT_PATH")
    verify = bool(os.environ.get("DOCKER_TLS_VERIFY"))
    if not folder and not verify:
        return None
    certificates = Path(folder) if folder else Path.home() / ".docker"
    pair = str(certificates / "cert.pem"), str(certificates / "key.pem")
    return TLSConfig(client_cert=pair, ca_cert=str(certificates / "ca.pem"), verify=verify)


def _reason(address: Address, error: Exception) -> str:
    """Why nothing answered: by the operating system's code where there is one."""
    cause: BaseException | None = error
    seen: list[BaseException] = []
    while cause is not None and cause not in seen:
        seen.append(cause)
        if isinstance(cause, PermissionError):
            return (
                f"{address.docker_host}: permission denied; your account may not use this socket "
                "(on Linux: `sudo usermod -aG docker $USER`, then log in again)"
            )
        nested = [arg for arg in cause.args if isinstance(arg, BaseException)]
        cause = cause.__cause__ or cause.__context__ or (nested[0] if nested else None)
    last = str(seen[-1]) or type(error).__name__
    return f"{address.docker_host}: {last}"
