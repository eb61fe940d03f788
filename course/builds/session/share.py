"""A build's session: what the client shares with the engine while one build runs.

Enters: docker-py's client, a folder, secrets and ssh agents. Leaves: the parameters that tie `POST /build` to the
session, and afterwards why it broke, if it did. Talks to the engine; may import `course.context` and `course.errors`.

    with share(client, folder) as shared:
        ...  # POST /build with shared.parameters and no body

One session serves one build. BuildKit names what a build loads after its session, and within one session loads it only
once (moby/buildkit source/local/source.go, CacheKey): a second build there gets the first one's files, however they
were edited since. A session opens in about a millisecond, and any number can be open at once on one client.
"""

import getpass
import hashlib
import os
import secrets as random
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from docker import DockerClient

from course.builds.session import agent, credentials, filesync, secret
from course.builds.session.folders import directory_facts
from course.builds.session.server import FIRST_CALL_S, HEALTH, SILENCE_S, Handler, Server
from course.builds.session.transport import upgrade
from course.context import read_ignore_patterns
from course.errors import CourseError
from course.patterns import BadPattern

_NAME: Final = "layer-by-layer"
_FIX: Final = "`course engine status`, then build again"


class Share:
    """What is shared with one build, while it runs."""

    def __init__(self, on_failure: Callable[[CourseError], None] | None = None) -> None:
        self.session_id = random.token_hex(16)
        self.failure: CourseError | None = None
        """Why the session broke while it was needed, once it has."""
        self._on_failure = on_failure

    @property
    def parameters(self) -> dict[str, str]:
        """The query of `POST /build` that makes the engine use this session (moby/moby builder/builder-next)."""
        return {"remote": "client-session", "session": self.session_id}

    def fail(self, why: str) -> None:
        """Note why the session is of no more use."""
        self.failure = CourseError(f"The engine lost touch with the files of the build: {why}.", fix=_FIX)
        if self._on_failure:
            self._on_failure(self.failure)


@contextmanager
def share(
    client: DockerClient,
    directory: Path,
    *,
    dockerfile: str = "Dockerfile",
    secrets: Mapping[str, secret.Secret] | None = None,
    ssh: Mapping[str, Path] | None = None,
    on_failure: Callable[[CourseError], None] | None = None,
    silence_s: float = SILENCE_S,
    first_call_s: float = FIRST_CALL_S,
) -> Iterator[Share]:
    """Share `directory` as context and as the Dockerfile's folder, secrets and ssh agents' sockets by id.

    `dockerfile` is only needed for the ignore file of its own that it may have.

    `on_failure` hears at once, from another thread, of an engine that fell silent, hung up, or never asked for any
    file; the reply to `POST /build` may never end then. Raises `NoSession` where the engine has no sessions, and
    `CourseError` where it cannot be reached. When the block ends no thread and no connection is left.
    """
    root = Path(os.path.realpath(directory))
    shared = Share(on_failure)
    handlers = _handlers(client, root, secrets or {}, ssh or {})
    pipe, first = upgrade(client, _headers(shared.session_id, _shared_key(root, dockerfile), tuple(handlers)))
    server = Server(pipe, handlers, on_broken=shared.fail, silence_s=silence_s, first_call_s=first_call_s)
    try:
        server.start(first)
        yield shared
    finally:
        server.close()


def _handlers(
    client: DockerClient, root: Path, secrets: Mapping[str, secret.Secret], ssh: Mapping[str, Path]
) -> dict[str, Handler]:
    handlers: dict[str, Handler] = {
        filesync.METHOD: filesync.serve_files({"context": root, "dockerfile": root}),
        credentials.METHOD: credentials.serve_credentials(client),
    }
    if secrets:
        handlers[secret.METHOD] = secret.serve_secrets(secrets)
    if ssh:
        handlers[agent.CHECK] = agent.serve_check(ssh)
        handlers[agent.FORWARD] = agent.serve_agent(ssh)
    return handlers


def _headers(session_id: str, shared_key: str, methods: tuple[str, ...]) -> list[tuple[str, str]]:
    """What the engine wants to know of a session (moby/buildkit session/session.go)."""
    prefix = "X-Docker-Expose-Session-"
    return [
        (prefix + "Uuid", session_id),
        (prefix + "Name", _NAME),
        (prefix + "Sharedkey", shared_key),
        *((prefix + "Grpc-Method", method) for method in (HEALTH, *methods)),
    ]


def _shared_key(root: Path, dockerfile: str) -> str:
    """Under this key the engine keeps the folder's files for the next build: one for each folder of each machine."""
    place = f"{_NAME}:{getpass.getuser()}@{socket.gethostname()}:{root}"
    try:
        facts = directory_facts(root, read_ignore_patterns(root, dockerfile=dockerfile))
    except BadPattern:  # the build is about to fail of it
        facts = b""
    return hashlib.sha256(os.fsencode(place) + b"\n" + facts).hexdigest()
