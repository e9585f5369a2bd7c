"""The empty FastAPI endpoint, served by the same server as the system, in a process of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvloop

from bench.server import free_port
from shared.process.server import serve


@asynccontextmanager
async def empty_fastapi() -> AsyncIterator[str]:
    """Its URL."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.reference_server", env=os.environ | {"PORT": str(port)}
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    await client.get(url)
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        yield url
    finally:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    from bench.reference import app

    uvloop.run(serve(app, host="127.0.0.1", port=int(os.environ["PORT"]), stop=asyncio.Event()))
