"""One of each picture, from data alone."""

from course.builds.model import BuildTrace, Status, StepTrace
from course.cache import BuildInput, Cause, Prediction, StepRef, Verdict
from course.cache.cost import Cost, EditCost
from course.dockerfile import parse
from course.fingerprint import Fingerprint
from course.images import Change, ImageLayers, Kind, Layer
from course.lab.lineage import Deed, Lineage, Moment
from course.lab.reach import HOST, Answer, Reach
from course.lab.setup import Attachment, Container, Network, Port, Setup
from course.widgets import (
    BuildHistory,
    Built,
    CostBars,
    LayerExplorer,
    LayerStack,
    NetworkMap,
    ProgressBars,
    VolumeLineage,
    WhatIf,
)

LINES = ("FROM node:24-slim", "WORKDIR /app", "COPY . .", "RUN npm ci", 'CMD ["node", "src/index.js"]')
REUSED, RAN, METADATA = Status.REUSED, Status.RAN, Status.METADATA
PICTURES = ("stack", "history", "costs", "layers", "network", "lineage", "progress", "what_if")


def trace(*statuses: Status, seconds: float = 9.2) -> BuildTrace:
    steps = tuple(
        StepTrace(
            stage="0",
            index=number,
            line=number + 1,
            instruction=text.split()[0],
            text=text,
            status=status,
            seconds=seconds if status is RAN and text.startswith("RUN") else 0.1 if status is RAN else 0.0,
            log="added 123 packages\n" if status is RAN and text.startswith("RUN") else "",
        )
        for number, (text, status) in enumerate(zip(LINES, statuses, strict=True))
    )
    return BuildTrace(steps=steps, seconds=sum(step.seconds for step in steps) + 0.2)


BROKEN = (REUSED, REUSED, RAN, RAN, METADATA)
KEPT = (REUSED, REUSED, REUSED, REUSED, METADATA)


def predictions() -> tuple[Prediction, ...]:
    verdicts = (Verdict.HIT, Verdict.HIT, Verdict.MISS, Verdict.HIT, Verdict.METADATA)
    return tuple(
        Prediction(
            step=StepRef(stage="0", index=n, line=n + 1, instruction=text.split()[0], text=text),
            verdict=verdict,
            reason="src/index.js has other content." if verdict is Verdict.MISS else "",
            cause=Cause(kind="file", subject="src/index.js") if verdict is Verdict.MISS else None,
        )
        for n, (text, verdict) in enumerate(zip(LINES, verdicts, strict=True))
    )


def stack() -> LayerStack:
    return LayerStack(trace(*BROKEN), predictions=predictions(), sizes_bytes={"0/3": 52_000_000}, title="One comment")


def many_steps(count: int = 200) -> LayerStack:
    steps = tuple(
        StepTrace(
            stage="0",
            index=n,
            line=n + 1,
            instruction="RUN",
            text=f"RUN step {n}",
            status=RAN,
            seconds=n / 10,
            log="x\n",
        )
        for n in range(count)
    )
    return LayerStack(BuildTrace(steps=steps, seconds=100), title="Many steps")


def history() -> BuildHistory:
    edits = (None, "src/index.js", "package.json")
    naive = [Built(dockerfile="naive", edit=edit, trace=trace(*BROKEN)) for edit in edits]
    ordered = [Built(dockerfile="ordered", edit=edit, trace=trace(*KEPT)) for edit in edits]
    return BuildHistory([*naive, *ordered])


def costs() -> CostBars:
    kinds = {
        "src/index.js": (70.0, (5,)),
        "src/index.js, package.json": (12.0, (2, 3, 5)),
        "package.json": (4.0, (2, 3, 5)),
    }
    good = [
        EditCost(path=path, per_week=times, seconds=9.3 if 3 in lines else 0.1, lines=lines)
        for path, (times, lines) in kinds.items()
    ]
    bad = [EditCost(path=path, per_week=times, seconds=9.3, lines=(2, 3)) for path, (times, _) in kinds.items()]
    return CostBars({"naive": Cost(edits=tuple(bad)), "ordered": Cost(edits=tuple(good))})


