"""A submitted set-up on the replay engine: brought up by its compose file or its script, looked at, brought up again.

Enters: a `ReplayEngine` and the files of the submission. Leaves: what was said and what is there. Creates containers,
networks and volumes on the replay engine, all of which are the submission's.
"""

import itertools
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from docker.errors import NotFound

from course.lab.setup import Container, Setup, read_setup
from graders.sandbox import PROJECT, Ran, ReplayEngine
from graders.sandbox.limits import LOST, UNGUARDED
from graders.sandbox.store import remove_running

UP_TIMEOUT_S: Final = 240
DOWN_TIMEOUT_S: Final = 60
TOOLS: Final = "busybox:stable"
"""What the graders look with; taken by its id, for a submission may give the name to an image of its own."""
_NOT_HERE: Final = re.compile(
    r"Unable to find image '([^']+)' locally|(?:No such image|pull access denied for) ([^\s,]+)"
)
_MADE_UP: Final = re.compile(r"[a-z]+_[a-z]+\d?")
"""An adjective and a person, as the engine names a container that was not given a name (moby, pkg/namesgenerator)."""
_TIME: Final = re.compile(r"^\d{4}-\d\d-\d\d[ T][\d:.]+(?: ?(?:Z|UTC))?(?: \[\d+\])? *")


