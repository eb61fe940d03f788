"""Whose objects are whose, and who is still alive."""

import os
import subprocess
import sys

from course import labels


def test_this_process_is_alive_and_stays_the_same_session() -> None:
    assert labels.session() == labels.session()
    assert labels.is_alive(labels.session())


def test_a_process_that_has_ended_is_dead_even_when_its_pid_is_used_again() -> None:
    code = "from course import labels; print(labels.session())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert not labels.is_alive(ended)
    assert not labels.is_alive(f"{os.getpid()}-1")


def test_what_is_no_session_is_dead() -> None:
    assert not labels.is_alive("")
    assert not labels.is_alive("someone-else")


def test_a_process_that_was_killed_is_dead_before_its_parent_asks_for_it() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        session = labels.session_of(process.pid)
        assert labels.is_alive(session)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not labels.is_alive(session)
