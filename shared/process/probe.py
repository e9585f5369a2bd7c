"""``python -m services health``: the health check of an image. Imports next to nothing: it runs every few seconds."""

import os
from http.client import HTTPConnection, HTTPException

SECONDS = 4.0


def ask() -> int:
    """0 when the process on this machine's ``CONSILIUM_PORT`` is ready, else 1."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("CONSILIUM_PORT") or 8080), timeout=SECONDS)
    try:
        connection.request("GET", "/health/ready")
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, HTTPException):
        return 1
    finally:
        connection.close()
