"""The service that lends a build the user's ssh agent: moby.sshforward.v1.SSH.

Enters: the sockets of agents by id. Leaves: handlers of the engine's calls. Talks to the agents; may import
`course.builds.session.server` and `.wire`.

Sources: moby/buildkit session/sshforward/ssh.proto and sshprovider/agentprovider.go. As there, a build may list keys
and have something signed, and no more: it cannot add, remove or lock keys (draft-ietf-sshm-ssh-agent, section 3).
"""

import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from course.builds.protobuf import as_bytes, as_text
from course.builds.session.server import NOT_FOUND, Call, Refusal
from course.builds.session.wire import as_dict, blob

CHECK: Final = "/moby.sshforward.v1.SSH/CheckAgent"
FORWARD: Final = "/moby.sshforward.v1.SSH/ForwardAgent"
_ID_KEY: Final = "buildkit.ssh.id"
_DEFAULT_ID: Final = "default"
_ALLOWED: Final = (11, 13)
"""SSH_AGENTC_REQUEST_IDENTITIES and SSH_AGENTC_SIGN_REQUEST."""
_FAILURE: Final = b"\0\0\0\1\5"
_LIMIT_BYTES: Final = 1 << 18
_TIMEOUT_S: Final = 60.0


def serve_check(sockets: Mapping[str, Path]) -> Callable[[Call], None]:
    """A handler that says whether there is an agent of an id."""

    def handle(call: Call) -> None:
        _agent(sockets, as_text(as_dict(call.receive() or b"").get(1, b"")))
        call.answer(b"")

    return handle


def serve_agent(sockets: Mapping[str, Path]) -> Callable[[Call], None]:
    """A handler that carries requests of the build to an agent, and its answers back."""

    def handle(call: Call) -> None:
        path = _agent(sockets, "".join(call.values(_ID_KEY)[:1]))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
            agent.settimeout(_TIMEOUT_S)
            agent.connect(str(path))
            buffer = bytearray()
            while (message := call.receive()) is not None:
                buffer += as_bytes(as_dict(message).get(1, b""))
                while (request := _take_request(buffer)) is not None:
                    answer = _ask(agent, request) if request[4:5] and request[4] in _ALLOWED else _FAILURE
                    call.answer(blob(1, answer))

    return handle


def _agent(sockets: Mapping[str, Path], name: str) -> Path:
    path = sockets.get(name or _DEFAULT_ID)
    if path is None:
        raise Refusal(NOT_FOUND, f"unset ssh forward key {name or _DEFAULT_ID}")
    return path


def _take_request(buffer: bytearray) -> bytes | None:
    """Cut the first whole request off the buffer."""
    if len(buffer) < 4:
        return None
    size = 4 + int(struct.unpack_from(">I", buffer)[0])
    if size > _LIMIT_BYTES:
        raise ValueError("a request to the ssh agent is too long")
    if len(buffer) < size:
        return None
    request = bytes(buffer[:size])
    del buffer[:size]
    return request


def _ask(agent: socket.socket, request: bytes) -> bytes:
    agent.sendall(request)
    head = _read(agent, 4)
    return head + _read(agent, min(struct.unpack(">I", head)[0], _LIMIT_BYTES))


def _read(agent: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = agent.recv(size - len(data))
        if not part:
            raise ConnectionError("the ssh agent hung up")
        data += part
    return data
