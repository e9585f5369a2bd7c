"""Dead letters on RabbitMQ: read by taking them without acknowledgement and giving them back.

While somebody reads, nobody else sees those messages; they are back when the reader's channel closes.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiormq.exceptions import ChannelNotFoundEntity

from shared.errors import NotFound
from shared.messaging.transport import DeadLetter
from shared.messaging.transports.rabbitmq_channel import opened
from shared.messaging.transports.rabbitmq_connecting import connect, unavailable
from shared.messaging.transports.rabbitmq_message import Record, again, dead_letter
from shared.messaging.transports.rabbitmq_topology import LOSSES


@asynccontextmanager
async def visiting(url: str) -> AsyncIterator[AbstractChannel]:
    """A channel on its own connection. Raises ``NotFound`` for a missing queue, ``Unavailable`` without a broker."""
    try:
        async with await connect(url) as connection:
            yield await opened(connection, on_return_raises=True)
    except ChannelNotFoundEntity as error:
        raise NotFound("no such queue") from error
    except LOSSES as error:
        raise unavailable(error) from error


async def count(channel: AbstractChannel, queue: str) -> int:
    """How many messages are ready in ``queue``."""
    declared = await channel.declare_queue(queue, passive=True)
    return declared.declaration_result.message_count or 0


async def browse(channel: AbstractChannel, queue: str, limit: int | None = None) -> list[AbstractIncomingMessage]:
    """The first ``limit`` dead letters of ``queue``, taken and not yet given back."""
    name = f"{queue}.dead"
    ready = await count(channel, name)
    source = await channel.get_queue(name, ensure=False)
    taken: list[AbstractIncomingMessage] = []
    for _ in range(ready if limit is None else min(ready, limit)):
        message = await source.get(no_ack=False, fail=False)
        if message is None:
            break
        taken.append(message)
    return taken


async def letters(url: str, queue: str, limit: int | None) -> list[DeadLetter]:
    """The dead letters of ``queue``, oldest first."""
    async with visiting(url) as channel:
        taken = await browse(channel, queue, limit)
        found = [dead_letter(queue, message) for message in taken]
        for message in taken:
            await message.nack(requeue=True)
        return found


async def replay(url: str, queue: str, ids: Collection[str] | None) -> int:
    """Put dead letters back into ``queue``, each acknowledged when the queue has it; how many."""
    moved = 0
    async with visiting(url) as channel:
        await count(channel, queue)
        for message in await browse(channel, queue):
            if ids is None or message.message_id in ids:
                await channel.default_exchange.publish(again(message, Record()), queue)
                await message.ack()
                moved += 1
            else:
                await message.nack(requeue=True)
    return moved
