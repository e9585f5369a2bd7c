"""What stands on the broker for each queue (https://www.rabbitmq.com/docs/quorum-queues).

``<queue>``            the live messages, bound to the topic exchange
``<queue>.retry.<n>``  messages that failed n times wait here until their own TTL brings them back to ``<queue>``
``<queue>.dead``       messages that were given up
Every one is a quorum queue. Dead-lettering is at-least-once: a message leaves its queue when the next one has it.
"""

from collections.abc import Collection

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel
from aiormq.exceptions import AMQPError, ChannelInvalidStateError, ConnectionClosed
from pamqp.common import FieldTable

from shared.messaging.topology import EXCHANGE, Queue

LOSSES = (AMQPError, ChannelInvalidStateError, ConnectionClosed, OSError, TimeoutError)
"""What a lost broker looks like."""

ENDLESS = 1_000_000_000
"""Reading the dead letters returns them to the queue, which counts as a delivery: never give up on account of that."""
CRASHES = 50
"""Deliveries without an answer (the consumer died over it) after which the broker itself calls a message dead."""


async def declare_queue(channel: AbstractChannel, queue: Queue) -> None:
    """Make the exchange, the queue with its bindings, its retry queues and its dead-letter queue as they should be."""
    await declare_exchange(channel, queue.exchange)
    await channel.declare_queue(queue.dead, durable=True, arguments=_quorum(**{"x-delivery-limit": ENDLESS}))
    for number in range(1, len(queue.retry_delays) + 1):
        await channel.declare_queue(queue.retry(number), durable=True, arguments=_quorum(**_onward(queue.name)))
    live = await channel.declare_queue(
        queue.name, durable=True, arguments=_quorum(**_onward(queue.dead), **{"x-delivery-limit": CRASHES})
    )
    for key in queue.routing_keys:
        await live.bind(queue.exchange, routing_key=key)


async def declare_all(channel: AbstractChannel, queues: Collection[Queue]) -> None:
    """The exchange and all ``queues``."""
    await declare_exchange(channel, EXCHANGE)
    for queue in queues:
        await declare_queue(channel, queue)


async def declare_exchange(channel: AbstractChannel, name: str) -> None:
    """A durable topic exchange."""
    await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True)


def _quorum(**more: str | int) -> FieldTable:
    return {"x-queue-type": "quorum", **more}


def _onward(queue: str) -> dict[str, str | int]:
    return {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
