"""The worker's jobs beside messages: what this release ships is in the shared record, and tables that it brings are
filled from what was there before."""

import asyncio
import logging

import asyncpg

from services.careplans.app.catalogue import load_catalogue, packaged
from services.careplans.app.filling import fill
from shared.engine import Engine
from shared.errors import Unavailable
from shared.messaging.waiting import either
from shared.store.losses import DATABASE_LOSSES
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds until another try."""


async def load_at_start(engine: Engine, stop: asyncio.Event, *, again: float = AGAIN) -> None:
    """Load the catalogue once; return then, or on ``stop``."""
    wanted = await asyncio.to_thread(packaged)
    while not stop.is_set():
        try:
            loaded = await load_catalogue(engine, wanted)
        except (asyncpg.PostgresError, *DATABASE_LOSSES, Unavailable) as error:
            # whatever the database has against it, messages go on meanwhile
            log.warning("the treatment catalogue waits: %s", class_of(error))
            await either(stop, seconds=again)
        else:
            log.info("the treatment catalogue: %d created, %d updated", loaded.created, loaded.updated)
            return


async def fill_at_start(engine: Engine, stop: asyncio.Event, *, again: float = AGAIN) -> None:
    """Fill the tables that a migration made from what was stored before; return then, or on ``stop``."""
    while not stop.is_set():
        try:
            while not stop.is_set() and await fill(engine):
                pass
        except (asyncpg.PostgresError, *DATABASE_LOSSES) as error:
            log.warning("the filling of tables waits: %s", class_of(error))
            await either(stop, seconds=again)
        else:
            return
