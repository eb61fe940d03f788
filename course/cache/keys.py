"""What BuildKit's cache asks of an operation: `cache_map(operation) -> CacheMap(digest, inputs)`.

Enters: an operation. Leaves: its own digest, and for each input how it counts: by the key of what made it, with a
digest of the selected paths, or also by the content of the selected files. Pure.

A port of the rules of `CacheMap` in moby/buildkit solver/llbsolver/ops/file.go and exec.go. Two of them surprise: of
a copied path only the last name is in the key (so `COPY a/x .` and `COPY b/x .` of equal files are one), and of a
command's mounts the selected path is not.
"""

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, replace

from course.cache.nouns import BuildKit
from course.cache.operations import Copy, Exec, Files, MountPoint, Operation
from course.cache.tree import Selector, digest, has_wildcard


@dataclass(frozen=True, kw_only=True)
class InputKey:
    """How one input counts: `selector` goes with its key; `content` is what is digested of its files, or None."""

    selector: str = ""
    content: tuple[Selector, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class CacheMap:
    """An operation's own part of its cache key, and one `InputKey` for each input."""

    digest: str
    inputs: tuple[InputKey, ...] = ()


def cache_map(operation: Operation, buildkit: BuildKit) -> CacheMap:
    """The cache's view of `operation`."""
    action = operation.action
    if isinstance(action, Files):
        return _of_files(action, len(operation.inputs))
    if isinstance(action, Exec):
        return _of_exec(action, len(operation.inputs), buildkit)
    return CacheMap(digest=digest(action), inputs=tuple(InputKey() for _ in operation.inputs))


def _of_files(files: Files, inputs: int) -> CacheMap:
    chosen: dict[int, list[Selector]] = {}
    actions: list[object] = []
    for action in files.actions:
        if isinstance(action, Copy):
            chosen.setdefault(action.input, []).append(selector_of(action))
            actions.append(replace(action, source=posixpath.basename(action.source) or "/"))
        else:
            actions.append(action)
    keys = []
    for number in range(inputs):
        selectors = chosen.get(number, [])
        if number == files.base or not selectors:
            keys.append(InputKey())
        else:
            paths = sorted((s.path for s in selectors), reverse=True)
            keys.append(InputKey(selector=digest(paths), content=tuple(_without_nested(selectors))))
    return CacheMap(digest=digest("files", actions, files.base), inputs=tuple(keys))


def selector_of(copy: Copy) -> Selector:
    """What a copy reads of its source."""
    return Selector(
        path=copy.source,
        follow=not copy.whole,
        wildcard=not copy.whole and has_wildcard(copy.source),
        include=copy.include,
        exclude=copy.exclude,
    )


def _without_nested(selectors: Iterable[Selector]) -> list[Selector]:
    plain = [selector for selector in selectors if not selector.filtered]
    kept = {}
    for follow in (False, True):
        for path in dedupe_paths([s.path for s in plain if s.follow is follow]):
            kept[path, follow] = Selector(path=path, follow=follow)
    return sorted([*kept.values(), *(s for s in selectors if s.filtered)], key=lambda s: s.path)


def dedupe_paths(paths: list[str]) -> list[str]:
    """Paths without those that lie under another one (exec.go dedupePaths)."""
    unique = sorted(set(paths))
    return [p for p in unique if not any(p != q and p.startswith(q.rstrip("/") + "/") for q in unique)]


def _of_exec(command: Exec, inputs: int, buildkit: BuildKit) -> CacheMap:
    mounts = [_anonymous(mount, buildkit) for mount in command.mounts]
    if len(mounts) == 1:  # the root alone is left out, to agree with older versions (exec.go CacheMap)
        mounts = []
    keys = []
    for number in range(inputs):
        used = [mount for mount in command.mounts if mount.input == number]
        paths = [posixpath.join("/", mount.selector) for mount in used]
        by_content = [not mount.output and mount.target != "/" for mount in used]
        if buildkit.version < (0, 9):  # any writable mount rules it out; later the last mount decides
            by_content = [all(by_content)]
        content = None
        if by_content[-1]:
            whole = "/" in paths
            content = (
                (Selector(path="/"),) if whole else tuple(Selector(path=p, follow=True) for p in dedupe_paths(paths))
            )
        keys.append(InputKey(selector=digest(paths), content=content))
    return CacheMap(digest=digest("exec", replace(command, mounts=tuple(mounts))), inputs=tuple(keys))


def _anonymous(mount: MountPoint, buildkit: BuildKit) -> MountPoint:
    facts = mount.facts
    if mount.kind == "cache" and buildkit.ignores_cache_mount_ids:
        known = dict(facts)
        if known["id"] != mount.target or known["sharing"] != "shared":
            facts = tuple((name, value) for name, value in facts if name not in ("id", "sharing"))
    return replace(mount, selector="", facts=facts)
