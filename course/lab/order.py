"""What the order of a Dockerfile's lines costs: the same edit, built in two orders.

Enters: docker-py's client. Leaves: `OrderExperiment`, the data of `course tour order --json`. Builds on the engine; may
import its neighbours and `course.builds`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from docker import DockerClient

from course.builds import BuildTrace
from course.errors import CourseError
from course.folders import notebooks_folder
from course.lab.project import Project

EDIT: Final = "src/index.js"
ORDERS: Final = ("naive", "ordered")


@dataclass(frozen=True, kw_only=True)
class OrderBuild:
    """One build of the experiment: with which Dockerfile, after which edit (None for the first, without cache)."""

    dockerfile: str
    edit: str | None
    trace: BuildTrace

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        data = self.trace.to_json()
        return {"dockerfile": self.dockerfile, "edit": self.edit, "seconds": data["seconds"], "steps": data["steps"]}


@dataclass(frozen=True, kw_only=True)
class OrderExperiment:
    """All builds in the order in which they ran."""

    builds: tuple[OrderBuild, ...]

    @property
    def saved_seconds(self) -> float:
        """How much less the rebuild after the edit took in the good order."""
        after = {build.dockerfile: build.trace.seconds for build in self.builds if build.edit}
        return after["naive"] - after["ordered"]

    def to_json(self) -> dict[str, Any]:
        """The object that `course tour order --json` prints."""
        builds = [build.to_json() for build in self.builds]
        return {"builds": builds, "saved_seconds": round(self.saved_seconds, 3)}


def run_order_experiment(
    client: DockerClient, *, on_build: Callable[[OrderBuild], None] | None = None
) -> OrderExperiment:
    """Build the lesson's API in both orders, edit a source file, build again; raises `CourseError` if a build fails."""
    builds: list[OrderBuild] = []
    for order in ORDERS:
        with Project(notebooks_folder() / "apps/api", client=client, dockerfile=f"{order}.Dockerfile") as project:
            for edit in (None, EDIT):
                if edit:
                    project.edit(edit)
                trace = project.build()
                if trace.error:
                    fix = "`course doctor`; the build needs packages from npm's registry"
                    raise CourseError(f"The {order} build failed: {trace.error}", fix=fix)
                builds.append(OrderBuild(dockerfile=order, edit=edit, trace=trace))
                if on_build:
                    on_build(builds[-1])
    return OrderExperiment(builds=tuple(builds))
