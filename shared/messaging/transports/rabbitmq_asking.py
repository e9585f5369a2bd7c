"""One connection for questions, kept: probes and gauges ask every few seconds how deep a queue is.

It is not the publisher's: a broker in alarm stops reading what comes from there
(https://www.rabbitmq.com/docs/connection-blocked).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import ChannelNotFoundEntity

from shared.errors import NotFound
from shared.messaging.transports.rabbitmq_channel import channel_of
from shared.messaging.transports.rabbitmq_connecting import connect, unavailable
from shared.messaging.transports.rabbitmq_topology import LOSSES
from shared.messaging.waiting import heed_cancellation


class Asking:
    """A connection that is made when somebody asks, and again after a loss."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: AbstractConnection | None = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[AbstractChannel]:
        """A channel for one question. Raises ``NotFound`` for a missing queue, ``Unavailable`` without a broker."""
        try:
            connection = await self._open()
            async with channel_of(connection) as channel:
                yield channel
        except ChannelNotFoundEntity as error:
            raise NotFound("no such queue") from error
        except LOSSES as error:
            heed_cancellation()
            await self.close()
            raise unavailable(error) from error

    async def _open(self) -> AbstractConnection:
        async with self._opening:
            if self._connection is None or self._connection.is_closed:
                self._connection = await connect(self._url)
            return self._connection

    async def close(self) -> None:
        """Close the connection; the next question opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close()
            except LOSSES:
                return  # it was lost before: nothing is left to close
