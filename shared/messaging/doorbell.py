"""Waking the relay of another process, without a NOTIFY in the writers' transactions.

PostgreSQL holds one lock for the whole server while a transaction that notified commits: NOTIFY in every write halved
the commit rate (docs/adr/0004-messaging.md). So writers ring here after their commit, and at most one notification per
``EVERY`` seconds goes out on a connection that writes nothing. A lost ring costs a relay's poll interval.
"""

import asyncio
import logging

from shared.messaging.relay import Relay
from shared.messaging.waiting import either
from shared.store.database import Pool
from shared.store.losses import DATABASE_LOSSES

log = logging.getLogger(__name__)

CHANNEL = "consilium_outbox"
EVERY = 0.005


class Doorbell:
    """For processes that write but do not relay: ``ring`` after a commit, ``run`` in the background."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """There is something in the outbox."""
        self._rung.set()

    async def run(self) -> None:
        """Pass on the rings until cancelled."""
        while True:
            await self._rung.wait()
            self._rung.clear()
            try:
                await self._pool.execute("SELECT pg_notify($1, '')", CHANNEL)
            except DATABASE_LOSSES as error:
                log.warning("a ring was lost: %s", type(error).__name__)
            await asyncio.sleep(EVERY)


async def listen(pool: Pool, relay: Relay, stop: asyncio.Event) -> None:
    """Wake ``relay`` when somebody rings, until ``stop``. Holds one connection of ``pool``."""

    def rung(*_: object) -> None:
        relay.wake()

    while not stop.is_set():
        lost = asyncio.Event()

        def ended(*_: object, lost: asyncio.Event = lost) -> None:
            lost.set()

        try:
            async with pool.acquire() as connection:
                connection.add_termination_listener(ended)
                try:
                    await connection.add_listener(CHANNEL, rung)
                    relay.wake()
                    await either(stop, lost)
                finally:
                    # also when cancelled: the pool hands the connection on; on a lost one these do nothing
                    connection.remove_termination_listener(ended)
                    await connection.remove_listener(CHANNEL, rung)
        except DATABASE_LOSSES as error:
            log.warning("the doorbell is disconnected: %s", type(error).__name__)
            await either(stop, seconds=1.0)
