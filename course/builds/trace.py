"""BuildKit's progress reports, folded: what is known about each vertex of the build so far.

Enters: encoded `StatusResponse` messages (moby/buildkit api/services/control/control.proto), as they come.
Leaves: `Vertex` and log text by digest. May import `course.builds.protobuf` only.
"""

from dataclasses import dataclass, field

from course.builds.protobuf import as_bytes, as_text, as_timestamp, fields

CANCELED = "context canceled"
LOG_LIMIT_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Vertex:
    """One node of BuildKit's graph, as last reported; times in seconds since 1970 by the engine's clock."""

    digest: str
    name: str = ""
    cached: bool = False
    started: float | None = None
    completed: float | None = None
    error: str = ""

    @property
    def seconds(self) -> float:
        """How long it took, 0 when it did not run to an end."""
        if self.started is None or self.completed is None:
            return 0.0
        return max(0.0, self.completed - self.started)

    @property
    def ran(self) -> bool:
        """Whether it is reported to have run to a good end."""
        return self.completed is not None and not self.cached and not self.error

    @property
    def canceled(self) -> bool:
        """Whether it was stopped because something else failed or the build was interrupted.

        BuildKit gives no code here, only Go's text for the error (context.Canceled), which is part of Go's interface.
        """
        return self.error.endswith(CANCELED)


@dataclass
class Fold:
    """The build so far. A vertex is sent several times; the last one wins (moby/buildkit client/graph.go)."""

    vertices: dict[str, Vertex] = field(default_factory=dict)
    logs: dict[str, bytearray] = field(default_factory=dict)

    def add(self, message: bytes) -> None:
        """Take in one `StatusResponse`."""
        for number, value in fields(message):
            if number == 1:
                self._take(read_vertex(as_bytes(value)))
            elif number == 3:
                digest, text = _read_log(as_bytes(value))
                log = self.logs.setdefault(digest, bytearray())
                log += text
                del log[:-LOG_LIMIT_BYTES]

    def _take(self, vertex: Vertex) -> None:
        """When a vertex starts whose input is not known to have ended, BuildKit infers that the input was cached; in
        one batch that inference may come behind the report that the input ran (moby/buildkit solver/progress.go).
        """
        before = self.vertices.get(vertex.digest)
        inferred = vertex.cached and vertex.started == vertex.completed
        if not (inferred and before and before.ran):
            self.vertices[vertex.digest] = vertex

    def log(self, digest: str) -> str:
        """What a vertex printed, at most its last MiB."""
        return bytes(self.logs.get(digest, b"")).decode("utf-8", "replace")


def read_vertex(message: bytes) -> Vertex:
    """Decode one `Vertex` (control.proto: digest 1, name 3, cached 4, started 5, completed 6, error 7)."""
    digest = name = error = ""
    cached, started, completed = False, None, None
    for number, value in fields(message):
        if number == 1:
            digest = as_text(value)
        elif number == 3:
            name = as_text(value)
        elif number == 4:
            cached = bool(value)
        elif number == 5:
            started = as_timestamp(value)
        elif number == 6:
            completed = as_timestamp(value)
        elif number == 7:
            error = as_text(value)
    return Vertex(digest=digest, name=name, cached=cached, started=started, completed=completed, error=error)


def _read_log(message: bytes) -> tuple[str, bytes]:
    digest, text = "", b""
    for number, value in fields(message):
        if number == 1:
            digest = as_text(value)
        elif number == 4:
            text = as_bytes(value)
    return digest, text
