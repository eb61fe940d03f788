"""What this machine's own configuration says about fetching packages, to be passed on to images.

Enters: the environment and the configuration of apt, npm and pip. Leaves: `Machine`. Reads files, runs pip; may import
nothing here.

No credential is passed on: an address that carries one is left out and named in `left_out`.
"""

import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)
_CA_VARIABLES: Final = (
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "CURL_CA_BUNDLE",
    "npm_config_cafile",
)
_SYSTEM_BUNDLES: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_LOCAL_CAS: Final = ("/usr/local/share/ca-certificates", "/etc/pki/ca-trust/source/anchors")
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "FTP_PROXY", "ALL_PROXY")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """`ca_bundle` is None where the public CAs do; mirrors are None where the tools' defaults do."""

    ca_bundle: bytes | None = None
    apt_mirror: str | None = None
    npm_registry: str | None = None
    pip_index: str | None = None
    proxies: Mapping[str, str]
    left_out: tuple[str, ...] = ()


def read_machine(root: Path = Path("/")) -> Machine:
    """Read the configuration of the machine whose file system is at `root`."""
    found = {
        "apt": apt_mirror(root),
        "npm": npm_registry(root),
        "pip": pip_index(),
    }
    passed = {name: url for name, url in found.items() if url and not _has_credentials(url)}
    left_out = tuple(name for name, url in found.items() if url and name not in passed)
    return Machine(
        ca_bundle=ca_bundle(root),
        apt_mirror=passed.get("apt"),
        npm_registry=passed.get("npm"),
        pip_index=passed.get("pip"),
        proxies={name: os.environ[key] for name in _PROXIES for key in (name, name.lower()) if os.environ.get(key)},
        left_out=left_out,
    )


def ca_bundle(root: Path = Path("/")) -> bytes | None:
    """All certificates that this machine trusts, when it has been told to trust further ones than the public CAs.

    Told it is by one of the usual variables, or by a file in the folder for local CAs (update-ca-certificates(8)).
    """
    named = [Path(os.environ[name]) for name in _CA_VARIABLES if os.environ.get(name)]
    local = [path for folder in _LOCAL_CAS for path in (root / folder.lstrip("/")).glob("**/*.crt")]
    if not named and not local:
        return None
    default = ssl.get_default_verify_paths().cafile
    system = [root / path.lstrip("/") for path in _SYSTEM_BUNDLES] + ([Path(default)] if default else [])
    certificates: dict[bytes, None] = {}
    for path in [*system, *named, *local]:
        if path.is_file():
            certificates.update(dict.fromkeys(match.strip() for match in _CERTIFICATE.findall(path.read_bytes())))
    return b"\n".join(certificates) + b"\n" if certificates else None


def apt_mirror(root: Path = Path("/")) -> str | None:
    """The Debian mirror that this machine's apt uses (sources.list(5)), where it is a Debian."""
    for uri, suites in _apt_sources(root / "etc/apt"):
        path = urlsplit(uri).path.rstrip("/")
        if path.endswith("/debian") and not any("security" in suite or "backports" in suite for suite in suites):
            return uri.rstrip("/")
    return None


def npm_registry(root: Path = Path("/")) -> str | None:
    """The registry that npm was told to use: by the environment, the user's npmrc, or the machine's."""
    for variable in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if os.environ.get(variable):
            return os.environ[variable]
    for path in (Path.home() / ".npmrc", root / "etc/npmrc", root / "usr/etc/npmrc", root / "usr/local/etc/npmrc"):
        if path.is_file():
            match = re.search(r"^\s*registry\s*=\s*(\S+)", path.read_text(encoding="utf-8", errors="replace"), re.M)
            if match:
                return match[1].strip("\"'")
    return None


def pip_index() -> str | None:
    """The index that pip was told to use; one on this machine's disk is of no use in an image."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    match = re.search(r"^(?::env:|global|user|site)\.index-url='([^']+)'", listed, re.M)
    return match[1] if match and not match[1].startswith("file:") else None


def _apt_sources(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each `(URI, suites)` of one-line and of deb822 sources."""
    for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]:
        if path.is_file():
            for match in re.finditer(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", path.read_text(errors="replace"), re.M):
                yield match[1], [match[2]]
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text(errors="replace")):
            keys = dict(re.findall(r"^(\w[\w-]*):\s*(.*)$", stanza, re.M))
            if "deb" in keys.get("Types", "").split() and keys.get("Enabled", "yes").lower() != "no":
                for uri in keys.get("URIs", "").split():
                    yield uri, keys.get("Suites", "").split()


def _has_credentials(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.username or parts.password)
