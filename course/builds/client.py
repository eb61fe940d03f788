"""A build on a real engine: BuildKit through the Engine API, live and as a final trace.

Enters: docker-py's client and a folder. Leaves: `BuildTrace` snapshots, the last one final. The edge of this room:
reads files, talks to the engine; may import `course.context`, `course.dockerfile`, `course.engine`.

docker-py has no BuildKit (docker/docker-py#2230); the Engine API has: `POST /build?version=2` answers with a JSON
stream that carries BuildKit's progress under the id `moby.buildkit.trace` (moby/moby builder/builder-next/builder.go).
The files travel in a session beside it (`course.builds.session`).
"""

import base64
import json
import secrets as random
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, TypedDict, Unpack

from docker import DockerClient

from course import labels as course_labels
from course.builds import record
from course.builds.explain import explain
from course.builds.join import join
from course.builds.model import BuildError, BuildTrace
from course.builds.plain import PlainReader
from course.builds.read import read_dockerfile
from course.builds.reply import Reply, gone
from course.builds.session import NoSession, Secret, share
from course.builds.tarbody import tar_body
from course.builds.trace import Fold
from course.context import resolve_folder
from course.dockerfile import Dockerfile
from course.engine.http import docker_host
from course.errors import CourseError

TRACE: Final = "moby.buildkit.trace"
IMAGE: Final = "moby.image.id"


class BuildOptions(TypedDict, total=False):
    """What a build can be told, as `docker build` has it."""

    tag: str | None
    dockerfile: str
    build_args: Mapping[str, str] | None
    target: str | None
    no_cache: bool
    labels: Mapping[str, str] | None
    secrets: Mapping[str, Secret] | None
    ssh: Mapping[str, Path] | None
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
    with closing(_stream(client, directory, options, live=on_snapshot is not None)) as snapshots:
        for trace in snapshots:
            if on_snapshot:
                on_snapshot(trace)
    return trace


def stream_build(
    client: DockerClient, directory: Path | str, **options: Unpack[BuildOptions]
) -> Generator[BuildTrace, None, None]:
    """Build `directory`, with a snapshot after each report of the engine; closing the generator stops the build."""
    return _stream(client, directory, options, live=True)


def _stream(
    client: DockerClient, directory: Path | str, options: BuildOptions, *, live: bool
) -> Generator[BuildTrace, None, None]:
    """Snapshots of a build, without `live` the last one only: to make one costs more than to read a report."""
    root = resolve_folder(directory)
    name = options.get("dockerfile", "Dockerfile")
    dockerfile = read_dockerfile(root, name)
    if isinstance(dockerfile, BuildError):
        yield BuildTrace(steps=(), error=dockerfile)
        return
    with ExitStack() as stack:
        reply = stack.enter_context(_open(stack, client, root, options))
        yield from _follow(client, root, dockerfile, options.get("target"), reply, live=live)


def _open(stack: ExitStack, client: DockerClient, root: Path, options: BuildOptions) -> Reply:
    """A build whose files travel in a session, or, on an engine that has none, in a tar."""
    parameters, timeout_s = _parameters(options), options.get("timeout_s")
    replies: list[Reply] = []

    def give_up(error: CourseError) -> None:
        for reply in replies:
            reply.fail(error)

    try:
        shared = stack.enter_context(
            share(
                client,
                root,
                dockerfile=parameters["dockerfile"],
                secrets=options.get("secrets"),
                ssh=options.get("ssh"),
                on_failure=give_up,
            )
        )
    except NoSession:
        if options.get("secrets") or options.get("ssh"):
            raise
        body = stack.enter_context(tar_body(root, parameters["dockerfile"]))
        return Reply(client, parameters, body, timeout_s=timeout_s)
    replies.append(Reply(client, {**parameters, **shared.parameters}, None, timeout_s=timeout_s))
    return replies[0]


def _parameters(options: BuildOptions) -> dict[str, str]:
    """The query of `POST /build` (Engine API, ImageBuild)."""
    tag, target = options.get("tag"), options.get("target")
    return {
        "version": "2",
        "buildid": random.token_hex(16),
        "dockerfile": options.get("dockerfile", "Dockerfile"),
        "buildargs": json.dumps(dict(options.get("build_args") or {})),
        "labels": json.dumps(course_labels.labels(**(options.get("labels") or {}))),
        **({"t": tag} if tag else {}),
        **({"target": target} if target else {}),
        **({"nocache": "1"} if options.get("no_cache") else {}),
    }


def _follow(
    client: DockerClient, root: Path, dockerfile: Dockerfile, target: str | None, reply: Reply, *, live: bool
) -> Iterator[BuildTrace]:
    fold, began = Fold(), time.monotonic()
    recorder = record.Recorder(session=course_labels.session(), engine=docker_host(client))
    plain = PlainReader(dockerfile, fold)
    failure: str | None = None
    image_id: str | None = None

    def snapshot(error: BuildError | None = None, *, finished: bool) -> BuildTrace:
        steps = join(dockerfile, fold, target=target, finished=finished)
        seconds = time.monotonic() - began
        return BuildTrace(steps=steps, image_id=image_id, seconds=seconds, error=error, finished=finished)

    try:
        for event in reply.events():
            if event.get("id") == TRACE:
                fold.add(base64.b64decode(event["aux"]))
                recorder.update(fold)
                if live:
                    yield snapshot(finished=False)
            elif event.get("id") == IMAGE or "ID" in (event.get("aux") or ()):
                image_id = event["aux"]["ID"]
            elif "errorDetail" in event or "error" in event:
                failure = str(event.get("errorDetail", {}).get("message") or event.get("error")).strip()
                plain.fail(failure, now_s=time.time())
            elif "stream" in event:
                plain.line(event["stream"], now_s=time.time())
                if live:
                    yield snapshot(finished=False)
    finally:
        recorder.update(fold, ended=True)
    if image_id is None and failure is None and not reply.out_of_time:
        raise gone()
    trace = snapshot(finished=True)
    error = None if failure is None else explain(failure, trace, root)
    if image_id is None and reply.out_of_time:
        error = BuildError(message="the build took longer than it was given, and was stopped")
    yield BuildTrace(steps=trace.steps, image_id=image_id, seconds=trace.seconds, error=error)
