"""The service that hands a build its secrets: moby.buildkit.secrets.v1.Secrets/GetSecret.

Enters: secrets by id. Leaves: a handler of the engine's calls. Reads files and the environment, when the engine asks
and not before; may import `course.builds.session.server` and `.wire`.

Sources: moby/buildkit session/secrets/secrets.proto, session/secrets/secretsprovider/secretsprovider.go.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from course.builds.protobuf import as_text
from course.builds.session.server import INTERNAL, NOT_FOUND, Call, Refusal
from course.builds.session.wire import as_dict, blob

METHOD: Final = "/moby.buildkit.secrets.v1.Secrets/GetSecret"
LIMIT_BYTES: Final = 500 * 1024
"""As BuildKit has it (secretsprovider.go, MaxSecretSize)."""


@dataclass(frozen=True, kw_only=True)
class FromEnvironment:
    """A secret that stands in an environment variable of this process."""

    variable: str


Secret = bytes | Path | FromEnvironment
"""The secret itself, the file that holds it, or the variable that does."""


def serve_secrets(secrets: Mapping[str, Secret]) -> Callable[[Call], None]:
    """A handler that gives out `secrets` by id; an id that is not there is 'not found', which `required` acts on."""

    def handle(call: Call) -> None:
        name = as_text(as_dict(call.receive() or b"").get(1, b""))
        secret = secrets.get(name)
        value = None if secret is None else read_secret(secret)
        if value is None:
            raise Refusal(NOT_FOUND, f"secret {name}: not found")
        if len(value) > LIMIT_BYTES:
            raise Refusal(INTERNAL, f"secret {name} is longer than {LIMIT_BYTES // 1024} KiB")
        call.answer(blob(1, value))

    return handle


def read_secret(secret: Secret) -> bytes | None:
    """The bytes of a secret, None when its file or its variable does not exist."""
    if isinstance(secret, bytes):
        return secret
    if isinstance(secret, Path):
        return secret.read_bytes() if secret.exists() else None
    value = os.environ.get(secret.variable)
    return None if value is None else os.fsencode(value)
