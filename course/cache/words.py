"""Words of a Dockerfile with their variables and flags read.

Enters: text, variables. Leaves: expanded words, flags, mounts. Pure; may import `course.dockerfile`.

Sources: moby/buildkit frontend/dockerfile/shell/lex.go (through its port) and instructions/commands_runmount.go.
"""

import csv
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from e2b_dockerfile_utils import ShellLex

Expand: TypeAlias = Callable[[str], str]
_URL: Final = ("http://", "https://")
_GIT: Final = re.compile(r"^(git://|ssh://|git@|github\.com/|https?://[^#]*\.git(#.*)?$)")


def expander(variables: Mapping[str, str], escape: str = "\\") -> Expand:
    """A function that expands the variables of one word; one that is not set is empty."""
    lexer = ShellLex(escape, env=variables, skip_unset_env=False)
    return lexer.process_word


def expander_of_documents(variables: Mapping[str, str]) -> Expand:
    """A function for the body of a here-document: quotes stay."""
    return ShellLex("\\", env=variables, skip_unset_env=False, skip_process_quotes=True).process_word


def flags(words: Iterable[str]) -> dict[str, list[str]]:
    """`--name=value` and `--name` as lists of values by name; a bare flag has the value `true`."""
    found: dict[str, list[str]] = {}
    for word in words:
        name, equals, value = word.removeprefix("--").partition("=")
        found.setdefault(name, []).append(value if equals else "true")
    return found


def is_url(source: str) -> bool:
    """Whether ADD would fetch it."""
    return source.startswith(_URL)


def is_git(source: str) -> bool:
    """Whether ADD would clone it."""
    return _GIT.match(source) is not None


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One `RUN --mount=...`, with the defaults that the reference gives."""

    kind: str = "bind"
    origin: str = ""
    source: str = ""
    target: str = ""
    readonly: bool = True
    identifier: str = ""
    sharing: str = ""
    size: str = ""
    environment: str = ""
    required: bool = False
    owner: tuple[str, str, str] = ("", "", "")
    """uid, gid and mode as written."""


_NAMES: Final = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly", "rw": "readwrite"}


def read_mount(text: str, expand: Expand = str) -> Mount:
    """Read the value of a `--mount` flag."""
    fields: dict[str, str] = {}
    for field in next(csv.reader([text]), []):
        name, equals, value = field.partition("=")
        name = _NAMES.get(name.lower(), name.lower())
        fields[name] = expand(value) if equals else "true"
    kind = fields.get("type", "bind").lower()
    readonly = kind not in ("cache", "tmpfs")
    if "readonly" in fields:
        readonly = _truth(fields["readonly"])
    elif "readwrite" in fields:
        readonly = not _truth(fields["readwrite"])
    return Mount(
        kind=kind,
        origin=fields.get("from", ""),
        source=fields.get("source", ""),
        target=fields.get("target", ""),
        readonly=readonly,
        identifier=fields.get("id", ""),
        sharing=fields.get("sharing", "").lower(),
        size=fields.get("size", ""),
        environment=fields.get("env", ""),
        required=_truth(fields.get("required", "")),
        owner=(fields.get("uid", ""), fields.get("gid", ""), fields.get("mode", "")),
    )


def _truth(value: str) -> bool:
    return value.lower() in ("1", "t", "true")


def join_path(parent: str, path: str, *, keep_slash: bool = False) -> str:
    """`path` seen from `parent`, clean; with `keep_slash`, a last `/` or `/.` stays (llb.normalizePath)."""
    joined = "/" + posixpath.normpath(posixpath.join("/", parent, path)).lstrip("/")
    if keep_slash and path.endswith("/") and not joined.endswith("/"):
        return joined + "/"
    if keep_slash and path.endswith("/."):
        return joined.rstrip("/") + "/."
    return joined
