"""Workers of a dask.distributed cluster: the same tasks, each process there with a replay engine of its own.

Enters: the scheduler's address, and tasks. Leaves: answers. May import `graders.workplace` and
`distributed`, which the extra `cluster` installs; this project has to be installed on every worker.

Artifacts travel as bytes, reports come back as JSON. The gradebook stays with whoever called.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, cast

from distributed import Client, WorkerPlugin, as_completed, get_worker

from course.errors import CourseError
from graders.rubric import Level
from graders.workplace import Answer, Task, Workplace, failed

PLUGIN: Final = "layer-by-layer-graders"
CONNECT_TIMEOUT_S: Final = 20


class Cluster:
    """A `Crew` of whatever workers the cluster has."""

    def __init__(self, address: str, *, kind: str, level: Level) -> None:
        try:
            self._client: Any = cast(Any, Client)(address, timeout=CONNECT_TIMEOUT_S)
        except (OSError, ValueError) as error:
            raise CourseError(f"No scheduler answers at {address}: {error}", fix="`dask scheduler` prints it") from None
        self._client.register_plugin(WorkplacePlugin(kind, level), name=PLUGIN)

    def grade(self, tasks: Sequence[Task], on_start: Callable[[Task], None]) -> Iterator[Answer]:
        """Hand out all tasks; the scheduler gives them to workers as these get free."""
        futures = {self._client.submit(grade_task, task, pure=False): task for task in tasks}
        for task in tasks:
            on_start(task)
        for future in cast(Any, as_completed)(list(futures)):
            task = futures[future]
            try:
                yield Answer.from_json(json.loads(future.result()))
            except Exception as error:  # a worker that was killed too often, a cluster that is gone
                yield failed(task, f"the cluster failed: {type(error).__name__}: {error}")

    def close(self) -> None:
        """Take back what has not begun, and let every worker remove its engine."""
        with suppress(Exception):  # it may be the cluster that is gone
            self._client.unregister_worker_plugin(PLUGIN)
        self._client.close()


class WorkplacePlugin(WorkerPlugin):
    """A `Workplace` for each worker process, where one submission is replayed at a time."""

    name = PLUGIN

    def __init__(self, kind: str, level: Level) -> None:
        self._kind, self._level = kind, level

    def setup(self, worker: Any) -> None:
        """On the worker; the engine itself is made for the first task."""
        self.place = Workplace(kind=self._kind, level=self._level)
        self.lock = threading.Lock()

    def teardown(self, worker: Any) -> None:
        """On the worker, when it or the run ends; a replay that is under way fails."""
        self.place.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"_kind": self._kind, "_level": self._level}


def grade_task(task: Task) -> str:
    """What a worker of the cluster does: an answer as JSON."""
    plugin = cast(WorkplacePlugin, get_worker().plugins[PLUGIN])
    with plugin.lock:
        return json.dumps(plugin.place.grade(task).to_json())
