"""COPY and ADD as operations: `copy(step, scope) -> Operation`, which is also what the stage goes on from.

Enters: a step and its scope. Leaves: the operation that makes the layer. Pure.
Source: moby/buildkit frontend/dockerfile/dockerfile2llb/convert.go dispatchCopy, client/llb/fileop.go.
"""

import posixpath
from collections.abc import Mapping
from dataclasses import replace

from e2b_dockerfile_utils import chomp_heredoc_content

from course.cache.operations import Copy, FileAction, Files, Merge, Operation, Source
from course.cache.state import CONTEXT, Scope, document_of, inline_file, last, place
from course.cache.words import expander_of_documents, flags, is_git, is_url, join_path
from course.dockerfile import DockerfileError, Heredoc, Step


def copy(step: Step, scope: Scope) -> Operation:
    """Append the step to its stage; returns the operation whose run is the step's."""
    if len(step.args) < 2:
        raise DockerfileError(f"{step.instruction} needs a source and a destination", line=step.line)
    options = flags(step.flags)
    *words, dest = step.args
    documents = {document.name: document for document in step.heredocs}
    origin = scope.origin(last(options, "from"), True) if step.instruction == "COPY" and "from" in options else CONTEXT
    common = Copy(
        input=0,
        source="",
        dest=_destination(scope.expand(dest), scope),
        owner=scope.expand(last(options, "chown")),
        mode=_mode(last(options, "chmod"), scope),
        exclude=tuple(options.get("exclude", ())),
    )
    pairs = []
    for word in words:
        if document_of(word, documents) is None:
            pairs.append(_source(step, scope.expand(word), common, origin, options))
    for word in words:  # documents come last, wherever they stand
        document = document_of(word, documents)
        if document is not None:
            pairs.append(_inline(document, common, scope))
    links = last(options, "link") not in ("", "false") and scope.build.buildkit.merges and not common.mode
    return _linked(pairs, scope) if links else append_files(pairs, scope)


def append_files(pairs: list[tuple[Operation | None, Copy]], scope: Scope) -> Operation:
    """Append copies to the stage; a source that is also the base is one input (llb marshalState.addInput)."""
    state = scope.state
    inputs: list[Operation] = [] if state.root is None else [state.root]
    actions = _placed(pairs, inputs)
    files = Files(actions=actions, base=-1 if state.root is None else 0)
    state.root = Operation(action=files, inputs=tuple(inputs), forced=state.forced)
    return state.root


def _linked(pairs: list[tuple[Operation | None, Copy]], scope: Scope) -> Operation:
    """`--link`: the copy stands on an empty tree, and is merged onto the stage."""
    state = scope.state
    inputs: list[Operation] = []
    actions = _placed(pairs, inputs)
    layer = Operation(action=Files(actions=actions, base=-1), inputs=tuple(inputs), forced=state.forced)
    merged = (layer,) if state.root is None else (state.root, layer)
    state.root = Operation(action=Merge(), inputs=merged, forced=state.forced)
    return layer


def _placed(pairs: list[tuple[Operation | None, Copy]], inputs: list[Operation]) -> tuple[FileAction, ...]:
    return tuple(replace(one, input=-1 if source is None else place(source, inputs)) for source, one in pairs)


def _source(
    step: Step, word: str, common: Copy, origin: Operation | None, options: Mapping[str, list[str]]
) -> tuple[Operation | None, Copy]:
    if step.instruction == "ADD" and (is_url(word) or is_git(word)):
        return _remote(word, common, options)
    unpack = step.instruction == "ADD" and last(options, "unpack") != "false"
    include: tuple[str, ...] = ()
    if "parents" in options:
        pivot, found, pattern = word.partition("/./")
        word, pattern = (pivot, pattern) if found else ("/", word)
        include = (join_path("/", pattern).removeprefix("/"),)
    return origin, replace(common, source=join_path("/", word), include=include, unpack=unpack)


def _remote(word: str, common: Copy, options: Mapping[str, list[str]]) -> tuple[Operation, Copy]:
    """A URL or a repository: what it holds is known only where a checksum says so."""
    checksum = last(options, "checksum")
    kind = "git" if is_git(word) else "http"
    operation = Operation(action=Source(kind=kind, name=word, identity=(checksum,) if checksum else ()))
    name = posixpath.basename(word.partition("?")[0].rstrip("/")) or "__unnamed__"
    return operation, replace(common, source="/" if kind == "git" else f"/{name}", whole=True)


def _inline(document: Heredoc, common: Copy, scope: Scope) -> tuple[Operation, Copy]:
    data = chomp_heredoc_content(document.content) if document.chomp else document.content
    if document.expand:
        data = expander_of_documents(scope.state.env)(data)
    path = join_path("/", document.name)
    return inline_file(path, 0o644, data), replace(common, source=path, whole=True)


def _mode(mode: str, scope: Scope) -> str:
    expands = scope.build.buildkit.expands_chmod
    mode = scope.expand(mode) if expands else mode
    try:
        return f"{int(mode, 8):o}" if mode else ""
    except ValueError:
        return mode if expands else ""


def _destination(path: str, scope: Scope) -> str:
    """Where a copy goes: relative to the working directory, and with a slash at its end where it is a directory."""
    directory = scope.state.directory
    if scope.build.buildkit.keeps_dot_of_destination:
        return join_path(directory, "./" if path in (".", "") else path, keep_slash=True)
    dest = join_path(directory, path)
    return dest.rstrip("/") + "/" if path in (".", "") or path.endswith("/") else dest
