"""Several API processes on one port (``CONSILIUM_WORKERS``): children that serve and do nothing in the background."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import PIPE

from shared.settings import ServerSettings

log = logging.getLogger(__name__)

TEMPLATE = "CONSILIUM_DATABASE_URL"


async def keep_running(settings: ServerSettings, databases: str, stop: asyncio.Event) -> None:
    """Run ``settings.workers`` children until ``stop``; one that ends by itself is started again."""
    async with asyncio.TaskGroup() as group:
        for _ in range(settings.workers):
            group.create_task(_keep(settings, databases, stop))


async def _keep(settings: ServerSettings, databases: str, stop: asyncio.Event) -> None:
    environment = {
        **os.environ,
        TEMPLATE: databases,
        "CONSILIUM_HOST": settings.host,
        "CONSILIUM_PORT": str(settings.port),
        "CONSILIUM_DATA_DIR": str(settings.data_dir),
        "CONSILIUM_WORKERS": str(settings.workers),
    }
    while not stop.is_set():
        # a session of its own: Ctrl-C reaches the parent, which tells the children in order
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "consilium.api_process", stdin=PIPE, env=environment, start_new_session=True
        )
        ending, stopping = asyncio.create_task(child.wait()), asyncio.create_task(stop.wait())
        await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            child.terminate()
            await ending
        elif not stop.is_set():
            log.error("an API process ended with code %d and is started again", child.returncode or 0)
            await asyncio.wait({stopping}, timeout=1.0)
        stopping.cancel()
