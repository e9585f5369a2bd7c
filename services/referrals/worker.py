"""The worker's job beside messages: the clocks of referrals. Any number of workers keep them side by side."""

import asyncio
import logging

from services.referrals.app.clocks import fire_due
from services.referrals.store import referrals
from shared.engine import Engine
from shared.errors import Unavailable
from shared.messaging.waiting import either
from shared.store.losses import DATABASE_LOSSES
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

LOOK = 20.0
"""Seconds between looks at the clocks, at most: another process may have started one."""


async def keep_clocks(engine: Engine, stop: asyncio.Event, *, look: float = LOOK) -> None:
    """Tell what is due until ``stop``; the clocks are in the database, so whoever comes next goes on from there."""
    while not stop.is_set():
        wait = look
        try:
            while not stop.is_set() and await fire_due(engine):
                pass
            next_at = await referrals.next_due(engine.pool)
        except (*DATABASE_LOSSES, Unavailable) as error:
            log.warning("the clocks of referrals wait: %s", class_of(error))
        else:
            if next_at is not None:
                wait = min(look, max(0.05, (next_at - engine.clock()).total_seconds()))
        await either(stop, seconds=wait)
