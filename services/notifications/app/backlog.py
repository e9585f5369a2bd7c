"""The worker's look at deliveries that nobody takes up, every few seconds, for the gauges."""

import asyncio
import logging

from services.notifications.app.measures import OVERDUE, OVERDUE_AGE, SENT
from services.notifications.store import deliveries
from services.notifications.store.listen import LOSSES
from shared.engine import Engine
from shared.messaging.waiting import either
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

EVERY = 15.0
"""Seconds."""


async def watch_backlog(engine: Engine, stop: asyncio.Event, *, every: float = EVERY) -> None:
    """Measure until ``stop``; what cannot be reached keeps its last figure."""
    while not stop.is_set():
        try:
            overdue = await deliveries.overdue(engine.pool, now=engine.clock())
        except LOSSES as error:
            log.warning("deliveries could not be measured: %s", class_of(error))
        else:
            for channel in SENT:
                number, seconds = overdue.get(channel, (0, 0.0))
                OVERDUE.set(number, channel.value)
                OVERDUE_AGE.set(seconds, channel.value)
        await either(stop, seconds=every)
