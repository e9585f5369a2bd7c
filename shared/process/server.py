"""The HTTP server inside our event loop: granian's embedded one (about 40 % more requests than uvicorn here)."""

import asyncio
import socket

from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from starlette.types import ASGIApp


class PortTaken(OSError):
    """Somebody listens there already."""


def require_free(host: str, port: int) -> None:
    """Raises ``PortTaken`` when something listens on ``host:port`` (granian would share the port silently)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(f"Port {port} on {host} is taken. CONSILIUM_PORT names another.") from error


async def serve(app: ASGIApp, *, host: str, port: int, stop: asyncio.Event) -> None:
    """Serve ``app`` until ``stop`` is set; open requests are finished, within granian's grace.

    Several processes may serve the same port: the kernel spreads the connections (SO_REUSEPORT)."""
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
