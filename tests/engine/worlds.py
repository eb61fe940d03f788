"""What tests of scratch worlds share."""

from course.lab import Scratch, Setup, read_setup

WEB = ["httpd", "-f", "-p", "80"]
SLEEP = ["sleep", "100"]


def mine(scratch: Scratch) -> Setup:
    """The part of the set-up that this world made."""
    return read_setup(scratch.client).part(f"-{scratch.id}")
