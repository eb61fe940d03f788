"""Which stages a build needs, and what each begins from: `plan(build) -> Plan`.

Enters: a `BuildInput`. Leaves: for each stage its base with variables filled in, the stage it begins from and those
it copies or mounts from. Pure; may import `course.dockerfile`. Source: moby/buildkit dockerfile2llb/convert.go,
toDispatchState.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from course.cache.nouns import BuildInput, Platform
from course.cache.words import Expand, expander, flags, read_mount
from course.dockerfile import DockerfileError, Stage, Step, parse_trigger

SCRATCH: Final = "scratch"


@dataclass(frozen=True, kw_only=True)
class PlannedStage:
    """A stage with its `base` expanded; `parent` is the number of the stage that it begins from, if any."""

    stage: Stage
    base: str
    parent: int | None
    platform: Platform
    needed: bool = False

    @property
    def from_image(self) -> bool:
        """Whether it begins from an image: not from scratch, not from an earlier stage."""
        return self.parent is None and self.base != SCRATCH


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All stages, the number of the one to build, and the arguments that stand before the first FROM."""

    stages: tuple[PlannedStage, ...]
    target: int
    arguments: Mapping[str, str]
    names: Mapping[str, int]

    def find(self, name: str, *, before: int, by_number: bool = True) -> int | None:
        """The stage that `--from=name` means in stage number `before`; None for an image. Mounts know no numbers."""
        number = int(name) if name.isdigit() and by_number else self.names.get(name.lower())
        return number if number is not None and number < before else None


def plan(build: BuildInput) -> Plan:
    """Read the stages. Raises `DockerfileError` for a target that is not there."""
    arguments = global_arguments(build)
    expand = expander(arguments, build.dockerfile.escape)
    names: dict[str, int] = {}
    stages = []
    for stage in build.dockerfile.stages:
        stages.append(_read(stage, names, expand, build.platform))
        if stage.name != str(stage.number):
            names[stage.name] = stage.number
    target = _target(build, names)
    found = Plan(stages=tuple(stages), target=target, arguments=arguments, names=names)
    needed = _needed(found, build)
    marked = tuple(
        PlannedStage(stage=s.stage, base=s.base, parent=s.parent, platform=s.platform, needed=s.stage.number in needed)
        for s in stages
    )
    return Plan(stages=marked, target=target, arguments=arguments, names=names)


def global_arguments(build: BuildInput) -> dict[str, str]:
    """The platform's arguments and those before the first FROM, as build arguments set them."""
    values = dict(platform_arguments(build.platform, build.target))
    values.update({name: build.build_args[name] for name in values if name in build.build_args})
    for step in build.dockerfile.arguments:
        expand = expander(values, build.dockerfile.escape)
        for word in step.args:
            name, equals, default = word.partition("=")
            if name in build.build_args:
                values[name] = build.build_args[name]
            elif equals:
                values[name] = expand(default)
    return values


def platform_arguments(platform: Platform, target: str | None) -> Iterator[tuple[str, str]]:
    """The arguments that BuildKit sets by itself (dockerfile2llb/platform.go)."""
    for prefix in ("BUILD", "TARGET"):
        yield f"{prefix}PLATFORM", str(platform)
        yield f"{prefix}OS", platform.os
        yield f"{prefix}ARCH", platform.architecture
        yield f"{prefix}VARIANT", platform.variant


def _read(stage: Stage, names: Mapping[str, int], expand: Expand, default: Platform) -> PlannedStage:
    step = stage.steps[0]
    base = expand(stage.base)
    if not base:
        raise DockerfileError(f"the image's name {stage.base} is empty here; give its ARG a default", line=step.line)
    wanted = flags(step.flags).get("platform")
    platform = _platform(expand(wanted[-1]), default) if wanted else default
    return PlannedStage(stage=stage, base=base, parent=names.get(base), platform=platform)


def _platform(text: str, default: Platform) -> Platform:
    parts = text.split("/")
    if len(parts) == 1:
        return Platform(os=default.os, architecture=parts[0]) if parts[0] not in ("linux", "windows") else default
    return Platform(os=parts[0], architecture=parts[1], variant=parts[2] if len(parts) > 2 else "")


def _target(build: BuildInput, names: Mapping[str, int]) -> int:
    last = build.dockerfile.stages[-1].number
    if not build.target:
        return last
    number = names.get(build.target.lower(), int(build.target) if build.target.isdigit() else None)
    if number is None or number > last:
        raise DockerfileError(f"there is no stage {build.target!r}; the target must be one of the stages", line=1)
    return number


def _needed(found: Plan, build: BuildInput) -> frozenset[int]:
    needed: set[int] = set()
    waiting = [found.target]
    while waiting:
        number = waiting.pop()
        if number not in needed:
            needed.add(number)
            waiting.extend(_uses(found, found.stages[number], build))
    return frozenset(needed)


def _uses(found: Plan, planned: PlannedStage, build: BuildInput) -> Iterator[int]:
    if planned.parent is not None:
        yield planned.parent
    triggers = triggers_of(found, planned, build) if build.buildkit.onbuild_comes_first else ()
    for step in (*triggers, *planned.stage.steps):
        for name in origins(step):
            number = found.find(name, before=planned.stage.number, by_number=step.instruction == "COPY")
            if number is not None:
                yield number


def triggers_of(found: Plan, planned: PlannedStage, build: BuildInput) -> tuple[Step, ...]:
    """The ONBUILD instructions that the base of a stage brings along, at the line of its FROM."""
    if planned.parent is not None:
        steps = found.stages[planned.parent].stage.steps
        texts = [step.args[0] for step in steps if step.instruction == "ONBUILD" and step.args]
    else:
        base = build.bases.get(planned.base)
        texts = list(base.onbuild) if base else []
    line = planned.stage.steps[0].line
    return tuple(parse_trigger(text, line=line) for text in texts)


def origins(step: Step) -> Iterator[str]:
    """The names of the stages or images that a step copies or mounts from."""
    found = flags(step.flags)
    if step.instruction == "COPY":
        yield from found.get("from", ())
    if step.instruction == "RUN":
        yield from (mount.origin for mount in map(read_mount, found.get("mount", ())) if mount.origin)
