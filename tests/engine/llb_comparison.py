"""The operations of the model beside BuildKit's own: the LLB that a build's provenance shows (SLSA v0.2, mode=max).

Run: `python tests/engine/llb_comparison.py --count 500`. It needs a docker CLI with buildx, and an engine with the
containerd image store: no other keeps provenance. Random Dockerfiles, as in cache_differential.py; prints the counts.
"""

import argparse
import base64
import json
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from cache_differential import prepare
from cache_generator import World
from docker import DockerClient
from docker_cli import find_cli

from course import engine
from course.baseimages import with_engine
from course.cache import BuildInput
from course.cache.frontend import operations
from course.cache.operations import Copy, Exec, FileAction, Files, Local, Merge, Mkdir, Mkfile, MountPoint, Operation
from course.context import fingerprints, open_context
from course.dockerfile import parse

ANOTHER = "another"
Node = tuple[Any, ...]
"""An operation in the form that both sides can be brought to: its kind, its facts, and the nodes that it needs."""


def of_model(operation: Operation | None) -> Node:
    """A node from the model."""
    if operation is None:
        return ("nothing",)
    action, inputs = operation.action, [of_model(one) for one in operation.inputs]
    if isinstance(action, Files):
        base = inputs[action.base] if action.base >= 0 else None
        return ("files", base, [_file_of_model(one, inputs) for one in action.actions])
    if isinstance(action, Exec):
        mounts = [_mount_of_model(mount, inputs) for mount in action.mounts]
        network = "" if action.network == "default" else action.network
        place = (action.directory, action.user, network, int(action.security == "insecure"))
        return ("exec", list(action.args), list(action.env), place, mounts)
    if isinstance(action, Merge):
        return ("merge", inputs)
    return ("local",) if isinstance(action, Local) else (action.kind,)


def _file_of_model(action: FileAction, inputs: Sequence[Node]) -> Node:
    if isinstance(action, Mkdir):
        return ("mkdir", action.path, action.mode, _owner_of_model(action.owner))
    if isinstance(action, Mkfile):
        return ("mkfile", action.path, action.mode, action.data)
    assert isinstance(action, Copy)
    mode = int(action.mode, 8) if action.mode else -1
    rest = (_owner_of_model(action.owner), mode, list(action.include), list(action.exclude), action.unpack)
    return ("copy", inputs[action.input], action.source, action.dest, *rest)


def _mount_of_model(mount: MountPoint, inputs: Sequence[Node]) -> Node:
    facts = dict(mount.facts)
    source = inputs[mount.input] if mount.input >= 0 else None
    return (mount.kind, mount.target, source, mount.selector, mount.readonly, mount.output, facts.get("id", ""))


def of_llb(definition: Sequence[Mapping[str, Any]]) -> Node:
    """A node from BuildKit's definition, whose last operation names the result."""
    steps = {step["id"]: step for step in definition}

    def node(name: str) -> Node:
        step = steps[name.partition(":")[0]]
        inputs = [node(one) for one in step.get("inputs", ())]
        kind, facts = next(iter(step["op"]["Op"].items()), ("nothing", {}))
        return _READ[kind](facts, inputs)

    last = definition[-1]
    return node(last["inputs"][0]) if last.get("inputs") else ("nothing",)


def _source(facts: Mapping[str, Any], inputs: Sequence[Node]) -> Node:
    return ("local",) if facts["identifier"].startswith("local://") else ("image",)


def _files(facts: Mapping[str, Any], inputs: Sequence[Node]) -> Node:
    first = facts["actions"][0].get("input", 0)
    base = inputs[first] if 0 <= first < len(inputs) else None
    return ("files", base, [_file_action(one, inputs) for one in facts["actions"]])


def _file_action(one: Mapping[str, Any], inputs: Sequence[Node]) -> Node:
    kind, facts = next(iter(one["Action"].items()))
    owner = _owner(facts.get("owner"))
    if kind == "mkdir":
        return ("mkdir", facts["path"], facts.get("mode", 0), owner)
    if kind == "mkfile":
        return ("mkfile", facts["path"], facts.get("mode", 0), base64.b64decode(facts.get("data", "")).decode())
    patterns = [list(facts.get(name) or ()) for name in ("includePatterns", "excludePatterns")]
    rest = (owner, facts.get("mode", 0), *patterns, facts.get("attemptUnpackDockerCompatibility", False))
    return ("copy", inputs[one["secondaryInput"]], facts.get("src", "/"), facts["dest"], *rest)


