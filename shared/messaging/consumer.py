"""A consumer binds a queue to a handler on a transport."""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass

from shared.errors import Unavailable
from shared.messaging.topology import Queue
from shared.messaging.transport import Handler, Transport
from shared.messaging.waiting import either
from shared.store.losses import DATABASE_LOSSES

log = logging.getLogger(__name__)

PREFETCH = 16


@dataclass(frozen=True, slots=True)
class Consumer:
    """``prefetch`` messages are in hand at once, those of one subject one after the other."""

    queue: Queue
    handler: Handler
    prefetch: int = PREFETCH


async def declare(transport: Transport, queues: Collection[Queue], stop: asyncio.Event) -> None:
    """Declare ``queues``; where the carrier is not there yet, as soon as it is, or until ``stop``."""
    losses = 0
    while not stop.is_set():
        try:
            await transport.declare(queues)
        except (*DATABASE_LOSSES, Unavailable) as error:
            losses += 1
            log.warning("queues cannot be declared yet: %s", type(error).__name__)
            await either(stop, seconds=min(0.1 * 2 ** min(losses, 6), 5.0))
        else:
            return


async def run_consumers(transport: Transport, consumers: tuple[Consumer, ...], stop: asyncio.Event) -> None:
    """Declare all queues, then consume until ``stop``; what is in hand then is finished, the rest goes back.

    A consumer that fails beyond recovery (a programming error) ends the others and raises: a worker that is half
    alive would look healthy.
    """
    async with asyncio.TaskGroup() as group:
        for one in consumers:
            group.create_task(transport.consume(one.queue, one.handler, prefetch=one.prefetch, stop=stop))
