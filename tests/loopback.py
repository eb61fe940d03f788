"""The loopback device of a new network namespace, which starts out down."""

import socket
import struct

_SET_FLAGS, _UP = 0x8914, 1


def bring_up_loopback() -> None:
    """As `ip link set lo up` does (netdevice(7)); needs no iproute2."""
    import fcntl  # there is none on Windows

    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", _UP))
