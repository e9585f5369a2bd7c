"""A channel on a connection that may have ended unseen: aio-pika calls one open whose transport is gone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractChannel, AbstractConnection


async def opened(connection: AbstractConnection, *, on_return_raises: bool = False) -> AbstractChannel:
    """A channel with confirms. Raises ``ConnectionError`` where ``connection`` has ended."""
    try:
        channel = connection.channel(publisher_confirms=True, on_return_raises=on_return_raises)
        await channel.initialize()
    except RuntimeError as error:
        # aiormq's word for it, which is no error of a broker's
        raise ConnectionError("the connection is closed") from error
    return channel


@asynccontextmanager
async def channel_of(
    connection: AbstractConnection, *, on_return_raises: bool = False
) -> AsyncIterator[AbstractChannel]:
    """The same for a block, closed after it."""
    channel = await opened(connection, on_return_raises=on_return_raises)
    try:
        yield channel
    finally:
        await channel.close()
