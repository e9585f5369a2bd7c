"""The worker's look at what waits, outboxes and queues, and at its databases, every few seconds, for the gauges."""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from shared.errors import ConsiliumError
from shared.messaging import outbox
from shared.messaging.topology import Queue
from shared.messaging.transport import Transport
from shared.messaging.waiting import either
from shared.store.database import Pool
from shared.store.losses import DATABASE_LOSSES
from shared.store.vitals import measure
from shared.telemetry.failures import class_of
from shared.telemetry.metrics import MessagingGauges

log = logging.getLogger(__name__)

EVERY = 15.0
"""Seconds."""


async def watch(
    pools: Mapping[str, Pool],
    transport: Transport,
    queues: Iterable[Queue],
    gauges: MessagingGauges,
    stop: asyncio.Event,
    *,
    every: float = EVERY,
) -> None:
    """Measure the outboxes in ``pools`` (by service) and ``queues`` with their dead letters until ``stop``.

    What cannot be reached keeps its last figure; readiness tells of it."""
    names = [name for queue in queues for name in (queue.name, queue.dead)]
    while not stop.is_set():
        try:
            for service, pool in pools.items():
                await _measure_outbox(service, pool, gauges)
                await measure(pool)
            for name in names:
                gauges.queue_depth.set(name, await transport.depth(name))
        except (*DATABASE_LOSSES, ConsiliumError) as error:
            log.warning("outboxes and queues could not be measured: %s", class_of(error))
        await either(stop, seconds=every)


async def _measure_outbox(service: str, pool: Pool, gauges: MessagingGauges) -> None:
    async with pool.acquire() as connection:
        depth = await outbox.depth(connection)
    gauges.outbox_depth.set(service, depth.pending)
    gauges.outbox_age_s.set(service, depth.oldest_seconds)
    gauges.outbox_parked.set(service, depth.parked)
