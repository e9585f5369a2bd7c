"""The worker's jobs beside messages: what this release ships is in the shared record, tables that it brings are filled
from what was there before, orders get to the referrals' service, and its waits come here; uncertain diagnoses are
looked at again, and the findings of the safety rules are in step with the record. Any number of workers do so side by
side.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import asyncpg

from services.careplans.app.attempts import attempted
from services.careplans.app.catalogue import load_catalogue, packaged
from services.careplans.app.filling import fill
from services.careplans.app.findings import evaluate_due, scan
from services.careplans.app.ordering import send_due
from services.careplans.app.revisits import tell_due
from services.careplans.app.waits import bring_in_waits
from services.careplans.store import orders, safety
from shared.engine import Engine
from shared.errors import Unavailable
from shared.messaging.waiting import either
from shared.store.losses import DATABASE_LOSSES
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

AGAIN = 5.0
"""Seconds until another try."""
LOOK = 2.0
"""Seconds between looks for orders, at most: it is an API process that puts them down."""

WAITS_AGAIN = 60.0
"""Seconds until the referrals' service, which did not answer, is asked again."""

LOOK_AT_CHANGES = 10.0
"""Seconds between looks at what changed in the record."""
NAG_AGAIN = 60.0
"""Seconds between looks at what a new day brings."""


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


async def keep_findings(engine: Engine, stop: asyncio.Event, *, look: float = LOOK_AT_CHANGES) -> None:
    """Look at what changed and at whoever is due until ``stop``. What is due is in the database: whoever comes next
    goes on from there."""
    while not stop.is_set():
        wait = look
        try:
            await scan(engine)
            while not stop.is_set() and await _look_at_one(engine):
                pass
            next_at = await safety.next_due(engine.pool)
        except (asyncpg.PostgresError, *DATABASE_LOSSES, Unavailable) as error:
            log.warning("the findings of the safety rules wait: %s", class_of(error))
        else:
            if next_at is not None:
                wait = min(look, max(0.05, (next_at - engine.clock()).total_seconds()))
        await either(stop, seconds=wait)


async def _look_at_one(engine: Engine) -> bool:
    """Look at one patient; a record that breaks the look is tried again later, and the others go on."""
    found = await attempted(evaluate_due(engine))
    if isinstance(found, bool):
        return found
    if isinstance(found, (asyncpg.PostgresError, *DATABASE_LOSSES, Unavailable)):
        raise found
    log.error("the safety rules broke at a record: %s", class_of(found))
    return True


async def _until_done(work: Callable[[Engine], Awaitable[int]], engine: Engine, stop: asyncio.Event) -> None:
    """``work`` through what is there, as long as it found something."""
    while not stop.is_set() and await work(engine):
        pass


def _waits(what: str, error: Exception) -> None:
    """Say that ``what`` waits; messages go on meanwhile. A broken record is for people to look at."""
    lost = isinstance(error, (asyncpg.PostgresError, *DATABASE_LOSSES, Unavailable))
    log.log(logging.WARNING if lost else logging.ERROR, "%s: %s", what, class_of(error))


async def fill_at_start(engine: Engine, stop: asyncio.Event, *, again: float = AGAIN) -> None:
    """Fill the tables that a migration made from what was stored before; return then, or on ``stop``."""
    while not stop.is_set():
        error = await attempted(_until_done(fill, engine, stop))
        if error is None:
            return
        _waits("the filling of tables waits", error)
        await either(stop, seconds=again)


async def nag(engine: Engine, stop: asyncio.Event, *, look: float = NAG_AGAIN) -> None:
    """Tell of uncertain diagnoses whose date has passed, until ``stop``; any number of workers do so side by side."""
    while not stop.is_set():
        error = await attempted(_until_done(tell_due, engine, stop))
        if isinstance(error, Exception):
            _waits("diagnoses to look at again wait", error)
        await either(stop, seconds=look)


async def send_orders(engine: Engine, stop: asyncio.Event, *, look: float = LOOK) -> None:
    """Send what is due until ``stop``; orders are in the database, so whoever comes next goes on from there."""
    while not stop.is_set():
        wait = look
        try:
            while not stop.is_set() and await send_due(engine):
                pass
            next_at = await orders.next_due(engine.pool)
            if next_at is not None:
                wait = min(look, max(0.05, (next_at - engine.clock()).total_seconds()))
        except (asyncpg.PostgresError, *DATABASE_LOSSES, Unavailable) as error:
            log.warning("orders to the referrals' service wait: %s", class_of(error))
        await either(stop, seconds=wait)


async def follow_waits(engine: Engine, stop: asyncio.Event, *, again: float = WAITS_AGAIN) -> None:
    """Keep the waits of the directory until ``stop``."""
    while not stop.is_set():
        found = await attempted(bring_in_waits(engine))
        if isinstance(found, Exception):
            _waits("the waits of the directory are not known anew", found)
        await either(stop, seconds=again if isinstance(found, Exception) else found.total_seconds())
