"""A build over TLS: an engine of its own, in a network namespace, that asks for certificates."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import private
import pytest
import trustme
from docker import DockerClient
from loopback import bring_up_loopback

from course import engine
from course.builds import build
from course.folders import HOME_VARIABLE

pytestmark = [
    pytest.mark.engine,
    private.NEEDED,
]
PORT = 2376


def make_certificates(folder: Path) -> None:
    """What `dockerd --tlsverify` and DOCKER_CERT_PATH expect, and another bundle that knows nothing of them."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name, issued in (
        ("", authority.issue_cert("client@localhost")),
        ("server-", authority.issue_cert("127.0.0.1")),
    ):
        issued.private_key_pem.write_to_path(folder / f"{name}key.pem")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}cert.pem")
    trustme.CA().cert_pem.write_to_path(folder / "bundle.pem")


def test_a_build_with_a_secret_over_tls(client: DockerClient, busybox: None, tmp_path: Path) -> None:
    make_certificates(tmp_path)
    (tmp_path / "busybox.tar").write_bytes(b"".join(client.images.get("busybox:stable").save(named=True)))
    environment = {
        **os.environ,
        HOME_VARIABLE: str(tmp_path / "home"),
        "DOCKER_HOST": f"tcp://127.0.0.1:{PORT}",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(tmp_path),
        "REQUESTS_CA_BUNDLE": str(tmp_path / "bundle.pem"),
    }
    command = ["unshare", "--net", sys.executable, __file__, str(tmp_path)]
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.splitlines() == ["https://127.0.0.1:2376", "['REUSED', 'RAN', 'RAN']", "5 101"], done.stderr


def main(folder: Path) -> None:
    """In the namespace: an engine, and a build on it."""
    bring_up_loopback()
    files = [f"--tls{name}={folder / file}" for name, file in (("cacert", "ca.pem"), ("cert", "server-cert.pem"))]
    files += [f"--tlskey={folder / 'server-key.pem'}", f"--data-root={folder / 'data'}"]
    command = ["dockerd", "--tlsverify", *files, f"--pidfile={folder / 'pid'}", f"--host=tcp://127.0.0.1:{PORT}"]
    path = f"{os.environ['PATH']}:/usr/sbin:/usr/bin"
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as short,  # a socket's path has 107 bytes at most
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [*command, f"--exec-root={short}"], env={**os.environ, "PATH": path}, stdout=log, stderr=log
        ) as dockerd,
    ):
        try:
            talk(folder)
        finally:
            dockerd.terminate()


def talk(folder: Path) -> None:
    context = folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(
        "FROM busybox:stable\nCOPY . /a\nRUN --mount=type=secret,id=s echo $(wc -c < /run/secrets/s) $(ls /a | wc -l)\n"
    )
    for number in range(100):
        (context / f"f{number}").write_text(f"{number}\n" * 1000)
    deadline = time.monotonic() + 30
    while True:
        try:
            client = engine.connect(start=False)
            break
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    client.images.load((folder / "busybox.tar").read_bytes())
    trace = build(client, context, secrets={"s": b"hello"})
    print(client.api.base_url)
    print([step.status.value for step in trace.steps])
    print(trace.steps[-1].log.strip() or trace.error)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
