"""The operations that a build is made of: BuildKit's LLB, as far as its cache looks at it.

Enters: what the frontend puts in. Leaves: a graph of `Operation`s, each with the operations it needs. Pure; imports
nothing of the project but `course.cache.tree`.

The shapes are those of moby/buildkit solver/pb/ops.proto; what the cache ignores (names, progress) is left out. An
operation's `vertex` is its digest with all inputs, as LLB has it: equal vertices are one vertex of the build.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from course.cache.tree import digest


@dataclass(frozen=True, kw_only=True)
class Source:
    """An image, a URL or a git repository. `identity` is what makes it the same: an image's layers."""

    kind: str
    name: str
    identity: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Local:
    """The build context."""


@dataclass(frozen=True, kw_only=True)
class Mkdir:
    """Make a directory and its parents."""

    path: str
    mode: int = 0o755
    owner: str = ""


@dataclass(frozen=True, kw_only=True)
class Mkfile:
    """Make a file: the body of a here-document."""

    path: str
    mode: int
    data: str


@dataclass(frozen=True, kw_only=True)
class Copy:
    """Copy `source` of the operation's input number `input` to `dest`."""

    input: int
    source: str
    dest: str
    owner: str = ""
    mode: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    unpack: bool = False
    whole: bool = False
    """From a URL, git or a here-document: one known file, no wildcards, no links followed."""


FileAction: TypeAlias = Mkdir | Mkfile | Copy


@dataclass(frozen=True, kw_only=True)
class Files:
    """File actions, one after another, on the input number `base` (-1 is an empty tree)."""

    actions: tuple[FileAction, ...]
    base: int


@dataclass(frozen=True, kw_only=True)
class MountPoint:
    """One mount of a command. `output` is whether what is written there is kept; `facts` are of cache, secret and so
    on.
    """

    target: str
    input: int = -1
    selector: str = ""
    kind: str = "bind"
    readonly: bool = False
    output: bool = False
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Exec:
    """Run a command."""

    args: tuple[str, ...]
    env: tuple[str, ...]
    directory: str
    user: str
    platform: str
    mounts: tuple[MountPoint, ...]
    network: str = ""
    security: str = ""
    hostname: str = ""


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Lay the inputs one over another."""


Action: TypeAlias = Source | Local | Files | Exec | Merge


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """One node of the graph. `forced` is `--no-cache`: it runs whatever the cache holds."""

    action: Action
    inputs: tuple["Operation", ...] = ()
    forced: bool = False

    @cached_property
    def vertex(self) -> str:
        """The digest of the operation with everything below it."""
        return digest(self.action, [operation.vertex for operation in self.inputs])
