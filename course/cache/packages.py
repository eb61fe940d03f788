"""What package managers read: for a command, the few files that it needs, so that it need not stand on all the others.

Enters: a RUN command and the names and texts of the context's files. Leaves: `Needs(files, reason)`, or None where it
cannot be shown that the command reads nothing else. Pure.

Each rule names the files that the tool's own documentation gives for this pattern, and what would break it: scripts
that run at installation, workspaces, a project that is installed with its packages.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Read: TypeAlias = Callable[[str], str | None]
"""The text of a file of the context; None when there is none."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The files and folders that a command reads, why, and the folders that it makes."""

    tool: str
    files: tuple[str, ...]
    reason: str
    makes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A tool's command and what it reads: `required` must be there, `optional` may be; `breaks` says why not to."""

    tool: str
    command: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    breaks: Callable[[Read, str], bool] = lambda read, command: False


_SCRIPTS: Final = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare")


def _package(read: Read) -> dict[str, Any]:
    try:
        found = json.loads(read("package.json") or "{}")
    except ValueError:
        return {"workspaces": "unreadable"}
    return found if isinstance(found, dict) else {"workspaces": "unreadable"}


def _node_reads_more(read: Read, command: str) -> bool:
    """Scripts at installation, workspaces, and packages from folders or patches read other files."""
    package = _package(read)
    scripts = package.get("scripts") or {}
    kinds = ("dependencies", "devDependencies", "optionalDependencies")
    versions = [str(v) for kind in kinds for v in (package.get(kind) or {}).values()]
    local = any(v.startswith(("file:", "link:", "workspace:", "portal:", "patch:", ".", "/")) for v in versions)
    runs = any(name in scripts for name in _SCRIPTS) and "--ignore-scripts" not in command
    workspaces = bool(package.get("workspaces")) or "pnpm" in package or read("pnpm-workspace.yaml") is not None
    return runs or local or workspaces


def _has(name: str, text: str) -> Callable[[Read, str], bool]:
    return lambda read, command: text in (read(name) or "")


def _lacks(*options: str) -> Callable[[Read, str], bool]:
    return lambda read, command: not all(option in command for option in options)


def _reads_code(read: Read, command: str) -> bool:
    """`pip install .` or `-e`, and a requirements file that names a path or another file."""
    if re.search(r"(?:\s|^)(?:-e|--editable|\.\S*)(?:\s|$)|\s-c\s|/", command):
        return True
    return any(re.search(r"^\s*(?:-|\.|file:)", read(name) or "", re.M) for name in _requirements(command))


def _requirements(command: str) -> list[str]:
    return re.findall(r"(?:-r|--requirement)[ =]?(\S+)", command)


_NODE_LOCKS: Final = ("package-lock.json", "npm-shrinkwrap.json", ".npmrc")
_GO: Final = r"go mod download(?: -x)?"
_MAVEN: Final = r"(?:mvn|\./mvnw)(?: -\S+)* (?:dependency:(?:go-offline|resolve)|verify --fail-never)(?: -\S+)*"
_OPTIONS: Final = r"(?: --?[\w=-]+)*"

