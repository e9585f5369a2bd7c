"""The worker's jobs beside messages: what this release ships is in the shared record, tables that it brings are
filled from what was there before, and uncertain diagnoses are looked at again."""

import asyncio
import logging

import asyncpg

from services.careplans.app.catalogue import load_catalogue, packaged
from services.careplans.app.filling import fill
from services.careplans.app.revisits import tell_due
from shared.engine import Engine
from shared.errors import Unavailable
from shared.messaging.waiting import either
from shared.store.losses import DATABASE_LOSSES
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds until another try."""
LOOK = 60.0
"""Seconds between looks at what a day brings."""


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


async def nag(engine: Engine, stop: asyncio.Event, *, look: float = LOOK) -> None:
    """Tell of uncertain diagnoses whose date has passed, until ``stop``; any number of workers do so side by side."""
    while not stop.is_set():
        try:
            while not stop.is_set() and await tell_due(engine):
                pass
        except (*DATABASE_LOSSES, Unavailable) as error:
            log.warning("diagnoses to look at again wait: %s", class_of(error))
        await either(stop, seconds=look)
