"""The Dockerfile of a build, read and parsed; what is wrong with it is a value.

Enters: a folder and a name. Leaves: `Dockerfile`, or a `BuildError` with its line. Reads a file; may import
`course.dockerfile`.
"""

from pathlib import Path

from course.builds.model import BuildError
from course.dockerfile import Dockerfile, DockerfileError, parse


def read_dockerfile(root: Path, name: str) -> Dockerfile | BuildError:
    """Parse the Dockerfile at `name` below `root`; what is wrong with it is a value."""
    path = root / name
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        return BuildError(
            message=f"{name} {what}. A build needs a Dockerfile in its folder; its first line is FROM <image>."
        )
    if not path.resolve().is_relative_to(root):
        return BuildError(message=f"{name} is a link that leads out of the build's folder; put the file itself there.")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return BuildError(message=f"{name} is not UTF-8 text; save it as UTF-8.", line=line)
    if not text.strip():
        return BuildError(message=f"{name} is empty. Its first line is FROM <image>.", line=1)
    try:
        return parse(text)
    except DockerfileError as error:
        return BuildError(message=error.message, line=error.line)
