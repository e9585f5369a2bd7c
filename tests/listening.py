"""An ASGI app that listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.gateway.asgi import ASGIApp
from shared.process.server import serve
from tests.eventually import eventually
from tests.ports import free_port


@asynccontextmanager
async def listening(app: ASGIApp, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """``app`` on a socket; its base URL."""
    port, stop = free_port(), asyncio.Event()
    serving = asyncio.create_task(serve(app, host=host, port=port, stop=stop))

    async def accepts() -> bool:
        if serving.done():
            serving.result()  # raises what ended it
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await eventually(accepts, every=0.01)
        yield f"http://{host}:{port}"
    finally:
        stop.set()
        await serving
