"""What a notebook's cells call: `show(trace)`, `watch(project)`, `survey(scratch)`, `fetch(client, ...)` for images.

Enters: a `BuildTrace`, a `Project` to build, a `Scratch` world, or the names of images. Leaves: pictures that a
notebook displays, and a terminal as text. Builds and measures on the engine; may import `course.forecast`,
`course.images`, `course.lab` and its neighbours.
"""

from collections.abc import Mapping, Sequence

from docker import DockerClient
from IPython.display import display

from course import images
from course.builds.model import BuildTrace
from course.forecast import Comparison, explain
from course.lab.project import Project
from course.lab.reach import Reach, measure_reach
from course.lab.scratch import Scratch
from course.widgets.pictures import LayerStack, NetworkMap, ProgressBars


def show(trace: BuildTrace, title: str = "The build") -> LayerStack:
    """The stack of a build: its base at the bottom, what was reused and what ran, and where it broke."""
    return LayerStack(trace, title=title)


def watch(project: Project, title: str = "The build", *, tag: str | None = None) -> BuildTrace:
    """Predict the project's next build, and show it beside the build while that runs; `tag` names the image."""
    stack = LayerStack(title=title)
    display(stack)
    return watch_build(project, stack, tag=tag).trace


def watch_build(
    project: Project, stack: LayerStack, *, tag: str | None = None, build_args: Mapping[str, str] | None = None
) -> Comparison:
    """The same in a picture that is already shown."""
    found = explain(
        project.client,
        project.root,
        tag=tag,
        no_cache=project.is_new,
        edit_of=project.explained,
        build_args=build_args,
        on_predicted=stack.predict,
        on_snapshot=stack.follow,
    )
    project.is_new, project.explained = False, found.asked
    stack.follow(found.trace, images.step_sizes(project.client, found.trace))
    return found


def survey(
    scratch: Scratch, title: str, *, outside: Sequence[tuple[str, int]] = (), from_host: bool = False
) -> tuple[Reach, ...]:
    """Try who reaches whom in a scratch world, and who the world `outside`; show it, and give all that was tried."""
    setup = scratch.setup()
    picture = NetworkMap(setup, title=title, suffix=f"-{scratch.id}")
    display(picture)
    reaches = measure_reach(scratch.client, setup, outside=outside, from_host=from_host)
    picture.show(setup, reaches)
    return reaches


def fetch(client: DockerClient, *names: str) -> None:
    """Make images of the catalogue present, and show how far that is. Raises `CourseError` as `images.ensure` does."""
    bars = ProgressBars(names)
    display(bars)
    images.ensure(client, names, on_progress=bars.follow)
    bars.finish()
