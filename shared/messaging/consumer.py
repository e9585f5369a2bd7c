"""A consumer binds a queue to a handler on a transport."""

import asyncio
from dataclasses import dataclass

from shared.messaging.topology import Queue
from shared.messaging.transport import Handler, Transport

PREFETCH = 16


@dataclass(frozen=True, slots=True)
class Consumer:
    """``prefetch`` messages are in hand at once, those of one subject one after the other."""

    queue: Queue
    handler: Handler
    prefetch: int = PREFETCH


async def run_consumers(transport: Transport, consumers: tuple[Consumer, ...], stop: asyncio.Event) -> None:
    """Declare all queues, then consume until ``stop``; what is in hand then is finished, the rest goes back.

    A consumer that fails beyond recovery (a programming error) ends the others and raises: a worker that is half
    alive would look healthy.
    """
    async with asyncio.TaskGroup() as group:
        for one in consumers:
            group.create_task(transport.consume(one.queue, one.handler, prefetch=one.prefetch, stop=stop))
