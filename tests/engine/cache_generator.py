"""Random Dockerfiles and edits, from a seed: `World(seed).builds()`.

Each world is one folder and up to eight builds of it with edits between them: of instructions, flags, files, modes,
links, arguments, targets and ignore rules. A salt in every file and root keeps the caches of different worlds apart.
"""

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("a.txt", "b.txt", "c.md", "d/e.txt", "d/f.md", "d/g/h.txt", "k/l.txt", "k/m.txt", "run.sh")
DESTINATIONS = ("/w/", "/w", ".", "./", "/", "/x/y/", "z", "/w/d/", "/w/q.txt", "sub/dir/")
BASES = ("busybox:stable", "busybox:stable", "busybox:stable", "scratch", "layer-by-layer-test/base:1")


@dataclass
class StagePlan:
    name: str
    base: str
    lines: list[str] = field(default_factory=list)

    @property
    def has_shell(self) -> bool:
        return self.base != "scratch"


class World:
    """A folder, its Dockerfile, and what the next build is told."""

    def __init__(self, seed: int, root: Path, *, heredocs: bool, merges: bool = False, salt: str = "") -> None:
        self.random = random.Random(seed)
        self.salt = f"{seed:x}{salt}"
        self.root = root
        self.heredocs = heredocs
        self.merges = merges
        self.build_args: dict[str, str] = {}
        self.target: str | None = None
        self.no_cache = False
        self.ignored: list[str] = []
        self.counter = 0
        for name in self.random.sample(NAMES, self.random.randint(4, len(NAMES))):
            self._write(name)
        if self.random.random() < 0.4:
            self._link()
        self.stages: list[StagePlan] = []
        for number in range(self.random.choice((1, 1, 2, 2, 3))):
            self.stages.append(self._stage(number))
        self.save()

    # the context

    def _write(self, name: str) -> None:
        path = self.root / name
        if path.is_symlink() or (path.exists() and not path.is_file()):
            return
        if any(parent.exists() and not parent.is_dir() for parent in path.parents):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{self.salt} {self.random.randint(0, 3)}\n")
        path.chmod(self.random.choice((0o644, 0o644, 0o755, 0o600)))

    def _link(self) -> None:
        path = self.root / self.random.choice(("l", "d/l", "m"))
        if path.is_dir() and not path.is_symlink():
            return
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(self.random.choice(("a.txt", "b.txt", "d", "salt", "nowhere", "d/e.txt")))

    def paths(self) -> list[str]:
        found = sorted(p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if "ockerfile" not in p.name)
        return [p for p in found if p != ".dockerignore"]

    # instructions

    def _stage(self, number: int) -> StagePlan:
        base = self.random.choice(BASES)
        stage = StagePlan(name=self.random.choice(("", f"s{number}", f"s{number}")), base=base)
        if number and self.random.random() < 0.3:
            stage.base = ""  # an earlier stage, by name
        elif self.random.random() < 0.5:
            stage.lines.append(f"WORKDIR /s{self.salt}")
        else:
            stage.lines.append(f"COPY salt /s{self.salt}/")
        for _ in range(self.random.randint(1, 5)):
            stage.lines.append(self._instruction(stage, number))
        return stage

    def _instruction(self, stage: StagePlan, number: int) -> str:
        kinds = ["copy"] * 6 + ["run"] * 2 * stage.has_shell + ["workdir", "env", "env", "arg", "meta", "add", "user"]
        kinds += ["from"] * 3 * (number > 0) + ["mount"] * stage.has_shell + ["shell"] * stage.has_shell
        kinds += ["document"] * self.heredocs
        return str(getattr(self, "_" + self.random.choice(kinds))(stage, number))

    def _flags(self) -> str:
        choice = self.random.random()
        if choice < 0.1:
            return f"--chown={self.random.choice(('1', '1:2', '0:0', '3:3'))} "
        if choice < 0.2:
            return f"--chmod={self.random.choice(('644', '0755', '600'))} "
        if choice < 0.3 and self.heredocs:
            return "--link "
        return ""

    def _source(self) -> str:
        choice = self.random.random()
        paths = [p for p in self.paths() if (self.root / p).exists() or choice < 0.02] or ["salt"]
        if choice < 0.6:
            path = self.random.choice(paths)
            return (
                self.random.choice(("", "", "./", "/"))
                + path
                + ("/" if (self.root / path).is_dir() and choice < 0.1 else "")
            )
        if choice < 0.8:
            return self.random.choice(("*.txt", "d/*", "*/*.txt", "[ab].txt", "?.md", "d*", "k/*.t*"))
        return "."

    def _copy(self, stage: StagePlan, number: int, word: str = "COPY") -> str:
        sources = [self._source() for _ in range(self.random.choice((1, 1, 1, 2)))]
        dest = self.random.choice(DESTINATIONS)
        if len(sources) > 1 or any(c in sources[0] for c in "*?["):
            dest = dest.rstrip("/") + "/" if dest != "." else "./"
        text = f"{word} {self._flags()}" + " ".join(sources) + f" {dest}"
        if self.random.random() < 0.1:
            text = f"{word} [{', '.join(chr(34) + w + chr(34) for w in [*sources, dest])}]"
        return text

    def _add(self, stage: StagePlan, number: int) -> str:
        return self._copy(stage, number, "ADD")

    def _document(self, stage: StagePlan, number: int) -> str:
        text = f"{self.salt} {self.random.randint(0, 2)} $V"
        if stage.has_shell and self.random.random() < 0.5:
            return f"RUN <<{self.random.choice(('EOF', 'END'))}\necho {text}\nEOF".replace("<<END", "<<EOF")
        quote = self.random.choice(("", '"'))
        return f"COPY <<{quote}EOF{quote} {self.random.choice(('/doc', '/w/doc.txt', 'doc'))}\n{text}\nEOF"

    def _run(self, stage: StagePlan, number: int) -> str:
        value = self.random.randint(0, 3)
        return self.random.choice(
            (
                f"RUN : {value}",
                f"RUN : {value} $A ${{V:-x}}",
                f"RUN echo {value} > /o",
                f"RUN mkdir -p /r && echo {value % 2} > /r/f",
                f"RUN :  {value}  # inline",
                f"RUN : {value} && \\\n    :",
                f'RUN ["/bin/sh", "-c", ": {value}"]',
                f"RUN cat /w/* > /cat 2>/dev/null; : {value}",
            )
        )

    def _mount(self, stage: StagePlan, number: int) -> str:
        files = [p for p in self.paths() if (self.root / p).is_file() and not (self.root / p).is_symlink()] or ["salt"]
        value, path = self.random.randint(0, 1), self.random.choice(files)
        mounts = [
            f"type=cache,target=/c{value}",
            f"type=cache,target=/c,sharing={self.random.choice(('locked', 'shared'))}",
            f"type=cache,target=/c,id=i{value}",
            "type=tmpfs,target=/t",
            "target=/ctx",
            f"type=bind,source={path},target=/in",
            f"source={path},target=in,rw",
        ]
        named = [s.name for s in self.stages[:number] if s.name] if number else []
        if named:
            mounts.append(f"from={self.random.choice(named)},target=/from")
            mounts.append(f"from={self.random.choice(named)},source=/s{self.salt},target=/from,rw")
        return f"RUN --mount={self.random.choice(mounts)} : {self.salt}"

    def _from(self, stage: StagePlan, number: int) -> str:
        origin = self.random.randrange(number)
        lines = "\n".join(self.stages[origin].lines)
        places = [f"/s{self.salt}"] * 2 + ["/"]
        hints = {"> /o": "/o", "/r/f": "/r/f", " /w": "/w", "/x/y": "/x/y", "/w/ ": "/w/*"}
        places += [place for hint, place in hints.items() if hint in lines] * 2
        place = self.random.choice(places)
        return f"COPY --from={origin} {self._flags()}{place} {self.random.choice(('/w/', '/from/', '.', '/x/y/'))}"

    def _workdir(self, stage: StagePlan, number: int) -> str:
        return "WORKDIR " + self.random.choice(("/w", "/w/", "x", "x/", "/", "..", "/x/y", "$V", "/w/./d", "/w//d"))

    def _env(self, stage: StagePlan, number: int) -> str:
        value = self.random.randint(0, 2)
        return self.random.choice(
            (f"ENV A={value}", f"ENV V=v{value}", f"ENV A={value} V=$A", f"ENV B b {value}", 'ENV C="$A$V"')
        )

    def _arg(self, stage: StagePlan, number: int) -> str:
        return self.random.choice(
            ("ARG A", "ARG A=1", "ARG V=2", "ARG P", "ARG G", "ARG TARGETARCH", "ARG A=$V", "ARG A=3 V")
        )

    def _meta(self, stage: StagePlan, number: int) -> str:
        value = self.random.randint(0, 2)
        return self.random.choice(
            (
                f"LABEL l={value}",
                f'CMD ["{value}"]',
                f"EXPOSE {80 + value}",
                f"VOLUME /v{value}",
                f"ENTRYPOINT e{value}",
                f"HEALTHCHECK CMD h{value}",
                f"STOPSIGNAL {9 + value}",
                f"MAINTAINER m{value}",
            )
        )

    def _user(self, stage: StagePlan, number: int) -> str:
        return "USER " + self.random.choice(("0", "0:0", "0", "1"))

    def _shell(self, stage: StagePlan, number: int) -> str:
        return 'SHELL ["/bin/sh", "-' + self.random.choice(("c", "ec", "uc")) + '"]'

    # edits

    def edit(self) -> None:
        """Change one or two things, or nothing; then what the next build is told."""
        self.no_cache = self.random.random() < 0.04
        for _ in range(self.random.choice((0, 1, 1, 1, 2))):
            getattr(self, "_edit_" + self.random.choice(EDITS))()
        self.save()

    def _edit_content(self) -> None:
        self._write(self.random.choice(NAMES))

    def _edit_mode(self) -> None:
        files = [p for p in self.paths() if not (self.root / p).is_symlink()]
        path = self.root / self.random.choice(files or ["salt"])
        path.chmod(self.random.choice((0o755, 0o700)) if path.is_dir() else self.random.choice((0o644, 0o755, 0o600)))

    def _edit_link(self) -> None:
        self._link()

    def _edit_touch(self) -> None:
        files = [p for p in self.paths() if (self.root / p).is_file()]
        if files:
            path = self.root / self.random.choice(files)
            path.write_bytes(path.read_bytes())

    def _edit_remove(self) -> None:
        path = self.root / self.random.choice(self.paths() or ["salt"])
        if path.name == "salt" or (path.name in self.text() and self.random.random() < 0.7):
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def _edit_rename(self) -> None:
        path = self.root / self.random.choice(self.paths() or ["salt"])
        new = path.with_name(self.random.choice(("n.txt", "a.txt", "n")))
        if path.name != "salt" and not new.exists() and not new.is_symlink():
            path.rename(new)

    def _edit_folder(self) -> None:
        path = self.root / self.random.choice(("empty", "d/empty"))
        if not path.exists() and path.parent.is_dir():
            path.mkdir()

    def _edit_ignore(self) -> None:
        rules = ("*.md", "d", "!d/e.txt", "a.txt", "**/*.txt", "!k", "k/", "Dockerfile", ".dockerignore")
        self.ignored = self.random.sample(rules, self.random.randint(0, 3))

    def _pick(self) -> tuple[StagePlan, int, int]:
        number = self.random.randrange(len(self.stages))
        return self.stages[number], number, self.random.randrange(1, 1 + max(1, len(self.stages[number].lines)))

    def _edit_replace(self) -> None:
        stage, number, place = self._pick()
        if place < len(stage.lines):
            stage.lines[place] = self._instruction(stage, number)

    def _edit_insert(self) -> None:
        stage, number, place = self._pick()
        stage.lines.insert(place, self._instruction(stage, number))

    def _edit_delete(self) -> None:
        stage, _, place = self._pick()
        if place < len(stage.lines):
            del stage.lines[place]

    def _edit_swap(self) -> None:
        stage, _, place = self._pick()
        if place + 1 < len(stage.lines):
            stage.lines[place : place + 2] = reversed(stage.lines[place : place + 2])

    def _edit_cosmetic(self) -> None:
        stage, _, place = self._pick()
        stage.lines.insert(place, self.random.choice(("# a comment", "", "  # indented")))

    def _edit_arguments(self) -> None:
        names = self.random.sample(("A", "V", "P", "G", "UNDECLARED", "http_proxy"), self.random.randint(0, 2))
        self.build_args = {name: self.random.choice(("1", "2", "x")) for name in names}

    def _edit_target(self) -> None:
        self.target = self.random.choice((None, None, *(s.name for s in self.stages if s.name)))

    def _edit_name(self) -> None:
        number = self.random.randrange(len(self.stages))
        self.stages[number].name = self.random.choice(("", f"s{number}", f"t{number}"))
        self.target = None

    def save(self) -> None:
        """Write the Dockerfile and .dockerignore."""
        (self.root / "salt").write_text(self.salt)
        ignore = self.root / ".dockerignore"
        ignore.unlink(missing_ok=True)
        if self.ignored:
            ignore.write_text("\n".join(self.ignored) + "\n")
        (self.root / "Dockerfile").write_text(self.text())

    def text(self) -> str:
        """The Dockerfile."""
        lines = [f"# {self.salt}", "ARG G=g"]
        bases = [stage.base or self._name(number - 1) for number, stage in enumerate(self.stages)]
        for base, stage in zip(bases, self.stages, strict=True):
            lines.append(f"FROM {base}" + (f" AS {stage.name}" if stage.name else ""))
            lines += stage.lines
        return "\n".join(lines) + "\n"

    def _name(self, number: int) -> str:
        earlier = self.stages[number]
        earlier.name = earlier.name or f"s{number}"
        return earlier.name

    def told(self) -> dict[str, Any]:
        """The options of the next build."""
        return {"build_args": dict(self.build_args), "target": self.target, "no_cache": self.no_cache}

    def builds(self, limit: int = 8) -> Iterator[dict[str, Any]]:
        """The options for each build of this world, with an edit before each but the first."""
        yield self.told()
        for _ in range(self.random.randint(2, limit - 1)):
            self.edit()
            yield self.told()


EDITS = tuple(name.removeprefix("_edit_") for name in dir(World) if name.startswith("_edit_"))
EDITS += ("content", "content", "content", "replace", "insert")
