"""The image that replays run in, and the images as they are in there: with no registry but the graders' own.

Enters: docker-py's client. Leaves: references of images, made present. Builds on the engine; may import
`course`.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from docker import DockerClient

from course import labels
from course.engine import own_kind
from course.errors import CourseError
from course.folders import notebooks_folder
from course.images import OnProgress, ensure, ensure_debian, ensure_own, fingerprint

RECIPE: Final = Path(__file__).parent / "recipe"
RELEASE: Final = "trixie"
"""Its engine, 26.1, is the same for everyone, whatever engine the learner has."""
NODE: Final = "node:24-slim"
BRIDGE: Final = "172.31.250.1"
"""The replay engine's own address on its default bridge."""
REGISTRY: Final = f"http://{BRIDGE}:4873/"
_REGISTRY_VARIABLES: Final = ("npm_config_registry", "YARN_NPM_REGISTRY_SERVER", "COREPACK_NPM_REGISTRY")


def ensure_replay_image(client: DockerClient, *, on_progress: OnProgress | None = None) -> str:
    """Make the image of the replay engine present; the first time it fetches all packages that the assignments need.

    Raises `CourseError` where no replay engine could run.
    """
    check_room(client)
    ensure(client, (NODE,), on_progress=on_progress)
    stands_on = {"BASE": ensure_debian(client, RELEASE, on_progress=on_progress), "NODE": NODE}
    return ensure_own(client, "layer-by-layer/replay", _fill, stands_on=stands_on, on_progress=on_progress)


def check_room(client: DockerClient) -> None:
    """Raise `CourseError` on an engine that a replay engine does not fit into."""
    if own_kind(client) == "vm":
        raise CourseError(
            "The learners' VM engine has too little memory for the graders' engine.",
            fix="a Docker engine of this machine",
        )


def recipe_digest() -> str:
    """What tells one version of the replay image's recipe from another."""
    with tempfile.TemporaryDirectory(prefix=labels.folder_prefix()) as folder:
        _fill(Path(folder))
        return fingerprint(Path(folder))


def ensure_offline_images(
    client: DockerClient, names: Sequence[str], *, on_progress: OnProgress | None = None
) -> dict[str, str]:
    """Make catalogue images present; gives for each name the image that bears it inside the replay engine."""
    ensure(client, names, on_progress=on_progress)
    return {name: _offline_node(client) if name == NODE else name for name in names}


def _offline_node(client: DockerClient) -> str:
    variables = " ".join(f"{name}={REGISTRY}" for name in _REGISTRY_VARIABLES)
    text = f"ARG NODE\nFROM $NODE\nENV {variables} YARN_HTTP_TIMEOUT=60000 YARN_UNSAFE_HTTP_WHITELIST={BRIDGE}\n"

    def fill(folder: Path) -> None:
        (folder / "Dockerfile").write_text(text, encoding="utf-8")

    return ensure_own(client, "layer-by-layer/offline-node", fill, stands_on={"NODE": NODE})


def _fill(folder: Path) -> None:
    """The recipe, and the package files of all apps."""
    shutil.copytree(RECIPE, folder, dirs_exist_ok=True)
    for described in sorted((notebooks_folder() / "apps").glob("*/package.json")):
        target = folder / "apps" / described.parent.name
        target.mkdir(parents=True)
        for path in (described, described.with_name("package-lock.json")):
            if path.is_file():
                shutil.copyfile(path, target / path.name)
