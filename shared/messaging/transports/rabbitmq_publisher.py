"""Publishing with confirms (https://www.rabbitmq.com/docs/confirms): many in flight, awaited together.

Events go in waves that hold each subject once: when one comes back, nothing later of its subject has been sent. All are
``mandatory``: one that no queue hears comes back, and the topology is declared anew before anybody tries again.
"""

import asyncio
import math
import time
from collections.abc import Callable, Collection, Sequence
from typing import cast

import aiormq
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import DeliveryError, PublishError

from shared.messaging.topology import EXCHANGE, Queue
from shared.messaging.transport import REJECTED, UNAVAILABLE, UNROUTABLE, Outgoing, Unconfirmed
from shared.messaging.transports.rabbitmq_channel import opened
from shared.messaging.transports.rabbitmq_connecting import connect
from shared.messaging.transports.rabbitmq_message import properties
from shared.messaging.transports.rabbitmq_topology import LOSSES, declare_all
from shared.messaging.waiting import heed_cancellation

CONFIRMED_WITHIN = 30.0
"""Seconds for one wave. A broker in alarm blocks its publishers; better to let go of the outbox rows than to hang."""

CHANNEL_LASTS = 2.0
"""The fewest seconds between two changes of the channel over rejections: a queue that is full rejects with every batch,
and must not slow what goes to others."""


class Publisher:
    """One connection and channel for publishing, made when needed and again after a loss."""

    def __init__(self, url: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._now, self._changed_at = now, -math.inf
        self._queues: dict[str, Queue] = {}
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    async def declare(self, queues: Collection[Queue]) -> None:
        """Make ``queues`` now, and again on every new connection and after a returned event."""
        self._queues.update({queue.name: queue for queue in queues})
        await self.channel()
        if self._connection is not None:
            await declare_all(self._connection, queues)
        heed_cancellation()

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """See ``Transport``."""
        failed: dict[str, str] = {}
        stuck: set[str] = set()
        try:
            # aio-pika hands out its aiormq channel as an interface that leaves out ``wait``
            channel = cast(aiormq.Channel, await (await self.channel()).get_underlay_channel())
        except LOSSES as error:
            heed_cancellation()
            raise Unconfirmed({event.id: UNAVAILABLE for event in events}) from error
        for wave in waves(events):
            sent = [event for event in wave if event.subject not in stuck]
            outcomes = await asyncio.gather(*(_send(channel, event) for event in sent))
            failures = {event: outcome for event, outcome in zip(sent, outcomes, strict=True) if outcome is not None}
            failures |= {event: UNAVAILABLE for event in wave if event.subject in stuck}
            stuck |= {event.subject for event in failures}
            failed |= {event.id: outcome for event, outcome in failures.items()}
        heed_cancellation()
        if failed:
            if UNROUTABLE in failed.values():
                await self._restore()
            if REJECTED in failed.values():
                await self._change_channel()
            raise Unconfirmed(failed)

    async def channel(self) -> AbstractChannel:
        """An open channel with confirms. Raises one of ``LOSSES`` when the broker cannot be reached."""
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                await self.close()
                self._connection = await connect(self._url)
                await declare_all(self._connection, self._queues.values())
                self._channel = await opened(self._connection, on_return_raises=True)
            return self._channel

    async def close(self) -> None:
        """Close the connection; the next use opens another."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            try:
                await connection.close()
            except LOSSES:
                return  # it was lost before: nothing is left to close

    async def _change_channel(self) -> None:
        """A channel that was opened while a queue had no leader goes on asking the node that led before, and has all
        rejected for as long as that is away (RabbitMQ 3.10). Another on the same connection asks who leads now."""
        async with self._opening:
            connection, old = self._connection, self._channel
            if connection is None or old is None or self._now() - self._changed_at < CHANNEL_LASTS:
                return
            self._changed_at = self._now()
            try:
                self._channel = await opened(connection, on_return_raises=True)
                await old.close()
            except LOSSES:
                heed_cancellation()
                await self.close()

    async def _restore(self) -> None:
        try:
            await self.declare(list(self._queues.values()))
        except LOSSES:
            heed_cancellation()
            await self.close()


async def _send(channel: aiormq.Channel, event: Outgoing) -> str | None:
    """Publish one event and wait for its confirm; None is success."""
    try:
        await channel.basic_publish(
            event.body,
            exchange=EXCHANGE,
            routing_key=event.type,
            properties=properties(event),
            mandatory=True,
            timeout=CONFIRMED_WITHIN,
            wait=False,
        )
    except PublishError:
        return UNROUTABLE
    except DeliveryError:
        return REJECTED
    except LOSSES:
        return UNAVAILABLE
    return None


def waves(events: Sequence[Outgoing]) -> list[list[Outgoing]]:
    """``events`` cut so that every wave holds each subject at most once and a subject's events keep their order."""
    seen: dict[str, int] = {}
    cut: list[list[Outgoing]] = []
    for event in events:
        position = seen.get(event.subject, 0)
        seen[event.subject] = position + 1
        if position == len(cut):
            cut.append([])
        cut[position].append(event)
    return cut
