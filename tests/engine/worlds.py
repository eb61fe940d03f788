"""What tests of scratch worlds share."""

from course.lab import Scratch, Setup, read_setup

WEB = ["httpd", "-f", "-p", "80"]
SLEEP = ["sleep", "100"]


def mine(scratch: Scratch) -> Setup:
    """The part of the set-up that this world made."""
    setup = read_setup(scratch.client)
    containers = tuple(one for one in setup.containers if one.name.endswith(scratch.id))
    return Setup(containers=containers, networks=setup.networks, volumes=setup.volumes)
