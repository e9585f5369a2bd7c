"""Is there a server? Asked before anything is sent, so that nobody waits for one that nobody started."""

import asyncio
import time
from pathlib import Path
from urllib.parse import urlsplit

from consilium.installation import running_on
from shared.process.mistakes import Mistake

CONNECTING = 2.0
"""Seconds that a connection may take."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
STARTING = 20.0
"""Seconds that a ``run`` on our own data folder gets until it listens."""


async def require_server(url: str, data_dir: Path) -> None:
    """Return once something listens where ``url`` leads.

    Waits only for a ``run`` that holds ``data_dir`` and has yet to listen there. Raises ``Mistake``."""
    host, port = _address(url)
    deadline = time.monotonic() + STARTING
    while not await _listens(host, port):
        if not _starting(host, port, data_dir) or time.monotonic() > deadline:
            raise Mistake(
                f"No server answers at {host}:{port}. Start one with `make run` in another terminal; "
                "if yours is elsewhere, say so with --url, or with CONSILIUM_HOST and CONSILIUM_PORT as for `run`."
            )
        await asyncio.sleep(0.1)


async def _listens(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(CONNECTING):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _starting(host: str, port: int, data_dir: Path) -> bool:
    """Whether a ``run`` holds ``data_dir`` that will listen there."""
    running = running_on(data_dir)
    if running is None:
        return False
    own = urlsplit(running.base)
    return own.port == port and host in (*LOOPBACK, own.hostname)


def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in ("http", "https"):
        raise Mistake("--url: a URL looks like http://127.0.0.1:8080.")
    return host, port or (443 if parts.scheme == "https" else 80)
