"""Looking into an image: run a small script in it, without network and within limits.

Enters: docker-py's client and an image. Leaves: what the script printed. Runs containers on the engine; may import
`course.labels`.
"""

import hashlib
import json
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import BytesIO
from typing import Any, Final, cast

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from course import labels
from course.engine.http import run_exec

LIMITS: Final[dict[str, Any]] = {
    "network_mode": "none",
    "mem_limit": "1g",
    "pids_limit": 256,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "init": True,
    "log_config": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
}
LOOK_TIMEOUT_S: Final = 60
START_ATTEMPTS: Final = 3
_IMAGES_FAULT: Final = (400, 404)
"""Its command cannot be started (moby/moby daemon/errors.go); anything else is the engine's."""

_HAS_ENDED: Final = (404, 409)
"""`docker exec` in a container that has ended before its command was made, or after (moby/moby daemon/exec.go)."""

LOOK: Final = """
import fs from "node:fs"; import path from "node:path"; import { pathToFileURL } from "node:url";
const skip = new Set(["/proc", "/sys", "/dev", "/lib", "/usr/lib", "/usr/share", "/usr/local/lib"]);
let apps = [];
function walk(folder, depth) {
  let entries = [];
  try { entries = fs.readdirSync(folder, { withFileTypes: true }); } catch { return; }
  for (const entry of entries) {
    const file = path.join(folder, entry.name);
    if (entry.name === "package.json" && entry.isFile()) {
      try { if (JSON.parse(fs.readFileSync(file)).name === "api") apps.push(folder); } catch {}
    }
    if (!entry.isDirectory()) continue;
    if (entry.name === "node_modules") apps.push(folder);
    else if (depth < 5 && !skip.has(file)) walk(file, depth + 1);
  }
}
walk("/", 0);
apps = [...new Set(apps)];
const versionOf = (folder, name) => {
  for (let at = folder; ; at = path.dirname(at)) {
    try { return JSON.parse(fs.readFileSync(path.join(at, "node_modules", name, "package.json"))).version; } catch {}
    if (at === "/") return undefined;
  }
};
const seen = { installed: false, npm: false, models: [], packages: {}, planted: [] };
for (const app of apps) {
  for (const name of WANTED) {
    const version = versionOf(app, name);
    if (version) seen.packages[name] = version;
  }
  seen.npm ||= fs.existsSync(path.join(app, "node_modules/.package-lock.json"));
  try {
    const resolve = (await import("node:module")).createRequire(path.join(app, "x.js")).resolve;
    const express = (await import(pathToFileURL(resolve("express")))).default;
    await import(pathToFileURL(resolve("@prisma/adapter-pg")));
    seen.installed ||= typeof express === "function" && typeof express().listen === "function";
  } catch {}
  for (const name of ["client.ts", "client.js", "client.mts", "client.mjs"]) {
    const client = path.join(app, "generated/prisma", name);
    if (!fs.existsSync(client)) continue;
    try {
      const { Prisma, PrismaClient } = await import(pathToFileURL(client));
      if (typeof PrismaClient === "function") seen.models.push(...Object.keys(Prisma.ModelName));
    } catch {}
  }
  for (const name of PLANTED) if (fs.existsSync(path.join(app, name))) seen.planted.push(name);
}
console.log(JSON.stringify(seen));
"""
"""What is in an image: which versions of WANTED's packages and which of PLANTED's files lie beside the app, whether the
dependencies load and npm installed them, which models the generated client knows. The app lies where a package.json has
its name, or where packages are."""
NOTHING: Final[dict[str, Any]] = {"installed": False, "npm": False, "models": [], "packages": {}, "planted": []}


def look_inside(
    client: DockerClient, image: str, *, wanted: list[str], planted: list[str], timeout_s: float = LOOK_TIMEOUT_S
) -> dict[str, Any]:
    """Run `LOOK` in an image; what it saw, or nothing at all where the image has no Node.js."""
    script = LOOK.replace("WANTED", json.dumps(wanted)).replace("PLANTED", json.dumps(planted))
    command = ["node", "--no-warnings", "--input-type=module", "-e", script]
    with _container(client, image, entrypoint=command[:1], command=command[1:]) as container:
        if container is None:
            return dict(NOTHING)
        try:
            container.wait(timeout=timeout_s)
        except Exception as error:  # docker-py: requests' ReadTimeout or ConnectionError, by transport
            if "timed out" not in str(error).lower():
                raise
            return dict(NOTHING)
        lines = _printed(container, stdout=True, stderr=False).splitlines()
    try:
        return {**NOTHING, **json.loads(lines[-1])}
    except (IndexError, ValueError):
        return dict(NOTHING)


