"""What Binder runs, as it runs it: an ordinary user in the project's folder, and the programs that are there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import vm_user
from docker import DockerClient
from ordinary import PROJECT, Ordinary
from vm_user import IMAGE, run_folder, start

pytestmark = [
    pytest.mark.engine,
    vm_user.NEEDED,
]


def test_binder_starts_what_it_is_asked_for_with_the_engine(user: Ordinary) -> None:
    user.course("engine", "reset")
    shown = _binder(user, "start", "sh", "-c", "echo $DOCKER_HOST")
    assert shown.stdout == f"unix://{run_folder(user)}/docker.sock\n", shown.stderr
    assert vm_user.engine(user).ping()
    user.course("engine", "reset")
    with vm_user.missing(user.course_home / "vm/guest/manifest.json"):
        without = _binder(user, "start", "sh", "-c", "echo ${DOCKER_HOST-none}")
    assert without.stdout == "none\n"
    assert "course engine build-vm" in without.stderr


@pytest.mark.long
def test_a_bundle_brings_the_engine_to_another_home_as_binder_fetches_it(user: Ordinary) -> None:
    file = user.temporary / "engine.tar.gz"
    user.course("engine", "reset")
    digest = user.course("engine", "bundle-vm", str(file)).stdout.split()[-1]
    before = user.environment["LAYER_BY_LAYER_HOME"]
    user.environment["LAYER_BY_LAYER_HOME"] = str(user.home / "elsewhere")
    without_apt = _programs(user, "bash", "python", "course", "mktemp", "rm")
    try:
        refused, taken = (_fetched(user, file, named, without_apt) for named in ("0" * 64, digest))
        assert refused.returncode == 1
        assert "SHA-256 differs" in refused.stderr
        assert "Building" not in taken.stderr, "it may take too long there, and so is not tried"
        assert taken.returncode == 0, taken.stderr
        client = DockerClient(base_url=start(user)["docker_host"], version="auto", timeout=vm_user.ENGINE_TIMEOUT_S)
        assert client.containers.run(IMAGE, ["echo", "hello"], remove=True) == b"hello\n"
        client.close()
        user.course("engine", "reset")
    finally:
        user.environment["LAYER_BY_LAYER_HOME"] = before


def _fetched(user: Ordinary, file: Path, digest: str, path: str) -> "subprocess.CompletedProcess[str]":
    """Binder's postBuild where `binder/guest` names this file, with programs from `path` alone."""
    folder = user.folder / "project/binder"
    folder.mkdir(exist_ok=True)
    (folder / "guest").write_text(f"{file.as_uri()} {digest}")
    return _binder(user, "postBuild", path=path)


def _binder(user: Ordinary, name: str, *words: str, path: str | None = None) -> "subprocess.CompletedProcess[str]":
    """What Binder runs, in the project's folder; `path` is where it finds programs."""
    project = user.folder / "project"
    shutil.copytree(PROJECT / "binder", project / "binder", dirs_exist_ok=True)
    environment = f"PATH={path or _programs(user, 'python', 'course') + os.pathsep + os.environ['PATH']}"
    return user.run("env", "-C", str(project), environment, f"binder/{name}", *words, timeout_s=900)


def _programs(user: Ordinary, *names: str) -> str:
    """A folder with just these programs."""
    folder = user.folder / "-".join(names)
    folder.mkdir(exist_ok=True)
    own = {"python": f"exec {user.python_path} ", "course": f"exec {user.python_path} -m course.cli "}
    for name in names:
        script = folder / name
        script.write_text(f'#!{shutil.which("sh")}\n{own.get(name, f"exec {shutil.which(name)} ")}"$@"\n')
        script.chmod(0o755)
    return str(folder)
