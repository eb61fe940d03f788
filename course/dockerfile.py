"""A Dockerfile as data: text in, `Dockerfile(stages)` out, each step with the lines it stands on.

Enters: the text. Leaves: frozen nouns, or a `DockerfileError` with its line. Pure; imports no other room.

The grammar is BuildKit's (frontend/dockerfile/parser), through its Python port `e2b-dockerfile-utils`; the port checks
words and flags only, so the few rules on the shape of a whole file are checked here.
"""

import dataclasses
from dataclasses import dataclass
from typing import Final

from e2b_dockerfile_utils import DockerfileHeredoc, DockerfileInstruction, DockerfileSyntaxError, parse_dockerfile_ast

KNOWN: Final = frozenset(
    """ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER
    ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR""".split()  # noqa: SIM905
)
_LEAST_ARGS: Final = {"COPY": 2, "ADD": 2, "FROM": 1, "WORKDIR": 1, "USER": 1, "STOPSIGNAL": 1}


class DockerfileError(ValueError):
    """A Dockerfile that BuildKit would not accept: `line` (from 1) and what is wrong there."""

    def __init__(self, message: str, *, line: int) -> None:
        super().__init__(f"Dockerfile line {line}: {message}")
        self.line = line
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Heredoc:
    """The body of a here-document, as written between its delimiters."""

    name: str
    content: str
    expand: bool
    chomp: bool


@dataclass(frozen=True, kw_only=True)
class Step:
    """One instruction: `index` from 0 within its stage (FROM is 0), `line`..`end_line` from 1 in the file."""

    index: int
    instruction: str
    text: str
    line: int
    end_line: int
    flags: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    json_form: bool = False
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One FROM and what follows it. `name` is the one after AS (BuildKit folds it to lower case), else its number."""

    number: int
    name: str
    base: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """All stages in order; `arguments` are the ARG instructions before the first FROM."""

    stages: tuple[Stage, ...]
    arguments: tuple[Step, ...] = ()
    escape: str = "\\"
    text: str = ""


def parse(text: str) -> Dockerfile:
    """Read a Dockerfile; raises `DockerfileError` with the line for what BuildKit would refuse."""
    try:
        ast = parse_dockerfile_ast(text.removeprefix("\ufeff"))
    except DockerfileSyntaxError as error:
        prefix = f"Dockerfile parse error on line {error.line}: "
        raise DockerfileError(str(error).removeprefix(prefix), line=error.line or 1) from None
    arguments: list[Step] = []
    stages: list[Stage] = []
    for instruction in ast.instructions:
        _check_shape(instruction)
        if instruction.name == "FROM":
            stages.append(_open_stage(instruction, len(stages)))
        elif stages:
            last = stages[-1]
            step = _step(instruction, len(last.steps))
            stages[-1] = dataclasses.replace(last, steps=(*last.steps, step))
        elif instruction.name == "ARG":
            arguments.append(_step(instruction, len(arguments)))
        else:
            message = f"{instruction.name} stands before the first FROM; only ARG may. Begin with FROM <image>."
            raise DockerfileError(message, line=instruction.start_line)
    if not stages:
        raise DockerfileError("there is no FROM; a Dockerfile begins with FROM <image>", line=1)
    return Dockerfile(stages=tuple(stages), arguments=tuple(arguments), escape=ast.escape_token, text=text)


def parse_trigger(text: str, *, line: int) -> Step:
    """Read one ONBUILD trigger, to run at `line`, where the FROM stands that brings it along."""
    try:
        instructions = parse_dockerfile_ast(text).instructions
    except DockerfileSyntaxError as error:
        raise DockerfileError(f"ONBUILD {text}: {error}", line=line) from None
    if len(instructions) != 1:
        raise DockerfileError(f"ONBUILD takes one instruction, not {text!r}", line=line)
    _check_shape(instructions[0])
    return dataclasses.replace(_step(instructions[0], 0), line=line, end_line=line)


def _check_shape(instruction: DockerfileInstruction) -> None:
    name, args = instruction.name, _args(instruction)
    if name not in KNOWN:
        raise DockerfileError(f"unknown instruction: {name}", line=instruction.start_line)
    least = _LEAST_ARGS.get(name, 1)
    if len(args) < least and not (name in ("CMD", "ENTRYPOINT", "SHELL") or instruction.heredocs):
        wanted = "at least a source and a destination" if least == 2 else "an argument"
        raise DockerfileError(f"{name} needs {wanted}", line=instruction.start_line)
    if name == "FROM" and len(args) not in (1, 3):
        raise DockerfileError("FROM takes <image> or <image> AS <name>", line=instruction.start_line)
    if name == "FROM" and len(args) == 3 and args[1].upper() != "AS":
        raise DockerfileError(f"FROM takes AS before the stage's name, not {args[1]!r}", line=instruction.start_line)


def _open_stage(instruction: DockerfileInstruction, number: int) -> Stage:
    name = instruction.args[2].lower() if len(instruction.args) == 3 else str(number)
    return Stage(number=number, name=name, base=instruction.args[0], steps=(_step(instruction, 0),))


def _step(instruction: DockerfileInstruction, index: int) -> Step:
    return Step(
        index=index,
        instruction=instruction.name,
        text=instruction.original.strip(),
        line=instruction.start_line,
        end_line=instruction.end_line,
        flags=tuple(instruction.flags),
        args=tuple(_args(instruction)),
        json_form=instruction.json,
        heredocs=tuple(_heredoc(h) for h in instruction.heredocs),
    )


def _args(instruction: DockerfileInstruction) -> list[str]:
    """The arguments; of ONBUILD the trigger as one text, which the port leaves out."""
    if instruction.name == "ONBUILD":
        return instruction.original.strip().split(None, 1)[1:]
    return instruction.args


def _heredoc(heredoc: DockerfileHeredoc) -> Heredoc:
    return Heredoc(name=heredoc.name, content=heredoc.content, expand=heredoc.expand, chomp=heredoc.chomp)
