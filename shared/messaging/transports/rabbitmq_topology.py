"""What stands on the broker for each queue (https://www.rabbitmq.com/docs/quorum-queues).

``<queue>``            the live messages, bound to the topic exchange
``<queue>.retry.<n>``  messages that failed n times wait here until their own TTL brings them back to ``<queue>``
``<queue>.dead``       messages that were given up
Every one is a quorum queue. Dead-lettering is at-least-once: a message leaves its queue when the next one has it.
"""

from collections.abc import Collection, Sequence

from aio_pika import DeliveryMode, ExchangeType, Message
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import AMQPError, ChannelInvalidStateError, ChannelNotFoundEntity, ConnectionClosed
from pamqp.common import FieldTable

from shared.messaging.refill_request import refill_request
from shared.messaging.topology import CONTROL, EXCHANGE, Queue
from shared.messaging.transports.rabbitmq_channel import channel_of
from shared.messaging.waiting import heed_cancellation

LOSSES = (AMQPError, ChannelInvalidStateError, ConnectionClosed, OSError, TimeoutError)
"""What a lost broker looks like."""

ENDLESS = 1_000_000_000
"""Reading the dead letters returns them to the queue, which counts as a delivery: never give up on account of that."""
CRASHES = 50
"""Deliveries without an answer (the consumer died over it) after which the broker itself calls a message dead."""


def queues_of(queue: Queue) -> dict[str, FieldTable]:
    """Every queue that stands on the broker for ``queue``, and the arguments that it is made with."""
    retries = [queue.retry(number) for number in range(1, len(queue.retry_delays) + 1)]
    return {
        queue.name: _quorum(**_onward(queue.dead), **{"x-delivery-limit": CRASHES}),
        queue.dead: _quorum(**{"x-delivery-limit": ENDLESS}),
        **{name: _quorum(**_onward(queue.name)) for name in retries},
    }


async def declare_queue(connection: AbstractConnection, queue: Queue) -> None:
    """Make the exchange, the queue with its bindings, its retry queues and its dead-letter queue as they should be.

    When the queue or one of its retry queues is missing, a refill is asked for before it is made: should this process
    die in between, the next one finds the queue missing still, or the request on its way. And once more when it is
    bound: what was published since the first request was answered has passed it by.
    """
    wanted = queues_of(queue)
    live_arguments = wanted.pop(queue.name)
    missing = not await _standing(connection, [queue.name, *(name for name in wanted if name != queue.dead)])
    async with channel_of(connection) as channel:
        await declare_exchange(channel, queue.exchange)
        for name, arguments in wanted.items():
            await channel.declare_queue(name, durable=True, arguments=arguments)
        if missing:
            await _ask_for_refill(channel, queue)
        live = await channel.declare_queue(queue.name, durable=True, arguments=live_arguments)
        for key in queue.routing_keys:
            await live.bind(queue.exchange, routing_key=key)
        if missing:
            await _ask_for_refill(channel, queue)


async def declare_all(connection: AbstractConnection, queues: Collection[Queue]) -> None:
    """The exchange and all ``queues``."""
    async with channel_of(connection) as channel:
        await declare_exchange(channel, EXCHANGE)
    for queue in queues:
        await declare_queue(connection, queue)


async def declare_exchange(channel: AbstractChannel, name: str) -> None:
    """A durable topic exchange."""
    await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True)


async def _standing(connection: AbstractConnection, names: Sequence[str]) -> bool:
    try:
        async with channel_of(connection) as channel:  # the broker closes it over the first queue that is not there
            for name in names:
                await channel.declare_queue(name, passive=True)
    except ChannelNotFoundEntity:
        heed_cancellation()
        return False
    return True


async def attended(connection: AbstractConnection, name: str) -> bool:
    """Whether the queue is there and somebody consumes it."""
    try:
        async with channel_of(connection) as channel:
            queue = await channel.declare_queue(name, passive=True)
            return bool(queue.declaration_result.consumer_count)
    except ChannelNotFoundEntity:
        heed_cancellation()
        return False


async def _ask_for_refill(channel: AbstractChannel, queue: Queue) -> None:
    request = refill_request(queue)
    if queue.exchange == CONTROL:
        # Its own request cannot reach it before it exists: it waits in the first retry queue, which leads there.
        own = Message(request.body, message_id=request.id, delivery_mode=DeliveryMode.PERSISTENT, expiration=0.01)
        await channel.default_exchange.publish(own, queue.retry(1))
        return
    await declare_exchange(channel, CONTROL)
    control = await channel.get_exchange(CONTROL, ensure=False)
    message = Message(request.body, message_id=request.id, delivery_mode=DeliveryMode.PERSISTENT)
    await control.publish(message, request.type, mandatory=False)


def _quorum(**more: str | int) -> FieldTable:
    return {"x-queue-type": "quorum", **more}


def _onward(queue: str) -> dict[str, str | int]:
    return {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
