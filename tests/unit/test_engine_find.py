"""Where an engine is looked for, and what is said when none answers."""

import hashlib
import json
import socket
import threading
from pathlib import Path

import pytest

from course import engine
from course.engine import find
from course.engine.find import Address, Silent, try_address
from course.errors import CourseError
from course.folders import HOME_VARIABLE


def test_docker_host_comes_first_then_the_sockets_that_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    for path in (".colima/default/docker.sock", "run/docker.sock", "run/podman/podman.sock"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    sources = [address.source for address in find.addresses()]
    assert sources[0] == "DOCKER_HOST"
    found = [source for source in sources if source in ("Colima", "rootless Docker", "rootless Podman")]
    assert found == ["Colima", "rootless Docker", "rootless Podman"]
    assert "OrbStack" not in sources


def test_the_docker_context_in_use_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / ".docker"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    meta = tmp_path / ".docker/contexts/meta" / hashlib.sha256(b"elsewhere").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)  # as `docker context create` writes it
    (tmp_path / ".docker/config.json").write_text("{}")
    endpoint = {"Host": "tcp://127.0.0.1:1", "SkipTLSVerify": False}
    meta.write_text(json.dumps({"Name": "elsewhere", "Metadata": {}, "Endpoints": {"docker": endpoint}}))
    assert next(iter(find.addresses())).docker_host == "tcp://127.0.0.1:1"


def test_a_port_where_nothing_listens_is_silent_and_says_why() -> None:
    result = try_address(Address(source="DOCKER_HOST", docker_host="tcp://127.0.0.1:1"))
    assert isinstance(result, Silent)
    assert "127.0.0.1:1" in result.reason


def test_what_listens_and_is_no_engine_is_silent(tmp_path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "s"))
    server.listen()
    threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
    assert isinstance(try_address(Address(source="x", docker_host=f"unix://{tmp_path}/s")), Silent)
    server.close()


def test_a_socket_without_permission_says_what_to_do() -> None:
    address = Address(source="x", docker_host="unix:///x")
    try:
        try:
            raise PermissionError(13, "Permission denied")
        except PermissionError as inner:
            raise ConnectionError("Connection aborted.", inner) from inner
    except ConnectionError as error:
        assert "usermod -aG docker" in find._reason(address, error)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(CourseError, match="no engine of kind"):
        engine.connect(kind="magic")


def test_the_vm_engine_says_that_it_is_not_here_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    with pytest.raises(CourseError, match="VM engine"):
        engine.connect(kind="vm")
