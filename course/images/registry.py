"""Whether the registry answers, and how many pulls it still allows.

Enters: docker-py's client. Leaves: small values for the doctor. Asks the engine and the registry; may import
`course.engine`. The registry's address is the engine's own (`GET /info`, IndexServerAddress).
"""

import re
from dataclasses import dataclass
from typing import Final

import requests
from docker import DockerClient
from docker.errors import APIError

from course.engine.http import get_json

TIMEOUT_S: Final = 10
_QUOTA_IMAGE: Final = "ratelimitpreview/test"
"""Docker's own repository for this question (docs.docker.com/docker-hub/usage/pulls); asking costs no pull."""


@dataclass(frozen=True, kw_only=True)
class Reachable:
    """Whether the engine reaches the registry; `reason` says why not."""

    reachable: bool
    reason: str | None = None


def registry_reachable(client: DockerClient, name: str = "busybox:stable") -> Reachable:
    """Let the engine itself ask its registry about an image (Engine API, DistributionInspect)."""
    try:
        get_json(client, f"/distribution/{name}/json", timeout_s=TIMEOUT_S)
    except APIError as error:
        return Reachable(reachable=False, reason=str(error.explanation or error).splitlines()[0])
    except requests.exceptions.RequestException:
        return Reachable(reachable=False, reason=f"no answer within {TIMEOUT_S} s")
    return Reachable(reachable=True)


def pull_quota(client: DockerClient) -> int | None:
    """The pulls that the registry still allows this address, or None where it names no limit or does not answer."""
    index = str(client.info().get("IndexServerAddress", ""))
    match = re.match(r"https?://[^/]+", index)
    return ask_quota(match[0]) if match else None


def ask_quota(registry: str) -> int | None:
    """Ask `registry` (scheme and host) as its token protocol has it (distribution/distribution docs/spec/auth)."""
    try:
        challenge = requests.get(f"{registry}/v2/", timeout=TIMEOUT_S).headers.get("WWW-Authenticate", "")
        values = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        if "realm" not in values:
            return None
        scope = f"repository:{_QUOTA_IMAGE}:pull"
        query = {"service": values.get("service", ""), "scope": scope}
        token = requests.get(values["realm"], params=query, timeout=TIMEOUT_S).json()["token"]
        manifest = f"{registry}/v2/{_QUOTA_IMAGE}/manifests/latest"
        answer = requests.head(manifest, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_S)
    except (requests.exceptions.RequestException, ValueError, KeyError):
        return None
    remaining = re.match(r"\d+", answer.headers.get("ratelimit-remaining", ""))
    return int(remaining[0]) if remaining else None
