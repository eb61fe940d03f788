"""The catalogue's images on a real engine."""

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient
from docker.models.containers import Container

from course import images, labels
from course.builds import build
from course.clean import clean_session
from course.errors import CourseError
from course.images.ensure import check_recipe
from course.images.registry import ask_quota

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", autouse=True)
def everything(client: DockerClient) -> None:
    images.ensure(client, consent=True)


@pytest.fixture
def net(client: DockerClient) -> Iterator[str]:
    name = "layer-by-layer-test-images"
    client.networks.create(name, labels=labels.labels())
    yield name
    clean_session(client)


def run(client: DockerClient, image: str, net: str, name: str, **options: object) -> Container:
    return client.containers.run(
        image, detach=True, labels=labels.labels(), network=net, name=f"layer-by-layer-test-{name}", **options
    )


def until(container: Container, command: list[str], *, timeout_s: float = 60) -> str:
    """What a command in a container prints once it succeeds."""
    deadline = time.monotonic() + timeout_s
    while True:
        code, output = container.exec_run(command)
        if code == 0:
            return str(output, "utf-8")
        assert time.monotonic() < deadline, f"{command}: {output!r}; {container.logs()!r}"
        time.sleep(0.2)


def test_every_image_is_there_and_says_where_it_came_from(client: DockerClient) -> None:
    rows = images.listing(client)
    assert [row.name for row in rows] == [entry.name for entry in images.CATALOGUE]
    assert all(row.present and row.origin and row.size_bytes and row.architecture for row in rows)
    assert all(origin == "present" for origin in images.ensure(client).values())


def test_a_stand_in_is_labelled_as_one(client: DockerClient) -> None:
    (mongo,) = [row for row in images.listing(client) if row.name == "mongo:8"]
    if mongo.origin == images.Origin.RECIPE:
        assert "nx-27017" in (mongo.stand_in or "")
        assert "nx-27017" in client.images.get("mongo:8").labels["layer-by-layer.stand-in"]
    else:
        assert mongo.stand_in is None


def test_no_credential_and_no_private_key_is_in_what_was_passed_on(client: DockerClient) -> None:
    for row in images.listing(client):
        variables = client.images.get(row.name).attrs["Config"]["Env"] or []
        assert not [v for v in variables if "@" in v.partition("://")[2].partition("/")[0]]


def test_npm_install_works_in_a_build_without_further_options(client: DockerClient, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM node:24-slim\nWORKDIR /a\nRUN npm install is-number && node -e \"require('is-number')\"\n"
    )
    trace = build(client, tmp_path, no_cache=True)
    assert trace.ok, trace.error


def test_busybox_has_a_shell_and_its_commands(client: DockerClient) -> None:
    said = client.containers.run(
        "busybox:stable",
        ["sh", "-c", "wget --help 2>&1 | head -1; id -u; ls -d /tmp"],
        remove=True,
        labels=labels.labels(),
    )
    assert b"BusyBox" in said
    assert said.endswith(b"0\n/tmp\n")


def test_postgres_keeps_its_data_in_a_volume_and_answers_by_name(client: DockerClient, net: str) -> None:
    volume = client.volumes.create("layer-by-layer-test-images", labels=labels.labels())
    options = {
        "environment": {"POSTGRES_PASSWORD": "x", "POSTGRES_DB": "shop"},
        "volumes": {volume.name: {"bind": "/var/lib/postgresql/data"}},
    }
    ask = ["psql", "postgresql://postgres:x@layer-by-layer-test-db/shop", "-tAc"]
    first = run(client, "postgres:17", net, "db", **options)
    until(first, [*ask, "CREATE TABLE IF NOT EXISTS t (n int)"])
    until(first, [*ask, "INSERT INTO t VALUES (42)"])
    began = time.monotonic()
    first.stop(timeout=30)
    assert time.monotonic() - began < 20, "it did not stop when asked"
    first.remove()
    assert until(run(client, "postgres:17", net, "db", **options), [*ask, "SELECT n FROM t"]) == "42\n"


def test_a_new_postgres_without_a_password_says_what_it_needs(client: DockerClient, net: str) -> None:
    container = run(client, "postgres:17", net, "db")
    container.wait(timeout=30)
    assert b"POSTGRES_PASSWORD" in container.logs()


def test_redis_answers(client: DockerClient, net: str) -> None:
    assert until(run(client, "redis:7", net, "redis"), ["redis-cli", "ping"]) == "PONG\n"


def test_a_bundle_brings_images_back_and_a_damaged_one_is_refused(client: DockerClient, tmp_path: Path) -> None:
    file = tmp_path / "bundle.tar.gz"
    assert images.bundle(client, file, ["busybox:stable"]) == ("busybox:stable",)
    assert images.load(client, file) == ("busybox:stable",)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(CourseError, match="cut short"):
        images.load(client, file)
    file.write_text("no bundle")
    with pytest.raises(CourseError, match="no bundle"):
        images.load(client, file)
    with pytest.raises(CourseError, match="cannot be read"):
        images.load(client, tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == [file]


def test_a_name_that_is_not_in_the_catalogue_is_refused(client: DockerClient) -> None:
    with pytest.raises(CourseError, match="not in the course's catalogue"):
        images.ensure(client, ("windows:11",))


def test_on_an_engine_of_the_learners_a_recipe_takes_a_name_only_with_consent(client: DockerClient) -> None:
    (entry,) = images.find(("busybox:stable",))
    with pytest.raises(CourseError, match="your own") as caught:
        check_recipe(client, entry, may_name=False)
    assert "--consent" in caught.value.fix


class Registry(http.server.BaseHTTPRequestHandler):
    """As much of a registry as says how many pulls are left."""

    def do_GET(self) -> None:
        if self.path == "/v2/":
            self.send_response(401)
            realm = f"http://127.0.0.1:{self.server.server_address[1]}/token"
            self.send_header("WWW-Authenticate", f'Bearer realm="{realm}",service="registry"')
            self.end_headers()
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"token": "t"}')

    def do_HEAD(self) -> None:
        self.send_response(200 if self.headers["Authorization"] == "Bearer t" else 401)
        self.send_header("ratelimit-remaining", "76;w=21600")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_pulls_that_are_left_are_read_as_a_registry_tells_them() -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert ask_quota(f"http://127.0.0.1:{server.server_address[1]}") == 76
    finally:
        server.shutdown()
        server.server_close()
    assert ask_quota(f"http://127.0.0.1:{server.server_address[1]}") is None
