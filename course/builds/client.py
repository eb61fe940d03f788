"""A build on a real engine: BuildKit through the Engine API, live and as a final trace.

Enters: docker-py's client and a folder. Leaves: `BuildTrace` snapshots, the last one final. The edge of this room:
reads files, talks to the engine; may import `course.context`, `course.dockerfile`, `course.labels`.

docker-py has no BuildKit (docker/docker-py#2230); the Engine API has: `POST /build?version=2` answers with a JSON
stream that carries BuildKit's progress under the id `moby.buildkit.trace` (moby/moby builder/builder-next/builder.go).
"""

import base64
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import requests
import urllib3
from docker import DockerClient
from docker.errors import APIError

from course import labels as course_labels
from course.builds import record
from course.builds.join import join
from course.builds.model import BuildError, BuildTrace, Status
from course.builds.tarbody import tar_body
from course.builds.trace import Fold
from course.context import resolve_folder
from course.dockerfile import Dockerfile, DockerfileError, parse
from course.errors import CourseError

TRACE: Final = "moby.buildkit.trace"
IMAGE: Final = "moby.image.id"
_BROKEN: Final = (
    requests.exceptions.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)


def build(
    client: DockerClient,
    directory: Path | str,
    *,
    tag: str | None = None,
    dockerfile: str = "Dockerfile",
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
    no_cache: bool = False,
    labels: Mapping[str, str] | None = None,
    on_snapshot: Callable[[BuildTrace], None] | None = None,
) -> BuildTrace:
    """Build `directory` to the end; what the Dockerfile got wrong is in the trace's `error`.

    Raises `CourseError` when the folder or the engine is at fault. An interrupt stops the build on the engine too.
    """
    trace = BuildTrace(steps=())
    for trace in stream_build(
        client, directory, tag=tag, dockerfile=dockerfile, build_args=build_args, target=target, no_cache=no_cache, labels=labels
    ):  # fmt: skip
        if on_snapshot:
            on_snapshot(trace)
    return trace


def stream_build(
    client: DockerClient,
    directory: Path | str,
    *,
    tag: str | None = None,
    dockerfile: str = "Dockerfile",
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
    no_cache: bool = False,
    labels: Mapping[str, str] | None = None,
) -> Iterator[BuildTrace]:
    """Build `directory`, with a snapshot after each report of the engine; closing the generator stops the build."""
    root = resolve_folder(directory)
    parsed = read_dockerfile(root, dockerfile)
    if isinstance(parsed, BuildError):
        yield BuildTrace(steps=(), error=parsed)
        return
    parameters = {
        "version": "2",
        "buildid": secrets.token_hex(16),
        "dockerfile": dockerfile,
        "buildargs": json.dumps(dict(build_args or {})),
        "labels": json.dumps(course_labels.labels(**(labels or {}))),
        **({"t": tag} if tag else {}),
        **({"target": target} if target else {}),
        **({"nocache": "1"} if no_cache else {}),
    }
    with tar_body(root, dockerfile) as body:
        yield from _run(client, parsed, parameters, body, target)


def read_dockerfile(root: Path, name: str) -> Dockerfile | BuildError:
    """Parse the Dockerfile at `name` below `root`; what is wrong with it is a value."""
    path = root / name
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        return BuildError(
            message=f"{name} {what}. A build needs a Dockerfile in its folder; its first line is FROM <image>."
        )
    if not path.resolve().is_relative_to(root):
        return BuildError(message=f"{name} is a link that leads out of the build's folder; put the file itself there.")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return BuildError(message=f"{name} is not UTF-8 text; save it as UTF-8.", line=line)
    if not text.strip():
        return BuildError(message=f"{name} is empty. Its first line is FROM <image>.", line=1)
    try:
        return parse(text)
    except DockerfileError as error:
        return BuildError(message=error.message, line=error.line)


