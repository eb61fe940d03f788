"""What is read from a machine's configuration and passed on to images, and what is not."""

from pathlib import Path

import pytest

from course.images import machine
from course.images.machine import Machine, apt_mirror, ca_bundle, npm_registry, read_machine
from course.images.prepare import machine_dockerfile

PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*machine._CA_VARIABLES, "npm_config_registry", "NPM_CONFIG_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    return tmp_path


def test_the_mirror_of_one_line_sources(root: Path) -> None:
    (root / "etc/apt/sources.list").write_text(
        "# deb http://old.example/debian bookworm main\n"
        "deb http://security.example/debian bookworm-security main\n"
        "deb [arch=amd64 signed-by=/k] http://mirror.example/debian/ bookworm main\n"
    )
    assert apt_mirror(root) == "http://mirror.example/debian"


def test_the_mirror_of_deb822_sources(root: Path) -> None:
    (root / "etc/apt/sources.list.d/a.sources").write_text(
        "Types: deb\nURIs: http://other.example/nodejs\nSuites: x\n\n"
        "Types: deb\nEnabled: no\nURIs: http://off.example/debian\nSuites: trixie\n\n"
        "Types: deb deb-src\nURIs: http://mirror.example/debian\nSuites: trixie trixie-updates\n"
    )
    assert apt_mirror(root) == "http://mirror.example/debian"


def test_a_machine_that_is_no_debian_names_no_mirror(root: Path) -> None:
    (root / "etc/apt/sources.list").write_text("deb http://mirror.example/ubuntu noble main\n")
    assert apt_mirror(root) is None


def test_npms_registry_is_the_users_then_the_machines(root: Path) -> None:
    assert npm_registry(root) is None
    (root / "etc/npmrc").write_text("registry=https://machine.example/\n")
    assert npm_registry(root) == "https://machine.example/"
    (root / "home/.npmrc").write_text('//x/:_authToken=secret\nregistry = "https://user.example/npm/"\n')
    assert npm_registry(root) == "https://user.example/npm/"


def test_an_address_with_a_credential_is_left_out_and_named(root: Path) -> None:
    (root / "home/.npmrc").write_text("registry=https://me:secret@user.example/npm/\n")
    found = read_machine(root)
    assert found.npm_registry is None
    assert found.left_out == ("npm",)


def test_where_no_further_ca_is_trusted_no_bundle_is_passed_on(root: Path) -> None:
    (root / "etc/ssl/certs").mkdir(parents=True)
    (root / "etc/ssl/certs/ca-certificates.crt").write_text(PEM.format("public"))
    assert ca_bundle(root) is None


def test_a_private_ca_brings_all_certificates_and_no_key(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "etc/ssl/certs").mkdir(parents=True)
    (root / "etc/ssl/certs/ca-certificates.crt").write_text(PEM.format("public"))
    (root / "company.pem").write_text(KEY + PEM.format("company") + PEM.format("public"))
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", str(root / "company.pem"))
    bundle = (ca_bundle(root) or b"").decode()
    assert bundle.count("public") == 1
    assert "company" in bundle
    assert "secret" not in bundle


def test_a_local_ca_of_the_system_counts_as_well(root: Path) -> None:
    (root / "usr/local/share/ca-certificates").mkdir(parents=True)
    (root / "usr/local/share/ca-certificates/mine.crt").write_text(PEM.format("local"))
    assert b"local" in (ca_bundle(root) or b"")


def test_nothing_to_pass_on_makes_no_dockerfile(tmp_path: Path) -> None:
    assert machine_dockerfile("x", Machine(proxies={}), tmp_path) is None


def test_certificates_and_mirrors_become_a_layer_and_variables(tmp_path: Path) -> None:
    settings = Machine(ca_bundle=b"x", npm_registry="https://n.example/", pip_index="https://p.example/", proxies={})
    text = machine_dockerfile("base:1", settings, tmp_path)
    assert text is not None
    assert text.startswith("FROM base:1\nCOPY ca-certificates.crt ")
    assert 'npm_config_registry="https://n.example/"' in text
    assert (tmp_path / "ca-certificates.crt").read_bytes() == b"x"
