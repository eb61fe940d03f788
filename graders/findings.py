"""What a Dockerfile's text gives away before it is built: beside what the graders measure, and worth no points.

Enters: a parsed Dockerfile, the patterns of .dockerignore and the names in the project's folder. Leaves:
`StaticFinding`s. Pure; may import the nouns of `course`.
"""

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Final

from course.cache.packages import RULES
from course.contextfilter import ROOT, Filter, Verdict
from course.dockerfile import Dockerfile, Stage, Step
from course.patterns import BadPattern

OURS: Final = "graders"
_INSTALLS: Final = (
    *(rule.command for rule in RULES if rule.tool != "prisma"),
    r"(?:pip3?|python3? -m pip|uv pip) install .+",
    r"(?:apt-get|apt|apk|dnf|yum)(?: -\S+)* (?:install|add) .+",
)
_SECRET_WORDS: Final = frozenset(("PASSWORD", "PASSWD", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS", "APIKEY"))
_SECRET_PAIRS: Final = ("API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "SECRET_KEY")
_SECRET_FILES: Final = re.compile(
    r"\.env(?!\.(?:example|sample|template)$)(?:\..+)?|\.npmrc|\.pypirc|\.netrc|\.git-credentials|id_(?:rsa|ecdsa|ed25519)"
    r"|.+\.(?:pem|key|p12|pfx)|secrets?\.\w+"
)
_LIES_ABOUT: Final = (".git/HEAD", ".env", "node_modules/package/index.js")
"""What most folders hold and no image should; that of npm only where npm is used."""


@dataclass(frozen=True, kw_only=True)
class StaticFinding:
    """Something to look at: the Dockerfile's `line` (from 1) where one shows it, and which judge noticed it."""

    line: int | None
    text: str
    source: str

    def to_json(self) -> dict[str, Any]:
        """One of the findings that `graders check --json` prints."""
        return asdict(self)

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.text} ({self.source})"


def visible(text: str) -> str:
    """A text with what a terminal or a reader would act on and not see, such as escape codes, written out; it is of a
    student's files, or printed by what they made.
    """
    shown = (one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode() for one in text)
    return "".join(shown)


def findings_html(findings: Sequence[StaticFinding]) -> str:
    """A list for below the report; nothing where there are none."""
    if not findings:
        return ""
    rows = "".join(f"<li>{escape(str(one))}</li>" for one in findings)
    return f"<p><b>Also noticed</b>, worth no points:</p><ul>{rows}</ul>"


def find_all(dockerfile: Dockerfile, ignored: Sequence[str], names: Collection[str]) -> tuple[StaticFinding, ...]:
    """All of our own by line. `ignored` are the patterns of .dockerignore, `names` the folder's top entries."""
    found = [
        *copies_before_install(dockerfile),
        *lets_in(dockerfile, ignored, names),
        *secrets(dockerfile),
        *deleted_later(dockerfile),
    ]
    return tuple(sorted(found, key=lambda one: one.line or 0))


def copies_before_install(dockerfile: Dockerfile) -> Iterator[StaticFinding]:
    """The whole folder is copied, and then packages are installed: each edit of any file installs them again."""
    for stage in dockerfile.stages:
        for copy in stage.steps:
            later = (step for step in stage.steps[copy.index :] if step.instruction == "RUN")
            install = next((step for step in later if _installs(step)), None) if _copies_all(copy) else None
            if install:
                text = f"the whole folder is copied before line {install.line} installs: every edit installs again"
                yield StaticFinding(line=copy.line, text=text, source=OURS)
                break


def lets_in(dockerfile: Dockerfile, ignored: Sequence[str], names: Collection[str]) -> Iterator[StaticFinding]:
    """The whole folder is copied, and .dockerignore does not keep out what lies about in it."""
    copy = next((step for stage in dockerfile.stages for step in stage.steps if _copies_all(step)), None)
    if copy is None:
        return
    try:
        chosen = Filter((), ignored)
    except BadPattern:  # the build says so
        return
    for path in _LIES_ABOUT:
        top = path.partition("/")[0]
        if _is_sent(chosen, path) and (top != "node_modules" or "package.json" in names):
            text = f"`{_short(copy.text)}` copies {top} too, where there is one: .dockerignore does not name it"
            yield StaticFinding(line=copy.line, text=text, source=OURS)


def secrets(dockerfile: Dockerfile) -> Iterator[StaticFinding]:
    """Variables and files that look like secrets; whoever has the image has them."""
    every = [*dockerfile.arguments, *(step for stage in dockerfile.stages for step in stage.steps)]
    for step in every:
        names = step.args[::3] if step.instruction == "ENV" else [word.partition("=")[0] for word in step.args]
        if step.instruction in ("ENV", "ARG"):
            for name in filter(_is_secret, names):
                text = f"{name} looks like a secret, and stays in the image: `RUN --mount=type=secret` leaves none"
                yield StaticFinding(line=step.line, text=text, source=OURS)
        for name in _sources(step):
            if _SECRET_FILES.fullmatch(posixpath.basename(name)):
                text = f"{name} looks like a secret, and stays in its layer even if a later line removes it"
                yield StaticFinding(line=step.line, text=text, source=OURS)


def deleted_later(dockerfile: Dockerfile) -> Iterator[StaticFinding]:
    """In the stages that the image is made of: a file that one instruction writes and a later one removes."""
    steps = [step for stage in _lineage(dockerfile) for step in stage.steps]
    for number, step in enumerate(steps):
        for name in _removed(step) if step.instruction == "RUN" else ():
            maker = next((one for one in steps[:number] if _writes(one, name)), None)
            if maker:
                text = f"{name} is removed too late: the layer of line {maker.line} holds it and weighs what it weighed"
                yield StaticFinding(line=step.line, text=text, source=OURS)


def _copies_all(step: Step) -> bool:
    return any(posixpath.normpath(source) in (".", "/", "*") for source in _sources(step))


def _sources(step: Step) -> Sequence[str]:
    """What COPY or ADD takes from the folder."""
    from_elsewhere = any(flag.startswith("--from") for flag in step.flags)
    return step.args[:-1] if step.instruction in ("COPY", "ADD") and not from_elsewhere else ()


def _commands(step: Step) -> list[str]:
    """The commands of a RUN, one by one."""
    text = " ".join(step.args) if step.json_form else "\n".join([*step.args, *(h.content for h in step.heredocs)])
    return [" ".join(part.split()) for part in re.split(r"&&|\|\|?|;|\n", text)]


def _installs(step: Step) -> bool:
    return any(re.match(rf"(?:{rule})(?:\s|$)", command) for command in _commands(step) for rule in _INSTALLS)


def _is_sent(chosen: Filter, path: str) -> bool:
    passed, parts = ROOT, path.split("/")
    for depth in range(1, len(parts) + 1):
        verdict, passed = chosen.decide("/".join(parts[:depth]), passed, is_folder=depth < len(parts))
        if verdict is Verdict.LEAVE:
            return False
    return verdict is Verdict.SEND


def _is_secret(name: str) -> bool:
    """By its words; NAME_FILE and the like name a place and no secret."""
    words = name.upper().split("_")
    if words[-1] in ("FILE", "PATH", "DIR", "URL"):
        return False
    return bool(_SECRET_WORDS.intersection(words)) or any(pair in name.upper() for pair in _SECRET_PAIRS)


def _lineage(dockerfile: Dockerfile) -> list[Stage]:
    """The last stage and those that it begins from, the first one first."""
    lineage = [dockerfile.stages[-1]]
    while True:
        first = lineage[0]
        before = [one for one in dockerfile.stages[: first.number] if one.name == first.base.lower()]
        if not before:
            return lineage
        lineage.insert(0, before[-1])


def _removed(step: Step) -> Iterator[str]:
    """What a RUN removes and did not speak of before: that was there when it began."""
    before = ""
    for command in _commands(step):
        words = command.split()
        if words[:1] == ["rm"]:
            for word in words[1:]:
                if not word.startswith("-") and not re.search(r"[*?$'\"]", word) and not _names(before, word):
                    yield word
        before += f" {command}"


def _writes(step: Step, name: str) -> bool:
    if step.instruction == "RUN":
        kept = (command for command in _commands(step) if not command.startswith("rm "))
        return _names(" ".join(kept), name)
    if step.instruction in ("COPY", "ADD"):
        return _names(" ".join(step.args), name)
    return False


def _names(text: str, path: str) -> bool:
    """Whether a text has this path in it, or its last part."""
    last = posixpath.basename(path.rstrip("/"))
    return bool(last.strip(".")) and bool(re.search(rf"(?<![\w.-]){re.escape(last)}(?![\w.-])", text))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."


def without_doubles(
    theirs: Iterable[StaticFinding], ours: Iterable[StaticFinding], same: str
) -> tuple[StaticFinding, ...]:
    """Both, by line, without what a linter says under the name `same` of a line for which we have a word already."""
    mine = tuple(ours)
    lines = {one.line for one in mine}
    kept = [one for one in theirs if not (one.source == same and one.line in lines)]
    return tuple(sorted((*mine, *kept), key=lambda one: one.line or 0))
