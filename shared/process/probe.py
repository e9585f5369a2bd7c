"""``python -m services health``: the health check of an image. Imports next to nothing: it runs every few seconds."""

import os
import sys
from http.client import HTTPConnection, HTTPException

SECONDS = 4.0
LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where to ask a process, by what it listens on when that is no address of its own."""
NO_PORT = "CONSILIUM_PORT: it is no port, a number from 0 to 65535."


def ask() -> int:
    """0 when the process on this machine's ``CONSILIUM_PORT`` is ready, 2 when that is no port, else 1."""
    port = own_port()
    if port is None:
        print(NO_PORT, file=sys.stderr)
        return 2
    connection = HTTPConnection(own_host(), port, timeout=SECONDS)
    try:
        connection.request("GET", "/health/ready")
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, HTTPException, UnicodeError):  # the last one: a name that can be none
        return 1
    finally:
        connection.close()


def own_host() -> str:
    """Where this machine's processes are asked: the address of ``CONSILIUM_HOST``."""
    host = os.environ.get("CONSILIUM_HOST", "")
    return LOOPBACK.get(host, host)


def own_port() -> int | None:
    """The port of this machine's processes; None where ``CONSILIUM_PORT`` is none."""
    try:
        port = int(os.environ.get("CONSILIUM_PORT") or 8080)
    except ValueError:
        return None
    return port if 0 <= port <= 65535 else None
