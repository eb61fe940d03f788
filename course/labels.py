"""The labels that mark what the course creates on an engine, and who is still alive to own it.

Enters: this process's identity. Leaves: label dictionaries and Engine API filters. Imports no other room.

Every container, network, volume and image of the course carries three labels. `SESSION` names the process that made
it, so that a later process can tell a dead session's leftovers from a live neighbour's work without any files.
"""

import getpass
import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

import psutil

COURSE = "layer-by-layer"
OWNER = f"{COURSE}.owner"
SESSION = f"{COURSE}.session"
IMAGE = f"{COURSE}.image"
"""On images of the catalogue: their public name. On everything else that the course makes: empty.

Containers and images inherit the labels of the image that they are made from. So a learner's own container of
`node:24-slim` carries all labels of that image; that `IMAGE` is not empty there shows that it is not the course's.
"""


def owner() -> str:
    """Who runs the course, as `user@host`."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def session() -> str:
    """This process, as `pid-start`: unique on this host even after the pid is used again."""
    return session_of(os.getpid())


def is_alive(session_id: str) -> bool:
    """Whether the process that `session_id` names still runs on this host."""
    pid = session_id.partition("-")[0]
    return pid.isdigit() and psutil.pid_exists(int(pid)) and session_of(int(pid)) == session_id


def labels(**extra: str) -> dict[str, str]:
    """The labels for a new object of this process, and any `extra` ones."""
    return {COURSE: "1", OWNER: owner(), SESSION: session(), IMAGE: "", **extra}


def folder_prefix() -> str:
    """How the names of this process's temporary folders begin."""
    return f"{COURSE}-{socket.gethostname()}-{session()}-"


def folder_session(name: str) -> str | None:
    """The session of this host whose temporary folder has this name, or None where it is something else."""
    found = re.fullmatch(rf"{COURSE}-{re.escape(socket.gethostname())}-(\d+-\d+)-\w+", name)
    return found[1] if found else None


def made_by(carried: Mapping[str, str] | None) -> str | None:
    """The session that made the object which carries these labels, or None where it merely inherited them."""
    if not carried or carried.get(IMAGE):
        return None
    return carried.get(SESSION)


def owned_filter() -> dict[str, str | list[str] | bool]:
    """The Engine API's `filters` for everything that this owner created, in whatever session."""
    return {"label": [f"{COURSE}=1", f"{OWNER}={owner()}"]}


def session_of(pid: int) -> str:
    """The process with this `pid` as `pid-start`, or `pid-gone`."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        if stat.exists():  # Linux: ticks since boot (proc(5), field 22), which no change of the clock moves
            facts = stat.read_text().rpartition(")")[2].split()
            return f"{pid}-{'gone' if facts[0] == 'Z' else facts[19]}"
        return f"{pid}-{int(psutil.Process(pid).create_time())}"
    except (OSError, psutil.Error):
        return f"{pid}-gone"
