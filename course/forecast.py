"""Predictions for folders: what is read from disk and engine on one side, the model of the cache on the other.

Enters: folders, and docker-py's client where there is an engine. Leaves: predictions, and the trace beside them.
Reads files, keeps what was learned of each engine in the user's data folder; may import `course.cache`,
`course.baseimages`, `course.builds`, `course.context`, `course.folders` and `course.labels`.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from docker import DockerClient
from filelock import FileLock

from course import labels
from course.baseimages import with_engine
from course.builds import BuildTrace, build, read_dockerfile
from course.builds.model import BuildError
from course.builds.record import cache_records
from course.cache import BuildInput, Prediction, Predictor, Surprise, Verdict
from course.context import fingerprints, open_context
from course.errors import CourseError
from course.folders import data_folder


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What was predicted for a build and what it did; the steps of both are the same, in the same order."""

    asked: BuildInput
    predictions: tuple[Prediction, ...]
    trace: BuildTrace
    surprises: tuple[Surprise, ...]


def read_build(
    directory: Path | str,
    *,
    dockerfile: str = "Dockerfile",
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
    no_cache: bool = False,
    client: DockerClient | None = None,
) -> BuildInput:
    """All that decides what a build of this folder reuses, base images and BuildKit's version as on `client`'s engine.

    Raises `CourseError` with the line when BuildKit would refuse the Dockerfile.
    """
    context = open_context(directory, dockerfile=dockerfile)
    parsed = read_dockerfile(context.root, dockerfile)
    if isinstance(parsed, BuildError):
        raise CourseError(f"{context.root.name}: {parsed}", fix="correct the Dockerfile; nothing was built")
    plain = BuildInput(
        dockerfile=parsed,
        files=fingerprints(context),
        build_args=dict(build_args or {}),
        target=target,
        no_cache=no_cache,
    )
    return plain if client is None else with_engine(client, plain)


def predict_after(before: BuildInput, after: BuildInput) -> tuple[Prediction, ...]:
    """What building `after` would do right after `before` was built, on an engine that knows nothing else."""
    predictor = Predictor()
    predictor.observe(before)
    return predictor.predict(after)


def explain(
    client: DockerClient,
    directory: Path | str,
    *,
    tag: str | None = None,
    no_cache: bool = False,
    build_args: Mapping[str, str] | None = None,
    edit_of: BuildInput | None = None,
    on_predicted: Callable[[tuple[Prediction, ...]], None] | None = None,
    on_snapshot: Callable[[BuildTrace], None] | None = None,
) -> Comparison:
    """Predict a build from all that was learned of this engine, do it, and learn from it.

    The reasons compare it with `edit_of`, without that with the observed build that is most like it. Raises
    `CourseError` with the line when BuildKit would refuse the Dockerfile.
    """
    asked = read_build(directory, no_cache=no_cache, build_args=build_args, client=client)
    predictions = recall(client).predict(asked, edit_of=edit_of)
    if on_predicted:
        on_predicted(predictions)
    trace = build(client, directory, tag=tag, no_cache=no_cache, build_args=build_args, on_snapshot=on_snapshot)
    surprises = _learn(client, asked, trace)
    return Comparison(asked=asked, predictions=predictions, trace=trace, surprises=surprises)


def agrees(prediction: Prediction, status: str) -> bool | None:
    """Whether what was predicted for a step came true; None where the prediction left it open."""
    expected = {
        Verdict.HIT: ("REUSED",),
        Verdict.MISS: ("RAN", "FAILED"),
        Verdict.METADATA: ("METADATA",),
        Verdict.NOT_NEEDED: ("NOT_NEEDED",),
    }
    return None if prediction.verdict is Verdict.DEPENDS else status in expected[prediction.verdict]


def hand_on(client: DockerClient, folder: Path) -> None:
    """Copy what was learned of this engine into `folder`, for whoever gets the engine."""
    shutil.copy(_file(client), folder)


def take_over(folder: Path) -> None:
    """Know what was put into `folder` by `hand_on`; nothing where there is no such folder."""
    for learned in folder.glob("*.json"):
        _folder().mkdir(parents=True, exist_ok=True)
        shutil.copy(learned, _folder())


def _folder() -> Path:
    return data_folder() / "predictors"


def _file(client: DockerClient) -> Path:
    return _folder() / f"{client.info()['ID'].replace(':', '')}.json"


def recall(client: DockerClient) -> Predictor:
    """All that was learned of this engine's cache; what the engine has dropped since is in doubt."""
    return _recall(client)[0]


def _recall(client: DockerClient) -> tuple[Predictor, dict[str, str]]:
    """And the session that was first seen with each of the cache's records. A record's id says nothing of its step; but
    when one is gone, all that its session left is in doubt.
    """
    try:
        kept = json.loads(_file(client).read_text(encoding="utf-8"))
        predictor, records = Predictor.from_json(kept["predictor"]), dict(kept["records"])
    except (OSError, ValueError, KeyError):
        return Predictor(), {}
    predictor.doubt({records[one] for one in records.keys() - _records(client)})
    return predictor, records


def _records(client: DockerClient) -> set[str]:
    """What holds results; a client's files and a command's cache mounts come and go."""
    return {one["ID"] for one in cache_records(client) if one["Type"] == "regular"}


def _learn(client: DockerClient, asked: BuildInput, trace: BuildTrace) -> tuple[Surprise, ...]:
    """Take in a build that was done; what other lessons have learned meanwhile is kept."""
    path, origin = _file(client), labels.session()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with FileLock(path.with_suffix(".lock")):
        predictor, records = _recall(client)
        surprises = predictor.observe(asked, [step.status.value for step in trace.steps], origin=origin)
        seen = {one: records.get(one, origin) for one in _records(client)}
        partial.write_text(json.dumps({"predictor": predictor.to_json(), "records": seen}), encoding="utf-8")
        partial.replace(path)
    return surprises
