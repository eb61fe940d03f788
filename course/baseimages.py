"""What a build takes from the images it begins from, read off an engine.

Enters: docker-py's client and a Dockerfile. Leaves: `BaseImage`s and the engine's BuildKit, as plain data for
`course.cache`. Talks to the engine; may import `course.cache`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from docker import DockerClient
from docker.errors import ImageNotFound

from course.cache.nouns import BaseImage, BuildInput, BuildKit, Platform, buildkit_of
from course.cache.stages import SCRATCH, origins, plan


def with_engine(client: DockerClient, build: BuildInput) -> BuildInput:
    """`build` as it would be done on this engine: its BuildKit, its platform, and the images that the stages use."""
    version = client.version()
    build = replace(build, buildkit=read_buildkit(client), platform=Platform(architecture=str(version["Arch"])))
    return replace(build, bases=read_bases(client, image_names(build)))


def image_names(build: BuildInput) -> tuple[str, ...]:
    """The images that needed stages begin from, copy from or mount from."""
    planned = plan(build)
    names: dict[str, None] = {}
    for stage in planned.stages:
        if stage.needed:
            found = [stage.base] if stage.from_image else []
            for step in stage.stage.steps:
                for name in origins(step):
                    by_number = step.instruction == "COPY"
                    if planned.find(name, before=stage.stage.number, by_number=by_number) is None:
                        found.append(name)
            names.update(dict.fromkeys(name for name in found if name != SCRATCH))
    return tuple(names)


def read_bases(client: DockerClient, names: Iterable[str]) -> Mapping[str, BaseImage]:
    """The images of these names; one that is not on the engine is left out."""
    found = {}
    for name in names:
        try:
            attributes = client.images.get(name).attrs
        except ImageNotFound:
            continue
        config = attributes.get("Config") or {}
        found[name] = BaseImage(
            name=name,
            layers=tuple((attributes.get("RootFS") or {}).get("Layers") or ()),
            env=tuple(config.get("Env") or ()),
            working_dir=config.get("WorkingDir") or "",
            user=config.get("User") or "",
            shell=tuple(config.get("Shell") or ()),
            onbuild=tuple(config.get("OnBuild") or ()),
        )
    return found


def read_buildkit(client: DockerClient) -> BuildKit:
    """The BuildKit inside the engine."""
    info = client.info()
    store = dict(info.get("DriverStatus") or ()).get("driver-type", "")
    return buildkit_of(str(info["ServerVersion"]), containerd_store="containerd" in store)