def image(layers: int = 3, files: int = 4, name: str = "api:1") -> ImageLayers:
    return ImageLayers(
        name=name,
        layers=tuple(
            Layer(
                digest=f"sha256:{position}",
                created_by=f"RUN make {position}",
                changes=tuple(
                    Change(
                        path=f"app/{position}/file{n}",
                        kind=Kind.ADDED,
                        size_bytes=1_000_000 * (n + 1),
                        hidden_by=position + 1 if n == 0 and position + 1 < layers else None,
                    )
                    for n in range(files)
                ),
            )
            for position in range(layers)
        ),
    )


def layers(count: int = 3, files: int = 4) -> LayerExplorer:
    return LayerExplorer(image(count, files), other=image(1, name="web:1"))


SUBNETS = {"back": "172.20.0", "front": "172.21.0"}


def container(name: str, *networks: str, state: str = "running", ports: tuple[Port, ...] = ()) -> Container:
    own = 2 + sum(map(ord, name)) % 200
    attached = tuple(
        Attachment(network=one, address=f"{SUBNETS.get(one, '172.17.0')}.{own}", names=(name,)) for one in networks
    )
    return Container(
        id=f"id-of-{name}",
        name=name,
        image="busybox:stable",
        state=state,
        exit_code=0,
        network_mode=networks[0] if networks else "none",
        listens=(80,),
        networks=attached,
        mounts=(),
        ports=ports,
    )


def setup() -> Setup:
    published = (Port(container_port=80, protocol="tcp", address="127.0.0.1", host_port=8080),)
    return Setup(
        containers=(
            container("api", "back", "front"),
            container("db", "back"),
            container("web", "front", ports=published),
        ),
        networks=(
            Network(id="1", name="back", driver="bridge", internal=True, subnets=("172.20.0.0/16",)),
            Network(id="2", name="front", driver="bridge", internal=False, subnets=("172.21.0.0/16",)),
        ),
        volumes=(),
    )


def reaches() -> tuple[Reach, ...]:
    found = [
        Reach(source=source, target=target, address=target, port=80, answer=answer, seconds=0.01)
        for source, target, answer in (
            ("api", "db", Answer.ANSWERED),
            ("web", "db", Answer.NAME_NOT_FOUND),
            ("web", "api", Answer.REFUSED),
            (HOST, "db", Answer.NAME_NOT_FOUND),
        )
    ]
    found.append(Reach(source=HOST, target="web", address="localhost", port=8080, answer=Answer.ANSWERED, seconds=0.01))
    return tuple(found)


def network() -> NetworkMap:
    return NetworkMap(setup(), reaches())


def story() -> Lineage:
    moments: list[Moment] = []
    for name, volume in (("plain", "anonymous 1"), ("kept", "data")):
        gone = (volume,) if volume.startswith("anonymous") else ()
        moments += [
            Moment(deed=Deed.CREATED, container=name, volumes=(volume,)),
            Moment(deed=Deed.STARTED, container=name),
            Moment(deed=Deed.WROTE, container=name, volumes=(volume,), notes=(f"by {name}",)),
            Moment(deed=Deed.STOPPED, container=name),
            Moment(deed=Deed.STARTED, container=name),
            Moment(deed=Deed.READ, container=name, volumes=(volume,), notes=(f"by {name}",)),
            Moment(deed=Deed.REMOVED, container=name, volumes=gone),
        ]
        after = "anonymous 2" if gone else volume
        notes = () if gone else (f"by {name}",)
        moments += [
            Moment(deed=Deed.CREATED, container=name, generation=2, volumes=(after,)),
            Moment(deed=Deed.STARTED, container=name, generation=2),
            Moment(deed=Deed.READ, container=name, generation=2, volumes=(after,), notes=notes),
        ]
    return Lineage(moments=tuple(moments), anonymous=("anonymous 1", "anonymous 2"))


def lineage() -> VolumeLineage:
    return VolumeLineage(story())


def progress() -> ProgressBars:
    bars = ProgressBars(["node:24-slim", "mongo:8"])
    bars.finish()
    return bars


def what_if() -> WhatIf:
    version = ("ARG VERSION=1", "RUN echo $VERSION > version")
    packages = ("# the packages", "COPY package.json ./", "RUN npm ci")
    text = "\n".join((*LINES[:2], *version, *packages, LINES[4], "COPY . ."))
    paths = ("package.json", "src/index.js", "README.md")
    files = tuple(Fingerprint(path=path, kind="file", mode=0o644, digest=path) for path in paths)
    return WhatIf(BuildInput(dockerfile=parse(text), files=files), seconds={"RUN npm ci": 9.2, "COPY . .": 0.1})
