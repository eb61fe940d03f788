"""Workers on this machine: processes with a replay engine each.

Enters: tasks. Leaves: answers. Starts processes, and ends them; may import `course` and `graders.workplace`.

Ctrl-C reaches the parent alone, which then ends its workers in order. A worker whose parent is gone ends by itself.
"""

import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Final

from graders.rubric import Level
from graders.workplace import Answer, Task, Workplace, failed

SUBMISSION_TIMEOUT_S: Final = 3 * 3600
"""Each step of a replay has a time of its own; this is for an engine that hangs."""
LEAVING_S: Final = 45
"""What a worker may take to remove its engine."""
_CONTEXT: Final = multiprocessing.get_context("spawn")


class Processes:
    """A `Crew` of processes on this machine."""

    def __init__(self, count: int, *, kind: str, level: Level) -> None:
        self._kind = kind
        self._level = level
        self._workers = [self._start() for _ in range(count)]

    def grade(self, tasks: Sequence[Task], on_start: Callable[[Task], None]) -> Iterator[Answer]:
        """A task to each worker that has none, until all are answered."""
        waiting, busy = deque(tasks), dict[int, tuple[Task, float]]()
        while waiting or busy:
            for number, worker in enumerate(self._workers):
                if waiting and number not in busy:
                    busy[number] = (waiting.popleft(), time.monotonic() + SUBMISSION_TIMEOUT_S)
                    on_start(busy[number][0])
                    with suppress(OSError):  # it has died, which reading from it will tell
                        worker.connection.send(busy[number][0])
            ready = multiprocessing.connection.wait([self._workers[number].connection for number in busy], timeout=1)
            for number, (task, deadline) in list(busy.items()):
                if self._workers[number].connection in ready:
                    answer = self._receive(number, task)
                elif time.monotonic() > deadline:
                    answer = failed(task, f"it was not done after {SUBMISSION_TIMEOUT_S} s")
                    self._replace(number)
                else:
                    continue
                del busy[number]
                yield answer

    def close(self) -> None:
        """End the workers, those that have nothing to do and those that have."""
        for worker in self._workers:
            worker.leave()
        deadline = time.monotonic() + LEAVING_S
        for worker in self._workers:
            worker.join(deadline)

    def _receive(self, number: int, task: Task) -> Answer:
        try:
            return Answer.from_json(json.loads(self._workers[number].connection.recv_bytes()))
        except (EOFError, OSError):
            self._replace(number)
            return failed(task, "the process that replayed it was killed")

    def _replace(self, number: int) -> None:
        self._workers[number].leave()
        self._workers[number].join(time.monotonic() + LEAVING_S)
        self._workers[number] = self._start()

    def _start(self) -> "_Worker":
        return _Worker(self._kind, self._level)


class _Worker:
    def __init__(self, kind: str, level: Level) -> None:
        self.connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_work, args=(theirs, kind, level), name="graders-worker")
        self._process.start()
        theirs.close()

    def leave(self) -> None:
        self._process.terminate()

    def join(self, deadline: float) -> None:
        self._process.join(max(0.0, deadline - time.monotonic()))
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.connection.close()


def _work(connection: Connection, kind: str, level: Level) -> None:
    """A worker's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_follow_parent, daemon=True).start()
    place = Workplace(kind=kind, level=level)
    try:
        while True:
            task: Task = connection.recv()
            connection.send_bytes(json.dumps(place.grade(task).to_json()).encode())
    except (EOFError, OSError, SystemExit):
        pass
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is leaving already
        place.close()


def _leave(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def _follow_parent() -> None:
    """Leave when the parent has gone, in whatever way, and leave for certain."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(LEAVING_S)
        os._exit(1)
