"""What BuildKit's cache sees of one file: `Fingerprint(path, kind, mode, digest, link, xattrs)`.

Enters: nothing. Leaves: a frozen noun that `course.context` fills in and `course.cache` compares. Pure; imports
nothing.

Time stamps and owners are left out on purpose: BuildKit drops the first (moby/buildkit cache/contenthash/tarsum.go) and
the client sets the second to root (docker/cli cli/command/image/build.go).
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """One entry of a file tree. `kind` is file, directory or link; `digest` is of a file's bytes.

    Inside a build there is a fourth kind, unknown: what a command or a server put there, which `digest` names.
    """

    path: str
    kind: str
    mode: int
    digest: str = ""
    link: str = ""
    xattrs: tuple[tuple[str, str], ...] = ()
    owner: str = "0:0"

    @cached_property
    def record(self) -> str:
        """The digest of all that counts but the name: BuildKit adds names when it digests a directory.

        The mode of a link never counts (cache/contenthash/filehash.go sets 0777).
        """
        mode = "" if self.kind == "link" else f"{self.mode:o}"
        facts = [
            self.kind,
            mode,
            self.owner,
            self.link,
            self.digest,
            *(f"{k}={v}" for k, v in self.xattrs),
        ]
        return hashlib.sha256("\0".join(facts).encode("utf-8", "surrogateescape")).hexdigest()
