"""The service that gives the engine a registry's credentials: moby.filesync.v1.Auth/Credentials.

Enters: docker-py's client, which has read the user's docker config and knows its credential helpers. Leaves: a handler
of the engine's calls. May import `course.builds.session.server` and `.wire`.

Sources: moby/buildkit session/auth/auth.proto; session/auth/authprovider/authprovider.go (toCredentials);
docker-py docker/auth.py. The engine fetches tokens itself: FetchToken is not served, which it takes for an answer
(moby/buildkit session/auth/auth.go).
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from docker import DockerClient
from docker.auth import INDEX_NAME
from docker.errors import DockerException

from course.builds.protobuf import as_text
from course.builds.session.server import INTERNAL, Call, Refusal
from course.builds.session.wire import as_dict, blob

METHOD: Final = "/moby.filesync.v1.Auth/Credentials"


def serve_credentials(client: DockerClient) -> Callable[[Call], None]:
    """A handler that answers with what the docker config has for a host; with nothing for a host that it lacks."""
    lock = threading.Lock()  # a helper of the operating system asked twice at a time can hang (docker/cli#1862)

    def handle(call: Call) -> None:
        host = as_text(as_dict(call.receive() or b"").get(1, b""))
        try:
            with lock:
                user, secret = credentials_of(client, host)
        except DockerException as error:
            raise Refusal(INTERNAL, f"no credentials for {host}: {error}") from None
        call.answer(_text(1, user) + _text(2, secret))

    return handle


def credentials_of(client: DockerClient, host: str) -> tuple[str, str]:
    """User and secret for a registry's host; both empty when there are none, the user alone with an identity token."""
    api: Any = client.api
    is_hub = host == INDEX_NAME or host.endswith("." + INDEX_NAME)
    found: Mapping[str, str] = api._auth_configs.resolve_authconfig(None if is_hub else host) or {}
    if token := found.get("IdentityToken"):
        return "", token
    user = found.get("username") or found.get("Username") or ""
    return user, found.get("password") or found.get("Password") or ""


def _text(field: int, value: str) -> bytes:
    return blob(field, value.encode()) if value else b""
