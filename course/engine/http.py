"""Calls of the Engine API that docker-py has no method for.

Enters: docker-py's client, a path of the Engine API and its parameters. Leaves: the answer. May import nothing here.

docker-py keeps its request methods private but stable (docker/docker-py docker/api/client.py); they bring the
transport, TLS and the negotiated API version.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import requests
from docker import DockerClient

_FRAME_HEAD_BYTES: Final = 8
"""Which stream, three zeros, and the length of what follows (Engine API, attach to a container)."""


def docker_host(client: DockerClient) -> str:
    """The engine's address as DOCKER_HOST has it: `unix://...`, `npipe://...`, `tcp://...` or `ssh://...`."""
    api: Any = client.api
    adapter: Any = getattr(api, "_custom_adapter", None)
    if hasattr(adapter, "socket_path"):
        return f"unix://{adapter.socket_path}"
    if hasattr(adapter, "npipe_path"):
        return f"npipe://{adapter.npipe_path}"
    if hasattr(adapter, "ssh_host"):
        return f"ssh://{adapter.ssh_host}"
    return "tcp://" + str(api.base_url).partition("://")[2]


def get_json(client: DockerClient, path: str, params: Mapping[str, Any] | None = None, *, timeout_s: float = 60) -> Any:
    """`GET path`, decoded; raises docker-py's `APIError` for a refusal."""
    api: Any = client.api
    return api._result(api._get(api._url(path), params=dict(params or {}), timeout=timeout_s), True)


def stream(
    client: DockerClient, path: str, params: Mapping[str, Any], *, chunk_bytes: int = 1 << 20
) -> Iterator[bytes]:
    """The body of `GET path`, in chunks; raises docker-py's `APIError` for a refusal."""
    api: Any = client.api
    with api._get(api._url(path), params=dict(params), stream=True) as answer:
        api._raise_for_status(answer)
        yield from answer.iter_content(chunk_bytes)


def stream_exec(client: DockerClient, exec_id: str) -> Iterator[bytes]:
    """Begin what `api.exec_create` has made: what it prints, output and errors, as it comes; ends when it does.

    Raises docker-py's `APIError`: 404 or 409 where its container has ended. docker-py's own `exec_start` loses what
    comes together with the head of the engine's answer, for it reads past the buffer that holds it
    (docker/docker-py docker/api/client.py, _get_raw_response_socket).
    """
    api: Any = client.api
    body = {"Detach": False, "Tty": False}
    with api._post_json(api._url("/exec/{0}/start", exec_id), data=body, stream=True, timeout=None) as answer:
        api._raise_for_status(answer)
        while head := answer.raw.read(_FRAME_HEAD_BYTES):
            yield answer.raw.read(int.from_bytes(head[4:], "big"))


def run_exec(client: DockerClient, container: str, command: Sequence[str]) -> tuple[int, str]:
    """`docker exec`: the exit status and what it printed; raises as `stream_exec` does."""
    created = client.api.exec_create(container, list(command))["Id"]
    printed = b"".join(stream_exec(client, created))
    return client.api.exec_inspect(created)["ExitCode"], printed.decode("utf-8", "replace")


def load(client: DockerClient, archive: Iterator[bytes]) -> None:
    """Put the images of an archive, as `docker save` writes it, on the engine."""
    api: Any = client.api
    api.load_image(archive)


def post(
    client: DockerClient,
    path: str,
    params: Mapping[str, Any] | None = None,
    *,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    stream: bool = False,
    timeout_s: float | None = 60,
) -> requests.Response:
    """`POST path`; the answer may be a refusal. With `stream` its body is not read yet; the caller closes it."""
    api: Any = client.api
    answer: requests.Response = api._post(
        api._url(path),
        data=body,
        params=dict(params or {}),
        headers=dict(headers or {}),
        stream=stream,
        timeout=timeout_s,
    )
    return answer


def registry_headers(client: DockerClient) -> dict[str, str]:
    """The user's own registry credentials as the header that a build takes (docker-py's docker.auth)."""
    api: Any = client.api
    carrier: dict[str, Any] = {}
    api._set_auth_headers(carrier)
    return {name: str(value) for name, value in carrier.items()}
