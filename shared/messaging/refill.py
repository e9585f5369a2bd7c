"""Filling a queue that had to be made anew: it was deleted, or the broker lost it, with what waited in it.

Whoever makes a missing queue first asks for a refill on the control exchange. Every service that relays hears it on
``<service>.refill`` and lets its outbox publish again what the queue hears and retention still holds; inboxes keep that
without a second effect. A refill queue that was missing itself means that requests may have been missed: then
everything is published again. The first start is the same case: a new consumer catches up with the recent past.
"""

from collections.abc import Callable

from shared.messaging import outbox
from shared.messaging.consumer import Consumer
from shared.messaging.envelope import Event
from shared.messaging.refill_request import RefillRequest, refill_queue
from shared.messaging.transport import Handler, Transport
from shared.store.database import Pool


def refills(pool: Pool, transport: Transport, wake: Callable[[], None]) -> Handler:
    """The handler of refill requests for the outbox in ``pool``; ``wake`` rings its relay."""

    async def handle(event: Event) -> None:
        wanted = event.payload(RefillRequest)
        await transport.depth(wanted.queue)  # NotFound while it is not there: too early, the request comes again
        async with pool.acquire() as connection, connection.transaction():
            await outbox.publish_again(connection, wanted.routing_keys)
        wake()

    return handle


def refill_consumer(service: str, pool: Pool, transport: Transport, wake: Callable[[], None]) -> Consumer:
    """The consumer that every worker with a relay runs beside its own ones."""
    return Consumer(refill_queue(service), refills(pool, transport, wake), prefetch=1)