def _owner(facts: Mapping[str, Any] | None) -> Node:
    """User and group; provenance leaves out names and 0, so that both are only 'another'."""
    parts = [(facts or {}).get(name) for name in ("user", "group")]
    return tuple((part["User"] or {}).get("byId", ANOTHER) for part in parts if part)


def _owner_of_model(owner: str) -> Node:
    return tuple(int(part) if part.strip("0").isdigit() else ANOTHER for part in owner.split(":") if owner)


def _exec(facts: Mapping[str, Any], inputs: Sequence[Node]) -> Node:
    meta = facts["meta"]
    mounts = [_mount(one, inputs) for one in facts.get("mounts", ())]
    place = (meta.get("cwd", ""), meta.get("user", ""), _NETWORKS[facts.get("network", 0)], facts.get("security", 0))
    return ("exec", list(meta["args"]), list(meta.get("env") or ()), place, mounts)


_NETWORKS = {0: "", 1: "host", 2: "none"}
_MOUNTS = {0: "bind", 1: "secret", 2: "ssh", 3: "cache", 4: "tmpfs"}


def _mount(facts: Mapping[str, Any], inputs: Sequence[Node]) -> Node:
    number = facts.get("input", 0)
    source = inputs[number] if 0 <= number < len(inputs) else None
    kind = facts.get("mountType", 0)
    name = _MOUNTS.get(kind, str(kind))
    cache = (facts.get("cacheOpt") or {}).get("ID", "").removeprefix("/")  # behind an empty namespace
    return (
        name,
        facts["dest"],
        source,
        facts.get("selector", ""),
        facts.get("readonly", False),
        facts.get("output", 0) != -1,
        cache,
    )


_READ: Mapping[str, Callable[[Mapping[str, Any], Sequence[Node]], Node]] = {
    "source": _source,
    "file": _files,
    "exec": _exec,
    "merge": lambda facts, inputs: ("merge", list(inputs)),
    "nothing": lambda facts, inputs: ("nothing",),
}


def definition_of(archive: Path) -> list[dict[str, Any]] | None:
    """The LLB in the provenance of an image's OCI archive."""
    with tarfile.open(archive) as tar:
        for entry in tar:
            file = tar.extractfile(entry) if entry.name.startswith("blobs/") and entry.isreg() else None
            data = file.read() if file else b""
            if b"llbDefinition" in data[:1_000_000] and data.startswith(b"{"):
                found: list[dict[str, Any]] = json.loads(data)["predicate"]["buildConfig"]["llbDefinition"]
                return found
    return None


def compare(client: DockerClient, seed: int, counts: Counter[str]) -> str | None:
    """One random Dockerfile; the difference, if there is one."""
    kit = with_engine(client, BuildInput(dockerfile=parse("FROM scratch\n"))).buildkit
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
        root, archive = Path(folder), Path(out) / "image.tar"
        told = next(World(seed, root, heredocs=kit.has_heredocs, merges=kit.merges).builds())
        text = (root / "Dockerfile").read_text()
        asked = BuildInput(dockerfile=parse(text), files=fingerprints(open_context(root)), **told)
        asked = with_engine(client, asked)
        options = [word for name, value in told["build_args"].items() for word in ("--build-arg", f"{name}={value}")]
        options += ["--target", told["target"]] if told["target"] else []
        done = find_cli().run(
            client, "build", "--provenance=mode=max", *options, "-o", f"type=oci,dest={archive}", str(root)
        )
        if done.returncode:
            counts["failed on purpose"] += 1
            return None
        definition = definition_of(archive)
        assert definition is not None, "the engine keeps no provenance; it takes the containerd image store"
        ours, theirs = of_model(operations(asked).result), of_llb(definition)
        counts["compared"] += 1
        counts["operations"] += len(definition) - 1
        if ours == theirs:
            return None
        counts["different"] += 1
        return f"seed {seed}\n{text}\nmodel:    {ours}\nBuildKit: {theirs}\n"


def main() -> int:
    """Compare, print the differences and the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    client, counts = engine.connect(start=False), Counter[str]()
    prepare(client)
    seed = arguments.seed
    while counts["compared"] < arguments.count:
        difference = compare(client, seed, counts)
        if difference:
            print(difference, flush=True)
        seed += 1
    print(f"seeds {arguments.seed} to {seed - 1}: {dict(counts)}")
    return int(counts["different"] > 0)


if __name__ == "__main__":
    sys.exit(main())
