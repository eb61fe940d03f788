"""A build on a real engine: BuildKit through the Engine API, live and as a final trace.

Enters: docker-py's client and a folder. Leaves: `BuildTrace` snapshots, the last one final. The edge of this room:
reads files, talks to the engine; may import `course.context`, `course.dockerfile`, `course.engine`.

docker-py has no BuildKit (docker/docker-py#2230); the Engine API has: `POST /build?version=2` answers with a JSON
stream that carries BuildKit's progress under the id `moby.buildkit.trace` (moby/moby builder/builder-next/builder.go).
"""

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import IO, Any, Final, TypedDict, Unpack

import requests
import urllib3
from docker import DockerClient

from course import labels as course_labels
from course.builds import record
from course.builds.explain import explain
from course.builds.join import join
from course.builds.model import BuildError, BuildTrace
from course.builds.tarbody import tar_body
from course.builds.trace import Fold
from course.context import resolve_folder
from course.dockerfile import Dockerfile, DockerfileError, parse
from course.engine.http import docker_host, post, registry_headers
from course.errors import CourseError

TRACE: Final = "moby.buildkit.trace"
IMAGE: Final = "moby.image.id"
_ENGINE_GONE: Final = "`course engine status`, then `course engine start`, then build again"
_BROKEN: Final = (
    requests.exceptions.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)


class BuildOptions(TypedDict, total=False):
    """What a build can be told, as `docker build` has it."""

    tag: str | None
    dockerfile: str
    build_args: Mapping[str, str] | None
    target: str | None
    no_cache: bool
    labels: Mapping[str, str] | None
    timeout_s: float | None


def build(
    client: DockerClient,
    directory: Path | str,
    *,
    on_snapshot: Callable[[BuildTrace], None] | None = None,
    **options: Unpack[BuildOptions],
) -> BuildTrace:
    """Build `directory` to the end; what the Dockerfile got wrong is in the trace's `error`.

    Raises `CourseError` when the folder or the engine is at fault. An interrupt stops the build on the engine too.
    """
    trace = BuildTrace(steps=())
    with closing(stream_build(client, directory, **options)) as snapshots:
        for trace in snapshots:
            if on_snapshot:
                on_snapshot(trace)
    return trace


def stream_build(
    client: DockerClient, directory: Path | str, **options: Unpack[BuildOptions]
) -> Generator[BuildTrace, None, None]:
    """Build `directory`, with a snapshot after each report of the engine; closing the generator stops the build."""
    root = resolve_folder(directory)
    name = options.get("dockerfile", "Dockerfile")
    dockerfile = read_dockerfile(root, name)
    if isinstance(dockerfile, BuildError):
        yield BuildTrace(steps=(), error=dockerfile)
        return
    with tar_body(root, name) as body:
        parameters = _parameters(options)
        with _Deadline(client, parameters["buildid"], options.get("timeout_s")) as deadline:
            yield from _run(client, root, dockerfile, parameters, body, deadline)


def _parameters(options: BuildOptions) -> dict[str, str]:
    """The query of `POST /build` (Engine API, ImageBuild)."""
    tag, target = options.get("tag"), options.get("target")
    return {
        "version": "2",
        "buildid": secrets.token_hex(16),
        "dockerfile": options.get("dockerfile", "Dockerfile"),
        "buildargs": json.dumps(dict(options.get("build_args") or {})),
        "labels": json.dumps(course_labels.labels(**(options.get("labels") or {}))),
        **({"t": tag} if tag else {}),
        **({"target": target} if target else {}),
        **({"nocache": "1"} if options.get("no_cache") else {}),
    }


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
    client: DockerClient,
    root: Path,
    dockerfile: Dockerfile,
    parameters: dict[str, str],
    body: IO[bytes],
    deadline: "_Deadline",
) -> Iterator[BuildTrace]:
    fold, began, target = Fold(), time.monotonic(), parameters.get("target")
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
    error = None if failure is None else explain(failure, trace, root)
    if error and deadline.passed:
        error = BuildError(message=f"the build took longer than {deadline.timeout_s:.0f} s and was stopped")
    yield BuildTrace(steps=trace.steps, image_id=image_id, seconds=trace.seconds, error=error)


class _Deadline:
    """Stops a build on the engine once its time is up; a context manager, so that no timer outlives the build."""

    def __init__(self, client: DockerClient, build_id: str, timeout_s: float | None) -> None:
        self.timeout_s = timeout_s or 0.0
        self.passed = False
        self._timer = threading.Timer(self.timeout_s, self._stop, (client, build_id)) if timeout_s else None

    def __enter__(self) -> "_Deadline":
        if self._timer:
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer:
            self._timer.cancel()

    def _stop(self, client: DockerClient, build_id: str) -> None:
        self.passed = True
        _cancel(client, build_id)


def _events(client: DockerClient, parameters: dict[str, str], body: Any) -> Iterator[dict[str, Any]]:
    """The engine's JSON stream; its refusal to begin comes as an `errorDetail` as well."""
    headers = {"Content-Type": "application/x-tar", **registry_headers(client)}
    try:
        with post(client, "/build", parameters, body=body, headers=headers, stream=True, timeout_s=None) as answer:
            if answer.status_code >= 400:
                yield {"errorDetail": {"message": _refusal(answer)}}
                return
            for line in answer.iter_lines(chunk_size=None):
                if line:
                    yield json.loads(line)
    except _BROKEN as error:
        raise CourseError("The engine went away in the middle of the build.", fix=_ENGINE_GONE) from error


def _refusal(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError):
        return f"the engine refused the build: {answer.status_code} {answer.reason}"


def _cancel(client: DockerClient, build_id: str) -> None:
    """Stop a build on the engine; closing the connection alone may not."""
    try:
        post(client, "/build/cancel", {"id": build_id}, timeout_s=5)
    except requests.exceptions.RequestException:
        return  # the engine is gone, and the build with it


def _note(client: DockerClient, fold: Fold) -> None:
    note = record.note_of(fold, session=course_labels.session(), engine=docker_host(client))
    if note:
        record.remember(note)
