"""How large the layers are that a build's steps made.

Enters: docker-py's client and a `BuildTrace`. Leaves: bytes by the key `stage/index` of a step. Asks the engine; may
import the nouns of `course.builds`.
"""

from typing import Any

from docker import DockerClient

from course.builds import BuildTrace, Status, StepTrace


def step_sizes(client: DockerClient, trace: BuildTrace) -> dict[str, int]:
    """The sizes of the layers of the image's own stage, as `docker history` has them; that of FROM is the base's whole.

    History has one entry for each instruction of the stage, the newest first (BuildKit, dockerfile2llb
    commitToHistory); where the two do not fit, what is further down is left out.
    """
    if trace.image_id is None:
        return {}
    history: list[dict[str, Any]] = client.api.history(trace.image_id)  # type: ignore[no-untyped-call]
    steps = _of_the_image(trace)
    sizes: dict[str, int] = {}
    for step in reversed(steps):
        if step.instruction == "FROM":
            sizes[f"{step.stage}/{step.index}"] = sum(int(entry["Size"]) for entry in history)
            return sizes
        if not history or step.instruction not in str(history[0]["CreatedBy"]):
            return sizes
        size = int(history.pop(0)["Size"])
        if step.status is not Status.METADATA:
            sizes[f"{step.stage}/{step.index}"] = size
    return sizes


def _of_the_image(trace: BuildTrace) -> list[StepTrace]:
    """The steps of the last stage that was needed: the image is its result."""
    needed = [step.stage for step in trace.steps if step.status in (Status.REUSED, Status.RAN)]
    return [step for step in trace.steps if needed and step.stage == needed[-1]]
