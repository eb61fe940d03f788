"""A scratch copy of a build context, to be edited and built again and again.

Enters: the folder of an app. Leaves: `Project`, whose builds are `BuildTrace`s. Writes to a temporary folder and builds
on the engine; may import `course.builds`, `course.cache`, `course.clean` and `course.engine`.
"""

import atexit
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final, Unpack

from docker import DockerClient

from course import labels
from course.builds import BuildTrace, build
from course.builds.client import BuildOptions
from course.cache import BuildInput
from course.clean import clean, clean_session
from course.context import resolve_folder
from course.engine import connect
from course.errors import CourseError

_COMMENTS: Final = {
    **dict.fromkeys((".js", ".mjs", ".ts", ".prisma", ".go", ".java"), "// {}"),
    **dict.fromkeys((".py", ".sh", ".yaml", ".yml", ".toml", ".Dockerfile", ""), "# {}"),
    **dict.fromkeys((".md", ".html"), "<!-- {} -->"),
    ".css": "/* {} */",
    ".txt": "{}",
}


class Project:
    """A copy of an app's folder, gone when the process ends. Its first build runs every step, so that a second run of
    a lesson shows what the first did."""

    def __init__(self, source: Path, *, client: DockerClient, dockerfile: str = "Dockerfile") -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=labels.folder_prefix(), ignore_cleanup_errors=True)
        self.root = Path(self._folder.name) / source.name
        self.client = client
        self.is_new = True
        """Until its first build, which runs every step."""
        self.explained: BuildInput | None = None
        """Its last build that was predicted: the reasons of the next one compare with it."""
        shutil.copytree(source, self.root, symlinks=True, ignore=shutil.ignore_patterns("node_modules", "generated"))
        if dockerfile != "Dockerfile":
            self.use_dockerfile(dockerfile)

    def __enter__(self) -> "Project":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Project({self.root.name!r})"

    def close(self) -> None:
        """Remove the copy; what its builds left on the engine goes with `clean_session`."""
        self._folder.cleanup()

    def read(self, path: str) -> str:
        """The text of a file."""
        return self._existing(path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Make or replace a file."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def edit(self, path: str) -> None:
        """Change a file a little and keep its meaning: a comment, or a package's version.

        No two edits are ever alike: an engine may still know what an earlier run of the same lesson built.
        """
        file = self._existing(path)
        number = time.time_ns()
        if file.suffix == ".json":
            data = json.loads(file.read_text(encoding="utf-8"))
            data["version"] = f"1.0.{number}"
            file.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
            return
        if file.suffix not in _COMMENTS:
            raise CourseError(f"No harmless edit is known for {path}.", fix="project.write(path, text)")
        with file.open("a", encoding="utf-8") as text:
            text.write(_COMMENTS[file.suffix].format(f"edited: {number}") + "\n")

    def use_dockerfile(self, path: str) -> None:
        """Build with this file of the project from now on."""
        shutil.copyfile(self._existing(path), self.root / "Dockerfile")

    def build(self, **options: Unpack[BuildOptions]) -> BuildTrace:
        """Build it, the first time without the cache."""
        options.setdefault("no_cache", self.is_new)
        trace = build(self.client, self.root, **options)
        self.is_new = False
        return trace

    def _existing(self, path: str) -> Path:
        file = self.root / path
        if not file.is_file():
            raise CourseError(f"{path} is not in {self.root.name}.", fix="a path from the project's folder")
        return file


def open_project(source: str | Path, *, dockerfile: str = "Dockerfile", client: DockerClient | None = None) -> Project:
    """Copy an app's folder (from the notebook's own folder) and connect to an engine; both are tidied up at the end.

    What dead sessions left on the engine is removed first: a kernel that was killed could not do so.
    """
    folder = resolve_folder(source)
    client = client or connect()
    clean(client)
    project = Project(folder, client=client, dockerfile=dockerfile)
    atexit.register(project.close)
    atexit.unregister(_leave)  # once per client is enough
    atexit.register(_leave, client)
    return project


def _leave(client: DockerClient) -> None:
    clean_session(client)