class World:
    """A folder with a `compose.yaml` or a `run.sh`; the compose file is taken where both are there."""

    def __init__(self, engine: ReplayEngine, root: Path) -> None:
        self.engine = engine
        self.composed = (root / "compose.yaml").is_file()
        self._files = {
            path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
        }

    @property
    def tools(self) -> str:
        """The id of the image that the graders look with."""
        return self.engine.images[TOOLS]

    def up(self, *, timeout_s: float = UP_TIMEOUT_S) -> tuple[Ran, str | None]:
        """Bring it up; and why a failure is not the student's, None where it is or where nothing failed."""
        blocked, (asked, _) = self.engine.blocked(), self.engine.packages_missing()
        self.engine.put(self._files)
        # a database's files too, where a build sends the whole folder
        self.engine.run(["chmod", "-R", "a+rX", PROJECT])
        command = ["docker", "compose", "up", "--detach", "--build"] if self.composed else ["sh", "run.sh"]
        ran = self.engine.run_script(command, timeout_s=timeout_s)
        if LOST in ran.output or UNGUARDED in ran.output:
            self.down()
            ran = self.engine.run_script(command, timeout_s=timeout_s)
        if ran.exit_code is not None:
            self._name_the_unnamed()
        if ran.exit_code is not None and (gone := self._removed_images()):
            self.engine.end_processes()
            return Ran(exit_code=1, output=ran.output), f"it removes what a replay cannot fetch again: {gone}"
        if ran.exit_code == 0:
            return ran, None
        self.engine.end_processes()
        return ran, self._excuse(ran, blocked, asked)

    def down(self) -> None:
        """Remove its containers and networks, as `docker compose down` does; volumes stay, and no script runs on."""
        self.engine.end_processes()
        if self.composed:
            self.engine.run_script(["docker", "compose", "down", "--timeout", "2"], timeout_s=DOWN_TIMEOUT_S)
            self.engine.end_processes()
        remove_running(self.engine.client, anonymous_volumes=False, pace=self.engine.pace)

    def setup(self) -> Setup:
        """Every container, network and volume that is there now."""
        return read_setup(self.engine.client, everything=True)

    def read(self, path: str) -> str:
        """A file of the project, as it was submitted or last edited."""
        return self._files[path].decode()

    def edit(self, path: str, text: str) -> None:
        """Change a file of the project in place."""
        self._files[path] = text.encode()
        self.engine.put({path: self._files[path]})

    def get(self, address: str, *, timeout_s: float = 3) -> str | None:
        """What `http://ADDRESS:PORT` answers to the machine that the engine runs on; None where no container does."""
        ran = self.ask(address, "--fail", timeout_s=timeout_s)
        port = int(address.partition("/")[0].rpartition(":")[2])
        return ran.output if ran.exit_code == 0 and port not in self._of_the_script() else None

    def post(self, address: str, body: str, *, timeout_s: float = 5) -> str | None:
        """What `http://ADDRESS` answers to a JSON body, or None."""
        ran = self.ask(address, "--fail", "-H", "Content-Type: application/json", "-d", body, timeout_s=timeout_s)
        return ran.output if ran.exit_code == 0 else None

    def ask(self, address: str, *options: str, timeout_s: float = 3) -> Ran:
        """What curl says of `http://ADDRESS:PORT`, asked from the machine that the engine runs on."""
        words = ["curl", "--silent", "--max-time", f"{timeout_s * self.engine.pace}", *options, f"http://{address}"]
        return self.engine.run(words, timeout_s=timeout_s + 2)

    def _of_the_script(self) -> frozenset[int]:
        return frozenset() if self.composed else self.engine.script_listens()

    def in_container(self, container: str, command: list[str], *, timeout_s: float = 10) -> Ran:
        """Run a command inside one of its containers."""
        return self.engine.run(["docker", "exec", container, *command], timeout_s=timeout_s + 2)

    def beside(self, container: str, command: list[str], *, timeout_s: float = 10) -> Ran:
        """Run a command of busybox in a container's network: its localhost, its names."""
        words = ["docker", "run", "--rm", "--pull=never", "--network", f"container:{container}"]
        return self.engine.run([*words, self.tools, *command], timeout_s=timeout_s + 2)

    def node(self, script: str, arguments: Mapping[str, object], *, timeout_s: float = 20) -> Ran:
        """Run a script beside the engine, where npm's `mongodb` is at hand; ARGUMENTS stands in it as an object."""
        text = f"const ARGUMENTS = {json.dumps(dict(arguments))};\n{script}"
        words = ["node", "--input-type=module", "-e", text]
        return self.engine.run(words, timeout_s=timeout_s, folder="/opt/packages")

    def said(self, container: Container) -> str:
        """Of the last lines that a container printed the one that names an error, else the very last; without a time
        before it, so that it reads the same on another day.
        """
        ran = self.engine.run(["docker", "logs", "--tail", "20", container.id])
        lines = [text for line in ran.output.splitlines() if (text := _TIME.sub("", line.strip()))]
        return next((line for line in lines if "Error" in line), lines[-1] if lines else "it printed nothing")

    def _name_the_unnamed(self) -> None:
        """Call containers that the engine had to name after their image, so that reports read the same again."""
        written = b"\n".join(self._files.values()).decode(errors="replace")
        found = [one.attrs for one in self.engine.client.containers.list(all=True, ignore_removed=True)]
        taken = {one["Name"].removeprefix("/") for one in found}
        for one in sorted(found, key=lambda attrs: str(attrs["Created"])):
            if not _MADE_UP.fullmatch(name := one["Name"].removeprefix("/")) or name in written:
                continue
            base = f"unnamed-{one['Config']['Image'].rpartition('/')[2].partition(':')[0]}"
            numbered = (f"{base}-{n}" for n in itertools.count(2))
            taken.add(new := next(one for one in itertools.chain([base], numbered) if one not in taken))
            with suppress(NotFound):  # it may be gone again
                self.engine.client.api.rename(one["Id"], new)

    def _removed_images(self) -> str:
        """The base images that are not there any more, under whatever name, as after `docker system prune --all`."""
        there = {image["Id"] for image in self.engine.client.api.images()}
        return ", ".join(name for name, id in self.engine.images.items() if id not in there)

    def _excuse(self, ran: Ran, blocked: int, asked: int) -> str | None:
        if missing := self.engine.packages_missing(asked)[1]:
            return f"it wants what the graders' package cache lacks: {', '.join(missing)}"
        if LOST in ran.output:
            return "the engine failed twice to begin a container"
        if UNGUARDED in ran.output:
            return "the engine's guard could twice not look at a container"
        if self.engine.blocked() == blocked:
            return None
        images = dict.fromkeys(one or other for one, other in _NOT_HERE.findall(ran.output))
        named = f": {', '.join(images)}" if images else ""
        return f"it wants something from the internet, which a replay has not{named}"