RULES: Final = (
    Rule(
        tool="npm",
        command=rf"npm (?:install|i|ci|clean-install){_OPTIONS}",
        required=("package.json",),
        optional=_NODE_LOCKS,
        makes=("node_modules",),
        breaks=_node_reads_more,
    ),
    Rule(
        tool="yarn",
        command=rf"yarn(?: install)?{_OPTIONS}",
        required=("package.json",),
        optional=("yarn.lock", ".yarnrc", ".yarnrc.yml", ".npmrc", ".yarn"),
        makes=("node_modules",),
        breaks=_node_reads_more,
    ),
    Rule(
        tool="pnpm",
        command=rf"pnpm (?:install|i){_OPTIONS}",
        required=("package.json",),
        optional=("pnpm-lock.yaml", ".npmrc", ".pnpmfile.cjs"),
        makes=("node_modules",),
        breaks=_node_reads_more,
    ),
    Rule(
        tool="prisma",
        command=r"(?:npx |yarn |pnpm )?prisma generate",
        required=("prisma",),
        optional=("prisma.config.ts", "prisma.config.js", "package.json", ".env"),
    ),
    Rule(
        tool="poetry",
        command=rf"poetry install{_OPTIONS}",
        required=("pyproject.toml",),
        optional=("poetry.lock", "poetry.toml"),
        makes=(".venv",),
        breaks=_lacks("--no-root"),
    ),
    Rule(
        tool="uv",
        command=rf"uv sync{_OPTIONS}",
        required=("pyproject.toml",),
        optional=("uv.lock", ".python-version"),
        makes=(".venv",),
        breaks=_lacks("--no-install-project"),
    ),
    Rule(tool="go", command=_GO, required=("go.mod",), optional=("go.sum",), breaks=_has("go.mod", "=> .")),
    Rule(
        tool="maven",
        command=_MAVEN,
        required=("pom.xml",),
        optional=("mvnw", ".mvn"),
        breaks=_has("pom.xml", "<module>"),
    ),
    Rule(
        tool="gradle",
        command=rf"(?:gradle|\./gradlew){_OPTIONS} dependencies{_OPTIONS}",
        required=("build.gradle",),
        optional=("settings.gradle", "gradle.properties", "gradlew", "gradle"),
        breaks=_has("settings.gradle", "include"),
    ),
    Rule(
        tool="gradle",
        command=rf"(?:gradle|\./gradlew){_OPTIONS} dependencies{_OPTIONS}",
        required=("build.gradle.kts",),
        optional=("settings.gradle.kts", "gradle.properties", "gradlew", "gradle"),
        breaks=_has("settings.gradle.kts", "include"),
    ),
    Rule(
        tool="bundler",
        command=rf"bundle install{_OPTIONS}(?: \d+)?",
        required=("Gemfile",),
        optional=("Gemfile.lock", ".ruby-version", ".bundle"),
        breaks=lambda read, command: bool(re.search(r"gemspec|path:|eval_gemfile", read("Gemfile") or "")),
    ),
    Rule(
        tool="composer",
        command=rf"composer install{_OPTIONS}",
        required=("composer.json",),
        optional=("composer.lock",),
        makes=("vendor",),
        breaks=_lacks("--no-scripts", "--no-autoloader"),
    ),
    Rule(
        tool="cargo",
        command=r"cargo fetch(?: --locked)?",
        required=("Cargo.toml", "Cargo.lock", "src/main.rs"),
        breaks=lambda read, command: bool(re.search(r"\[workspace|path\s*=", read("Cargo.toml") or "")),
    ),
)


def needs(command: str, paths: Sequence[str], read: Read) -> Needs | None:
    """What `command` needs of the context's `paths`; every part of `a && b` must be known."""
    parts = [part.strip() for part in command.split("&&")]
    found = [_one(" ".join(part.split()), paths, read) for part in parts]
    known = [one for one in found if one is not None]
    if len(known) != len(parts):
        return None
    files = tuple(dict.fromkeys(file for one in known for file in one.files))
    makes = tuple(dict.fromkeys(folder for one in known for folder in one.makes))
    return Needs(tool=known[0].tool, files=files, reason=known[0].reason, makes=makes)


def _one(command: str, paths: Sequence[str], read: Read) -> Needs | None:
    if re.match(r"(?:pip3?|python3? -m pip|uv pip) install ", command):
        return _pip(command, paths, read)
    for rule in RULES:
        present = all(name in paths for name in rule.required)
        if present and re.fullmatch(rule.command, command) and not rule.breaks(read, command):
            files = (*rule.required, *(name for name in rule.optional if name in paths))
            return Needs(tool=rule.tool, files=files, reason=_reason(rule.tool, files), makes=rule.makes)
    return None


def _pip(command: str, paths: Sequence[str], read: Read) -> Needs | None:
    files = tuple(_requirements(command))
    if not files or _reads_code(read, command) or not all(name in paths for name in files):
        return None
    return Needs(tool="pip", files=files, reason=_reason("pip", files))


def _reason(tool: str, files: tuple[str, ...]) -> str:
    return f"{tool} reads only {', '.join(files)}, and these change less often than the source."


def package_mix(paths: Sequence[str]) -> Mapping[str, float]:
    """A mix of edits to begin with, in changes a week: source every working hour, packages weekly."""
    manifests = {name for rule in RULES for name in rule.required if name in paths and "/" not in name}
    files = [path for path in paths if path not in manifests]
    return {**dict.fromkeys(sorted(manifests), 1.0), **({files[-1]: 40.0} if files else {})}
