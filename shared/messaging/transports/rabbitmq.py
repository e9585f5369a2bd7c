"""The transport over RabbitMQ (aio-pika): a topic exchange, quorum queues, confirms, retries by TTL, dead letters."""

import asyncio
from collections.abc import Collection, Sequence

from shared.clock import Clock, system_clock
from shared.errors import NotFound
from shared.messaging.topology import Queue
from shared.messaging.transport import DeadLetter, Handler, Outgoing
from shared.messaging.transports import rabbitmq_dead as dead
from shared.messaging.transports.rabbitmq_asking import Asking
from shared.messaging.transports.rabbitmq_connecting import unavailable
from shared.messaging.transports.rabbitmq_consumer import Consuming
from shared.messaging.transports.rabbitmq_publisher import Publisher
from shared.messaging.transports.rabbitmq_topology import LOSSES


class RabbitTransport:
    """``Transport`` on the broker at ``url``. Connections are made when they are needed."""

    def __init__(self, url: str, *, handler_seconds: float = 60.0, clock: Clock = system_clock) -> None:
        self._url = url
        self._handler_seconds = handler_seconds
        self._clock = clock
        self._publisher = Publisher(url)
        self._asking = Asking(url)

    async def declare(self, queues: Collection[Queue]) -> None:
        """See ``Transport``."""
        try:
            await self._publisher.declare(queues)
        except LOSSES as error:
            raise unavailable(error) from error

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """See ``Transport``."""
        await self._publisher.publish(events)

    async def consume(self, queue: Queue, handler: Handler, *, prefetch: int, stop: asyncio.Event) -> None:
        """See ``Transport``."""
        consuming = Consuming(
            self._url, queue, handler, prefetch=prefetch, seconds=self._handler_seconds, clock=self._clock
        )
        await consuming.run(stop)

    async def depth(self, queue: str) -> int:
        """See ``Transport``."""
        async with self._asking.channel() as channel:
            return await dead.count(channel, queue)

    async def dead_list(self, queue: str, limit: int = 100) -> list[DeadLetter]:
        """See ``Transport``."""
        return await dead.letters(self._url, queue, limit)

    async def dead_show(self, queue: str, id: str) -> DeadLetter:
        """See ``Transport``."""
        for letter in await dead.letters(self._url, queue, None):
            if letter.id == id:
                return letter
        raise NotFound("no such dead letter")

    async def dead_replay(self, queue: str, ids: Collection[str] | None = None) -> int:
        """See ``Transport``."""
        return await dead.replay(self._url, queue, ids)

    async def close(self) -> None:
        """See ``Transport``."""
        await self._asking.close()
        await self._publisher.close()
