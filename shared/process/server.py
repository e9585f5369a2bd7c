"""The HTTP server inside our event loop: granian's embedded one (about 40 % more requests than uvicorn here)."""

import asyncio
import errno
import gc
import socket

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from starlette.types import ASGIApp

from shared.process.mistakes import Mistake

ABSENT = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
FORBIDDEN = (errno.EACCES, errno.EPERM)

COLLECTS = (20_000, 20, 50)
"""Objects made and not freed before a collection of the youngest; how many of those before one of the older."""


class PortTaken(OSError):
    """Somebody listens there already."""


def require_free(host: str, port: int) -> None:
    """Raises ``PortTaken`` when something listens on ``host:port`` (granian would share the port silently), ``Mistake``
    when nobody can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, UnicodeError) as error:  # the last one: a name that can be none
        raise _refusal(host, port, error) from error


def _refusal(host: str, port: int, error: OSError | UnicodeError) -> PortTaken | Mistake:
    if isinstance(error, UnicodeError | socket.gaierror):
        return Mistake("CONSILIUM_HOST: it is no address, and no name that is known here.")
    if error.errno == errno.EADDRINUSE:
        return PortTaken(f"Port {port} on {host} is taken. CONSILIUM_PORT names another.")
    if error.errno in ABSENT:
        return Mistake("CONSILIUM_HOST: this machine has no such address.")
    if error.errno in FORBIDDEN:
        return Mistake("CONSILIUM_PORT: this user may not listen there; ports from 1024 on are free to all.")
    return Mistake("CONSILIUM_HOST, CONSILIUM_PORT: nobody can listen there.")


def _settle() -> None:
    """What the start left stays: no collection looks at it again, and there are fewer (docs/adr/0005-speed.md)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTS)


async def serve(app: ASGIApp, *, host: str, port: int, stop: asyncio.Event) -> None:
    """Serve ``app`` until ``stop`` is set; open requests are finished, within granian's grace.

    Several processes may serve the same port: the kernel spreads the connections (SO_REUSEPORT)."""
    _settle()
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        log_enabled=False,
    )
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            server.stop()  # type: ignore[no-untyped-call]  # granian ships no annotation here
        await serving
    finally:
        stopping.cancel()