def ask_api(client: DockerClient, image: str, path: str, *, timeout_s: float) -> tuple[str | None, str]:
    """Start an image as it is and `GET path` from the inside; the answer, or None and the last that it printed."""
    ask = (
        f"const answer = await fetch(`http://127.0.0.1:3000{path}`);"
        "console.log(await answer.text()); process.exit(answer.ok ? 0 : 1)"
    )
    with _container(client, image) as container:
        if container is None:
            return None, "the container could not be started"
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            container.reload()
            if container.status != "running":
                break
            code, answer = run_inside(client, container, ["node", "--input-type=module", "-e", ask])
            if code == 0:
                return answer.strip(), ""
            time.sleep(0.2)
        return None, _printed(container, tail=5).strip() or "it printed nothing"


def run_inside(client: DockerClient, container: Container, command: list[str]) -> tuple[int | None, str]:
    """`docker exec`: the exit status and what it printed; no status where the container has ended meanwhile."""
    try:
        return run_exec(client, str(container.id), command)
    except APIError as error:
        if error.status_code not in _HAS_ENDED:
            raise
        return None, ""


def run_once(
    client: DockerClient, image: str, words: Sequence[str], *, timeout_s: float, entrypoint: Sequence[str] | None = None
) -> tuple[int | None, str]:
    """`docker run IMAGE WORDS`: the exit status and what it printed; no status where it did not start, or not end."""
    started_with = {"entrypoint": list(entrypoint)} if entrypoint else {}
    with _container(client, image, command=list(words), cap_drop=[], **started_with) as container:
        if container is None:
            return None, "the container could not be started"
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            container.reload()
            if container.status == "exited":
                return int(container.attrs["State"]["ExitCode"]), _printed(container, stdout=True, stderr=False)
            time.sleep(0.1)
        return None, "it did not end in time"


def hash_files(client: DockerClient, image: str) -> dict[str, str]:
    """Every file that a container of the image would see, by its path without the first slash: its SHA-256."""
    hashes: dict[str, str] = {}
    with _created(client, image, command=["never-started"]) as container, tempfile.TemporaryFile() as archive:
        archive.writelines(cast(Iterator[bytes], container.export()))
        archive.seek(0)
        with tarfile.open(fileobj=archive) as tar:
            for member in tar:
                if member.isfile() and (file := tar.extractfile(member)):
                    hashes[member.name] = hashlib.file_digest(cast(BytesIO, file), "sha256").hexdigest()
    return hashes


def _printed(container: Container, **options: Any) -> str:
    return cast(bytes, container.logs(**options)).decode("utf-8", "replace")


@contextmanager
def _container(client: DockerClient, image: str, **options: Any) -> Iterator[Container | None]:
    """A container of an image within the limits, gone afterwards; None where it has no command that can be started."""
    with ExitStack() as stack:
        try:
            container = stack.enter_context(_created(client, image, **options))
            _start(container)
        except APIError as error:
            if error.status_code not in _IMAGES_FAULT:
                raise
            yield None
        else:
            yield container


def _start(container: Container) -> None:
    """Start it, if need be again: now and then a runtime fails before it comes to the image's own command."""
    for attempts_left in reversed(range(START_ATTEMPTS)):
        try:
            container.start()
            return
        except APIError as error:
            if error.status_code in _IMAGES_FAULT or not attempts_left:
                raise
        time.sleep(0.5)


@contextmanager
def _created(client: DockerClient, image: str, **options: Any) -> Iterator[Container]:
    container = client.containers.create(image, labels=labels.labels(), **{**LIMITS, **options})
    try:
        yield container
    finally:
        with suppress(NotFound):
            container.remove(force=True, v=True)
