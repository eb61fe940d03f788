"""Disposable engines: each as the guest was built, cut off from everything, and gone with the process that made it.

Enters: this user's guest. Leaves: engines, as many as there is memory for; they share what they do not change.
Starts and ends processes; may import `course.errors` and its neighbours.
"""

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from docker import DockerClient

from course.engine.find import CALL_TIMEOUT_S
from course.engine.vm import launch
from course.engine.vm.keeper import Task
from course.engine.vm.machine import TCG
from course.engine.vm.place import SHORT, Place, place, takes_sockets
from course.engine.vm.running import accelerators, startable
from course.errors import CourseError

_PREFIX: Final = "layer-by-layer.clone-"
"""Not as those of sessions begin, which `course clean` looks after (`course.labels.folder_session`)."""
_STARTING_S: Final = 60


class Clone:
    """An engine for one piece of work that is not trusted. What runs in it reaches neither this machine, nor its files,
    nor the network, nor the engine's own API.
    """

    def __init__(self, here: Place | None = None) -> None:
        """Of this user's guest, or of the one that was built at `here`."""
        here = here or place()
        self._guest = here.guest
        self._manifest = startable(here)
        self._keeper: subprocess.Popen[str] | None = None
        self._version = "auto"
        self.client: DockerClient
        remove_stale()
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened in it: it is as it was built. Its `client` is a new one."""
        self.close()
        self._run = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_temporary()))
        for accelerator in (usable := accelerators(tuple(self._manifest.snapshots))):
            self._accelerator = accelerator
            try:
                self._keeper = launch.launch(self._task(accelerator))
                break
            except CourseError:  # KVM that is there need not work
                if accelerator == usable[-1]:
                    raise
        address = f"unix://{self._run / 'docker.sock'}"
        self.client = DockerClient(base_url=address, version=self._version, timeout=CALL_TIMEOUT_S)
        self._version = self.client.api.api_version  # an engine that is asked for it starts programs to answer

    def _task(self, accelerator: str) -> Task:
        return Task(
            guest=str(self._guest),
            run=str(self._run),
            accelerator=accelerator,
            memory_mib=self._manifest.memory_mib,
            processors=self._manifest.snapshots[accelerator],
            disk=str(self._guest / accelerator / "disk.qcow2"),
            disk_discarded=True,
            snapshot=str(self._guest / accelerator),
            cut_off=True,
            bound=True,
        )

    def forward(self, port: int) -> int:
        """Lead a free port of 127.0.0.1 here to a TCP port in there, until the next reset; the free one."""
        return int(launch.ask(self._run, do="forward", port=port)["port"])

    @property
    def emulated(self) -> bool:
        """Whether it has to do without KVM."""
        return self._accelerator == TCG

    def close(self) -> None:
        """End it."""
        if self._keeper is None:
            return
        self.client.close()
        with self._keeper as keeper:
            keeper.terminate()
        self._keeper = None

    def __enter__(self) -> "Clone":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _temporary() -> Path:
    """Where a clone has its sockets and logs; what it writes to its disk goes beside its guest."""
    found = Path(tempfile.gettempdir())
    return found if takes_sockets(found / f"{_PREFIX}12345678") else SHORT


def remove_stale() -> None:
    """Remove the folders of clones whose keepers were killed."""
    for folder in _temporary().glob(f"{_PREFIX}*"):
        with suppress(FileNotFoundError):  # its keeper has just removed it
            mine = folder.stat().st_uid == os.getuid()
            if mine and time.time() - folder.stat().st_mtime > _STARTING_S and not launch.is_kept(folder):
                shutil.rmtree(folder, ignore_errors=True)
