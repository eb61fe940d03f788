"""The nouns of a prediction: what is about to be built, and what is said of each step.

Enters: nothing. Leaves: frozen data, most of it JSON-able. Pure; may import `course.dockerfile` and
`course.fingerprint`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from course.dockerfile import Dockerfile
from course.fingerprint import Fingerprint

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_OF_ENGINES: Final = {
    20: (0, 8),
    22: (0, 10),
    23: (0, 10),
    24: (0, 11),
    25: (0, 12),
    26: (0, 13),
    27: (0, 15),
    28: (0, 25),
    29: (0, 26),
}
_LATEST: Final = (0, 26)


@dataclass(frozen=True, kw_only=True)
class BuildKit:
    """Which BuildKit makes the cache keys: they changed a little between versions. The names say what changed.

    `merges` is whether the engine can stack layers without running anything (`COPY --link`): with the containerd image
    store only. The classic builder (`DOCKER_BUILDKIT=0`) has other rules and is not modelled.
    """

    version: tuple[int, int] = _LATEST
    merges: bool = False

    @property
    def has_heredocs(self) -> bool:
        """Whether the built-in frontend knows `<<EOF`, `--link`, `--network` and the like."""
        return self.version >= (0, 9)

    @property
    def digests_matched_directories_whole(self) -> bool:
        """Before included paths were listed one by one for wildcards (contenthash includedPaths)."""
        return self.version < (0, 9)

    @property
    def follows_nested_links(self) -> bool:
        """Whether links inside a directory that a pattern matches are followed as well (contenthash Checksum)."""
        return self.version < (0, 25)

    @property
    def digests_paths_below_patterns(self) -> bool:
        """Whether a list of files is digested with their paths, and not with their last names alone."""
        return self.version >= (0, 26)

    @property
    def keeps_dot_of_destination(self) -> bool:
        """Since 0.15, `COPY a x/.` is another destination than `COPY a x` (pathRelativeToWorkingDir)."""
        return self.version >= (0, 15)

    @property
    def ignores_cache_mount_ids(self) -> bool:
        """Whether a cache mount's id and sharing are left out of the key (ExecOp.checkShouldClearCacheOpts)."""
        return self.version >= (0, 13)

    @property
    def expands_chmod(self) -> bool:
        """Whether `--chmod=$MODE` is expanded, and `--chmod=u+x` understood."""
        return self.version >= (0, 16)

    @property
    def onbuild_comes_first(self) -> bool:
        """Whether ONBUILD triggers are commands of the stage, with stages of their own to copy from."""
        return self.version >= (0, 17)


def buildkit_of(engine_version: str, *, containerd_store: bool = False) -> BuildKit:
    """The BuildKit inside a Docker engine of that version."""
    major = engine_version.partition(".")[0]
    number = int(major) if major.isdigit() else max(_OF_ENGINES)
    known = max((n for n in _OF_ENGINES if n <= number), default=min(_OF_ENGINES))
    version = _LATEST if number > max(_OF_ENGINES) else _OF_ENGINES[known]
    return BuildKit(version=version, merges=containerd_store and version >= (0, 10))


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What a build is for."""

    os: str = "linux"
    architecture: str = "amd64"
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, kw_only=True)
class BaseImage:
    """What a build takes from an image it begins from: its layers' identities, and the part of its config that
    counts.
    """

    name: str
    layers: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    working_dir: str = ""
    user: str = ""
    shell: tuple[str, ...] = ()
    onbuild: tuple[str, ...] = ()
    found: bool = True


@dataclass(frozen=True, kw_only=True)
class BuildInput:
    """All that decides the keys of one build. `files` are of the context, without what .dockerignore excludes.

    `no_cache` is True for all stages, or the names of the stages (`--no-cache-filter`).
    """

    dockerfile: Dockerfile
    files: tuple[Fingerprint, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    no_cache: bool | frozenset[str] = False
    bases: Mapping[str, BaseImage] = field(default_factory=dict)
    platform: Platform = Platform()
    buildkit: BuildKit = BuildKit()


class Verdict(StrEnum):
    """What is said of a step before the build. HIT agrees with the status REUSED, MISS with RAN or FAILED."""

    HIT = "HIT"
    MISS = "MISS"
    DEPENDS = "DEPENDS"
    """On files that a command makes, or a server serves: they are not known before it has run."""
    NOT_NEEDED = "NOT_NEEDED"
    METADATA = "METADATA"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why a step runs, for programs. `kind` is file, line, variable, base, step, forced or new; `subject` is the
    path, the line, the name of the variable or image, or the line of the step.
    """

    kind: str
    subject: str | int | None = None
    before: str | None = None
    after: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The object of `course predict --json`: the subject goes by its own name."""
        names = {"file": "path", "line": "line", "variable": "name", "base": "name", "step": "step"}
        own = {names[self.kind]: self.subject} if self.kind in names else {}
        return {"kind": self.kind, **own, "before": self.before, "after": self.after}


@dataclass(frozen=True, kw_only=True)
class StepRef:
    """Where a step stands: the stage's name, its index in the stage from 0 and its line from 1."""

    stage: str
    index: int
    line: int
    instruction: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What is said of one step: the verdict, a sentence for people, and the cause of a MISS for programs."""

    step: StepRef
    verdict: Verdict
    reason: str = ""
    cause: Cause | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Prediction":
        """The inverse of `to_json`."""
        told = data["cause"]
        subject = (
            next((told[name] for name in ("path", "line", "name", "step") if name in told), None) if told else None
        )
        cause = Cause(kind=told["kind"], subject=subject, before=told["before"], after=told["after"]) if told else None
        names = ("stage", "index", "line", "instruction", "text")
        step = StepRef(**{name: data[name] for name in names})
        return cls(step=step, verdict=Verdict(data["verdict"]), reason=data["reason"], cause=cause)

    def to_json(self) -> dict[str, Any]:
        """One object of the `steps` of `course predict --json`."""
        return {
            "stage": self.step.stage,
            "index": self.step.index,
            "line": self.step.line,
            "instruction": self.step.instruction,
            "text": self.step.text,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "cause": self.cause.to_json() if self.cause else None,
        }
