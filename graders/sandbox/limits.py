"""How much of a replay engine a submission may take, and which limit it has reached.

Enters: how to run a command beside the engine. Leaves: limits on all containers and builds together, and on the script
that was handed in, so that the engine itself can always go on; the reason where a limit was reached.
"""

from collections.abc import Callable, Sequence
from typing import Final

CONTAINERS_PROCESSES: Final = 800
SCRIPT_PROCESSES: Final = 200
CONTAINERS_MEMORY_BYTES: Final = 9 << 28
SCRIPT_MEMORY_BYTES: Final = 1 << 28
SCRIPT_USER: Final = 65534
"""It may talk to the engine, and has no right over what the graders look with."""
FULL_BYTES: Final = 64 << 20
DISK_IS_FULL: Final = "it has filled the disk, of which there are 10 GB"
LOST: Final = "waiting for init preliminary setup: "
"""What runc says when the process is gone that it begins a container with (libcontainer/process_linux.go). Seen twice
in some thousand starts, by no submission's doing, and not at the next try.
"""
UNGUARDED: Final = "the guard could not look: "
"""What the engine's guard says (recipe/guard.mjs) where it is out of breath; it refuses then."""
FLOOD_BYTES: Final = 8 << 20
"""What prints more is ended."""

_PLACES: Final = """
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    pids=/sys/fs/cgroup memory=/sys/fs/cgroup limit=memory.max
else
    pids=/sys/fs/cgroup/pids memory=/sys/fs/cgroup/memory limit=memory.limit_in_bytes
fi
"""
"""The engine's containers and builds are in the group `docker`, which is the default of its cgroupfs driver."""
_END: Final = f"""{_PLACES}
[ -d $pids/submitted ] || exit 0
echo 0 > $pids/submitted/pids.max
while [ -n "$(cat $pids/submitted/cgroup.procs)" ]; do
    for pid in $(cat $pids/submitted/cgroup.procs); do kill -KILL "$pid" || true; done 2> /dev/null
done
echo {SCRIPT_PROCESSES} > $pids/submitted/pids.max
"""
_SET: Final = f"""{_PLACES}
find $pids/docker $pids/submitted -depth -type d -exec rmdir {{}} \\; 2> /dev/null
mkdir -p $pids/docker $memory/docker $pids/submitted $memory/submitted
echo {CONTAINERS_PROCESSES} > $pids/docker/pids.max
echo {CONTAINERS_MEMORY_BYTES} > $memory/docker/$limit
echo {SCRIPT_PROCESSES} > $pids/submitted/pids.max
echo {SCRIPT_MEMORY_BYTES} > $memory/submitted/$limit
"""
"""The groups of an earlier submission go, so that a peak is always of one."""
_TAKEN: Final = f"""{_PLACES}
for group in docker submitted; do cat $pids/$group/pids.peak || cat $pids/$group/pids.current; done 2> /dev/null
df -B1 --output=avail /var/lib/docker | tail -n 1
"""
_WITHIN: Final = f"""{_PLACES}
echo $$ > $pids/submitted/cgroup.procs
echo $$ > $memory/submitted/cgroup.procs
exec setpriv --reuid={SCRIPT_USER} --regid="$(stat -c %g /run/docker.sock)" --clear-groups \\
    --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
"""
_LISTENS: Final = f"""{_PLACES}
for pid in $(cat $pids/submitted/cgroup.procs); do ss -ltnpH | grep -F "pid=$pid,"; done
"""
_Run = Callable[[Sequence[str]], str]


def set_limits(run: _Run) -> None:
    """Limit the next submission; nothing of the last one may run any more."""
    run(["sh", "-c", _SET])


def end_processes(run: _Run) -> None:
    """End what the submission's script has running beside the engine."""
    run(["sh", "-c", _END])


def script_listens(run: _Run) -> frozenset[int]:
    """The TCP ports that processes of the submission's script listen on by themselves, with no container."""
    lines = (line.split() for line in run(["sh", "-c", _LISTENS]).splitlines())
    return frozenset(int(words[3].rpartition(":")[2]) for words in lines if len(words) > 3)


def within_limits(command: Sequence[str]) -> list[str]:
    """A command that a submission brings, as one that is limited and has no rights but to talk to the engine."""
    return ["sh", "-c", _WITHIN, "submitted", *command]


def limit_reached(run: _Run) -> str:
    """Which limit the submission has reached, in words; empty where none."""
    taken = [int(word) for word in run(["sh", "-c", _TAKEN]).split() if word.isdigit()]
    containers, script, free = taken if len(taken) == 3 else (0, 0, FULL_BYTES)
    if containers >= CONTAINERS_PROCESSES:
        return f"its containers had {containers} processes, and more are not allowed"
    if script >= SCRIPT_PROCESSES:
        return f"its script had {script} processes, and more are not allowed"
    if free < FULL_BYTES:
        return DISK_IS_FULL
    return ""
