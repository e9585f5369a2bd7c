"""Consuming from RabbitMQ: one connection per consumer, all of it made again after any loss.

We do not use aio-pika's robust objects here: what they restore, and when, has been wrong in several ways (consumers
gone after a broker restart, a cancel on queue deletion not noticed). This loop has one way in: connect, declare,
consume; and one way out: closed or cancelled, then it begins anew.
"""

import asyncio
import logging
import time
from contextlib import suppress

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aiormq.exceptions import DeliveryError

from shared.clock import Clock
from shared.messaging.delivery import Failure, Lanes, attempt, expected, put_aside, read
from shared.messaging.topology import Queue
from shared.messaging.transport import Handler
from shared.messaging.transports.rabbitmq_channel import channel_of
from shared.messaging.transports.rabbitmq_connecting import connect
from shared.messaging.transports.rabbitmq_message import again, record_of, traceparent_of
from shared.messaging.transports.rabbitmq_topology import LOSSES, attended, declare_queue
from shared.messaging.waiting import either, heed_cancellation

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0
"""Seconds between looks whether the queue still has a consumer: a cancel for a deleted queue does not always come."""
RENEW_AFTER = 15.0
"""Seconds without a message after which a consumer begins anew on another channel. A quorum queue that was deleted and
made again at once goes on delivering to the old channel, which drops the messages: it has seen their numbers before."""
ANSWERED_WITHIN = 10.0
"""Seconds for what is told to the broker of one message. Where a connection ends at the wrong moment, aiormq goes on
waiting for somebody to write the answer; the message comes again to whoever consumes next."""


class Consuming:
    """One consumer of one queue."""

    def __init__(
        self, url: str, queue: Queue, handler: Handler, *, prefetch: int, seconds: float, clock: Clock
    ) -> None:
        self._url = url
        self._queue = queue
        self._handler = handler
        self._prefetch = prefetch
        self._seconds = seconds
        self._clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until ``stop``."""
        expected(self._queue.name)
        losses = 0
        while not stop.is_set():
            try:
                connection = await connect(self._url)
                async with connection:
                    idle = True
                    while idle and not stop.is_set():
                        async with channel_of(connection, on_return_raises=True) as channel:
                            losses = 0
                            idle = await self._consume_on(connection, channel, stop)
            except LOSSES as error:
                heed_cancellation()
                log.warning("the consumer of %s lost its broker: %s", self._queue.name, type(error).__name__)
            losses += 1
            if not stop.is_set():
                await either(stop, seconds=min(0.1 * 2 ** min(losses, 6), 5.0))

    async def _consume_on(self, connection: AbstractConnection, channel: AbstractChannel, stop: asyncio.Event) -> bool:
        """Consume until ``stop`` or a loss, or until nothing came for so long that it is time to begin anew (True)."""
        lost = asyncio.Event()
        heard = time.monotonic()
        arrivals: set[asyncio.Task[None]] = set()
        lanes = Lanes()

        async def arrived(message: AbstractIncomingMessage) -> None:
            # A task of ours: aiormq cancels its own ones when the channel closes, in the middle of a handler.
            nonlocal heard
            heard = time.monotonic()
            task = asyncio.create_task(self._take(channel, message, lanes, stop, lost))
            arrivals.add(task)
            task.add_done_callback(arrivals.discard)

        def noticed(*_: object) -> None:
            lost.set()

        await channel.set_qos(prefetch_count=self._prefetch)
        await declare_queue(connection, self._queue)
        channel.close_callbacks.add(noticed)
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(noticed)
        queue = await channel.get_queue(self._queue.name, ensure=False)
        tag = await queue.consume(arrived)
        try:
            while not await either(stop, lost, seconds=LOOK_EVERY):
                if not await attended(connection, self._queue.name):
                    lost.set()  # deleted, and the broker did not tell us
                elif not arrivals and time.monotonic() - heard > RENEW_AFTER:
                    break
            if not lost.is_set():
                with suppress(*LOSSES):
                    await queue.cancel(tag)
        except asyncio.CancelledError:
            for task in arrivals:
                task.cancel()
            raise
        # What is in hand is finished before anybody consumes again: one subject is never in two hands here.
        await asyncio.gather(*arrivals)
        if lost.is_set():
            log.warning("the consumer of %s was cut off and begins anew", self._queue.name)
        return not lost.is_set()

    async def _take(
        self,
        channel: AbstractChannel,
        message: AbstractIncomingMessage,
        lanes: Lanes,
        stop: asyncio.Event,
        lost: asyncio.Event,
    ) -> None:
        event = read(message.body, traceparent_of(message))
        failure = event if isinstance(event, Failure) else None
        try:
            if not isinstance(event, Failure):
                async with lanes.lane(event.subject):
                    if lost.is_set():
                        return
                    if stop.is_set():
                        async with asyncio.timeout(ANSWERED_WITHIN):
                            await message.nack(requeue=True)
                        return
                    failure = await attempt(self._handler, event, seconds=self._seconds, queue=self._queue.name)
            async with asyncio.timeout(ANSWERED_WITHIN):
                if failure is not None:
                    await self._put_aside(channel, message, failure)
                await message.ack()
        except DeliveryError:
            # The retry or dead-letter queue did not take it: it was deleted. The message itself goes back.
            log.warning("a message of %s could not be put aside and goes back", self._queue.name)
            with suppress(*LOSSES):
                async with asyncio.timeout(ANSWERED_WITHIN):
                    await message.nack(requeue=True)
            lost.set()  # beginning anew declares what is missing
        except LOSSES as error:
            log.warning("a message of %s was not acknowledged: %s", self._queue.name, type(error).__name__)
            lost.set()

    async def _put_aside(self, channel: AbstractChannel, message: AbstractIncomingMessage, failure: Failure) -> None:
        record = record_of(message).failed(failure.reason, self._clock())
        delays = self._queue.retry_delays
        dead = failure.permanent or record.attempts > len(delays)
        if dead:
            await channel.default_exchange.publish(again(message, record), self._queue.dead)
        else:
            waiting = again(message, record, after=delays[record.attempts - 1])
            await channel.default_exchange.publish(waiting, self._queue.retry(record.attempts))
        put_aside(self._queue.name, failure, dead=dead)