def _run(
    client: DockerClient, dockerfile: Dockerfile, parameters: dict[str, str], body: Any, target: str | None
) -> Iterator[BuildTrace]:
    api, fold, began = client.api, Fold(), time.monotonic()
    failure: str | None = None
    image_id: str | None = None
    ended = False

    def snapshot(error: BuildError | None = None, *, finished: bool) -> BuildTrace:
        steps = join(dockerfile, fold, target=target, finished=finished)
        seconds = time.monotonic() - began
        return BuildTrace(steps=steps, image_id=image_id, seconds=seconds, error=error, finished=finished)

    try:
        for event in _events(client, parameters, body):
            if event.get("id") == TRACE:
                fold.add(base64.b64decode(event["aux"]))
                yield snapshot(finished=False)
            elif event.get("id") == IMAGE:
                image_id = event["aux"]["ID"]
            elif "errorDetail" in event or "error" in event:
                failure = str(event.get("errorDetail", {}).get("message") or event.get("error"))
        if image_id is None and failure is None:
            raise CourseError(
                "The engine stopped in the middle of the build.", fix="course engine status, then build again"
            )
        ended = True
    finally:
        _note(client, fold)
        if not ended:
            _cancel(client, parameters["buildid"])
    trace = snapshot(finished=True)
    error = None if failure is None else _explain(failure, trace)
    yield BuildTrace(steps=trace.steps, image_id=image_id, seconds=trace.seconds, error=error)


def _events(client: DockerClient, parameters: dict[str, str], body: Any) -> Iterator[dict[str, Any]]:
    """The engine's JSON stream; its refusal to begin comes as an `errorDetail` as well."""
    api = client.api
    headers = {"Content-Type": "application/x-tar", **_registry_header(api)}
    try:
        answer = api._post(api._url("/build"), data=body, params=parameters, headers=headers, stream=True, timeout=None)
        with answer:
            if answer.status_code >= 400:
                yield {"errorDetail": {"message": _refusal(answer)}}
                return
            for line in answer.iter_lines(chunk_size=None):
                if line:
                    yield json.loads(line)
    except _BROKEN as error:
        fix = "course engine status; course engine start brings it back"
        raise CourseError("The engine went away in the middle of the build.", fix=fix) from error


def _refusal(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError):
        return f"the engine refused the build: {answer.status_code} {answer.reason}"


def _registry_header(api: Any) -> dict[str, str]:
    """The user's own registry credentials, for `FROM` of a private image (docker-py's docker.auth)."""
    headers: dict[str, str] = {}
    api._set_auth_headers(headers)
    return headers


def _cancel(client: DockerClient, build_id: str) -> None:
    """Stop a build on the engine; closing the connection alone does not (FACTS of the Engine API: /build/cancel)."""
    try:
        client.api._post(client.api._url("/build/cancel"), params={"id": build_id}, timeout=5)
    except (requests.exceptions.RequestException, APIError):
        return  # the engine is gone, and the build with it


def _note(client: DockerClient, fold: Fold) -> None:
    started = [vertex.started for vertex in fold.vertices.values() if vertex.started is not None and not vertex.cached]
    if not started:
        return
    ended = [vertex.completed for vertex in fold.vertices.values() if vertex.completed is not None]
    record.remember(
        record.BuildNote(
            session=course_labels.session(),
            engine=client.api.base_url,
            started=min(started),
            ended=max(ended + started) + (0 if ended else 60),
            names=tuple(vertex.name for vertex in fold.vertices.values()),
        )
    )


def _explain(failure: str, trace: BuildTrace) -> BuildError:
    """The engine's message with the line to blame: of the step that failed, else the one that the parser names."""
    for step in trace.steps:
        if step.status is Status.FAILED:
            return BuildError(message=f"{step.text.splitlines()[0]} failed: {step.error}", line=step.line)
    named = re.search(r"(?:dockerfile parse error(?: on)? line |Dockerfile:)(\d+)", failure)
    return BuildError(message=failure, line=int(named[1]) if named else None)
