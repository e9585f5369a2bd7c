"""Loopback ports that nobody listens on."""

import random
import socket
from functools import cache


def free_ports(count: int) -> list[int]:
    """So many different ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def free_port() -> int:
    """A port that nobody listens on."""
    return free_ports(1)[0]


def lasting_port() -> int:
    """A port that nobody listens on and that no outgoing connection gets, however late it is taken."""
    while True:
        # below the ports that Linux hands out by itself
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@cache
def refusing_port() -> int:
    """The port that refuses every connection while this process lives; a free one may become another process's."""
    _BOUND.bind(("127.0.0.1", 0))  # and never listened on
    return int(_BOUND.getsockname()[1])


_BOUND = socket.socket()
