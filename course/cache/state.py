"""Where a stage stands while it is turned into operations: `State`, and `Scope` for what a step may look at.

Enters: images and stages. Leaves: operations' surroundings. Pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from e2b_dockerfile_utils import parse_heredoc

from course.cache.nouns import BaseImage, BuildInput, Platform
from course.cache.operations import Files, Local, Mkfile, Operation, Source
from course.cache.words import expander
from course.dockerfile import Heredoc

CONTEXT: Final = Operation(action=Local())
Origin: TypeAlias = Callable[[str, bool], Operation | None]
"""What `--from` means: a name, and whether a number counts as one."""


@dataclass
class State:
    """What a stage has come to: its last operation (None is an empty tree) and the surroundings of its next step."""

    root: Operation | None = None
    env: dict[str, str] = field(default_factory=dict)
    config_env: dict[str, str] = field(default_factory=dict)
    directory: str = "/"
    user: str = ""
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    platform: Platform = field(default_factory=Platform)
    forced: bool = False

    def set(self, name: str, value: str) -> None:
        """Set a variable; one that is set again goes to the end (llb.EnvList.AddOrReplace)."""
        self.env.pop(name, None)
        self.env[name] = value


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What turning one step into operations may look at."""

    build: BuildInput
    state: State
    origin: Origin

    def expand(self, word: str) -> str:
        """`word` with the stage's variables."""
        return expander(self.state.env, self.build.dockerfile.escape)(word)


def base_image(build: BuildInput, name: str) -> BaseImage:
    """The image of that name; one that the engine does not have yet is only known by its name."""
    return build.bases.get(name) or BaseImage(name=name, layers=(f"unknown {name}",), found=False)


def image_operation(base: BaseImage) -> Operation | None:
    """The image as a source; one without layers is an empty tree."""
    if not base.layers:
        return None
    return Operation(action=Source(kind="image", name="", identity=base.layers))


def from_image(base: BaseImage, platform: Platform) -> State:
    """The state at the beginning of a stage on an image."""
    config: dict[str, str] = {}
    for entry in base.env:
        name, _, value = entry.partition("=")
        config[name] = value
    state = State(root=image_operation(base), config_env=config, user=base.user, platform=platform)
    state.directory = base.working_dir or "/"
    state.shell = base.shell or state.shell
    return state


def copy_state(state: State) -> State:
    """A state of its own for a stage that begins from another."""
    return replace(state, env=dict(state.env), config_env=dict(state.config_env))


def last(options: Mapping[str, list[str]], name: str) -> str:
    """The value of a flag that counts: the last one; empty where it is not given."""
    return options[name][-1] if options.get(name) else ""


def place(operation: Operation, inputs: list[Operation]) -> int:
    """The number of `operation` among the inputs, where equal ones are one."""
    for number, known in enumerate(inputs):
        if known.vertex == operation.vertex:
            return number
    inputs.append(operation)
    return len(inputs) - 1


def document_of(word: str, documents: Mapping[str, Heredoc]) -> Heredoc | None:
    """The here-document that a word stands for, if it does."""
    if not documents or "<<" not in word:
        return None
    mark = parse_heredoc(word)
    return documents.get(mark.name) if mark else None


def inline_file(path: str, mode: int, data: str) -> Operation:
    """A here-document as a file on an empty tree."""
    return Operation(action=Files(actions=(Mkfile(path=path, mode=mode, data=data),), base=-1))
