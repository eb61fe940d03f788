"""RUN as an operation: `run(step, scope) -> Operation`.

Enters: a step and its scope. Leaves: the command with its mounts, in the order that BuildKit gives them. Pure.
Source: moby/buildkit dockerfile2llb/convert.go dispatchRun, convert_runmount.go, client/llb/exec.go Marshal.
"""

import posixpath
from dataclasses import replace
from typing import Final

from e2b_dockerfile_utils import chomp_heredoc_content, parse_heredoc

from course.cache.operations import Exec, Files, Mkdir, MountPoint, Operation
from course.cache.state import CONTEXT, Scope, inline_file, last, place
from course.cache.words import Mount, flags, join_path, read_mount
from course.dockerfile import Step

_HOSTNAME: Final = "BUILDKIT_SANDBOX_HOSTNAME"


def run(step: Step, scope: Scope) -> Operation:
    """Append the command to its stage."""
    state = scope.state
    args, mounts, inputs = _command(step, scope)
    options = flags(step.flags)
    for text in options.get("mount", ()):
        mounts.append(_mount(read_mount(text, scope.expand), inputs, mounts, scope))
    env = dict(state.env)
    sockets = [mount.target for mount in mounts if mount.kind == "ssh"]
    if sockets and "SSH_AUTH_SOCK" not in env:
        env["SSH_AUTH_SOCK"] = sockets[0]
    root = MountPoint(target="/", input=-1 if state.root is None else place(state.root, inputs), output=True)
    files = sorted((m for m in [root, *mounts] if m.kind not in ("secret", "ssh")), key=lambda m: m.target)
    hidden = [mount for kind in ("secret", "ssh") for mount in mounts if mount.kind == kind]
    inputs, files = _in_order(inputs, files)
    action = Exec(
        args=args,
        env=tuple(f"{name}={value}" for name, value in env.items()),
        directory=state.directory,
        user=state.user,
        platform=str(state.platform),
        mounts=(*files, *hidden),
        network=last(options, "network").replace("default", ""),
        security=last(options, "security").replace("sandbox", ""),
        hostname=scope.build.build_args.get(_HOSTNAME, ""),
    )
    state.root = Operation(action=action, inputs=tuple(inputs), forced=state.forced)
    return state.root


def _command(step: Step, scope: Scope) -> tuple[tuple[str, ...], list[MountPoint], list[Operation]]:
    """The words to run; a document with `#!` becomes a file of its own, mounted for the command."""
    if step.json_form:
        return step.args, [], []
    text = " ".join(step.args)
    if step.heredocs:
        first = step.heredocs[0]
        data = chomp_heredoc_content(first.content) if first.chomp else first.content
        if parse_heredoc(text) is None:
            text += "".join(f"\n{document.content}{document.name}" for document in step.heredocs)
        elif first.content.startswith("#!"):
            mount = MountPoint(target="/dev/pipes/", input=0, selector="/", readonly=True)
            return (f"/dev/pipes/{first.name}",), [mount], [inline_file(f"/{first.name}", 0o755, data)]
        else:
            text = data
    return (*scope.state.shell, text), [], []


def _mount(mount: Mount, inputs: list[Operation], others: list[MountPoint], scope: Scope) -> MountPoint:
    if mount.kind in ("secret", "ssh"):
        return _hidden(mount, sum(other.kind == "ssh" for other in others))
    target = mount.target if mount.target.startswith("/") else join_path(scope.state.directory, mount.target)
    if mount.kind == "tmpfs":
        return MountPoint(target=target, kind="tmpfs", readonly=mount.readonly, facts=(("size", mount.size),))
    origin: Operation | None = None if mount.kind == "cache" else CONTEXT
    if mount.origin:
        origin = scope.origin(mount.origin, False)
    selector = join_path("/", mount.source)
    if selector == "/" and any(mount.owner):
        origin, selector = _owned(mount, origin), "/cache"
    facts: tuple[tuple[str, str], ...] = ()
    if mount.kind == "cache":
        identifier = mount.identifier or posixpath.normpath(mount.target)
        facts = (("id", identifier), ("sharing", mount.sharing or "shared"))
    return MountPoint(
        target=target,
        input=-1 if origin is None else place(origin, inputs),
        selector="" if selector == "/" else selector,
        kind=mount.kind,
        readonly=mount.readonly,
        facts=facts,
    )


def _hidden(mount: Mount, sockets: int) -> MountPoint:
    """A secret or an agent's socket: its id and place count, never its value."""
    base = posixpath.basename(mount.target) if mount.kind == "secret" else ""
    identifier = mount.source or mount.identifier or base
    default = f"/run/secrets/{posixpath.basename(identifier)}" if mount.kind == "secret" else ""
    target = mount.target or ("" if mount.environment else default) or f"/run/buildkit/ssh_agent.{sockets}"
    facts = (("id", identifier), ("required", str(mount.required)), ("env", mount.environment))
    owner = tuple(zip(("uid", "gid", "mode"), mount.owner, strict=True))
    return MountPoint(target=target, kind=mount.kind, facts=(*facts, *owner))


def _owned(mount: Mount, origin: Operation | None) -> Operation:
    """A cache mount with an owner: its directory is made first."""
    uid, gid, mode = mount.owner
    action = Mkdir(path="/cache", mode=int(mode or "755", 8), owner=f"{uid or 0}:{gid or 0}")
    if origin is None:
        return Operation(action=Files(actions=(action,), base=-1))
    return Operation(action=Files(actions=(action,), base=0), inputs=(origin,))


def _in_order(inputs: list[Operation], mounts: list[MountPoint]) -> tuple[list[Operation], list[MountPoint]]:
    """Number the inputs in the order of the sorted mounts, as marshalling does."""
    order: list[int] = []
    for mount in mounts:
        if mount.input >= 0 and mount.input not in order:
            order.append(mount.input)
    placed = [replace(m, input=order.index(m.input) if m.input >= 0 else -1) for m in mounts]
    return [inputs[number] for number in order], placed
