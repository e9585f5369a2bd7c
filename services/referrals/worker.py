"""The worker's jobs beside messages: the clocks of referrals, and those that are carried on with other systems.

Any number of workers do both side by side.
"""

import asyncio
import logging
from datetime import datetime

from services.referrals.app.clocks import fire_due
from services.referrals.app.exchange import Pace, take_due, visit_other_side
from services.referrals.partners.client import PartnerClient, Reach, open_client
from services.referrals.partners.known import partners_in
from services.referrals.settings import ExchangeSettings
from services.referrals.store import exchanges, referrals
from services.referrals.store.exchanges import Exchange
from shared.engine import Engine
from shared.errors import Unavailable
from shared.messaging.waiting import either
from shared.store.losses import DATABASE_LOSSES
from shared.telemetry.failures import class_of

log = logging.getLogger(__name__)

LOOK = 20.0
"""Seconds between looks at the clocks, at most: another process may have started one."""


async def keep_clocks(engine: Engine, stop: asyncio.Event, *, look: float = LOOK) -> None:
    """Tell what is due until ``stop``; the clocks are in the database, so whoever comes next goes on from there."""
    while not stop.is_set():
        wait = look
        try:
            while not stop.is_set() and await fire_due(engine):
                pass
            next_at = await referrals.next_due(engine.pool)
        except (*DATABASE_LOSSES, Unavailable) as error:
            log.warning("the clocks of referrals wait: %s", class_of(error))
        else:
            wait = _until(engine, next_at, look)
        await either(stop, seconds=wait)


async def exchange(engine: Engine, stop: asyncio.Event) -> None:
    """Carry referrals on with the partners that the environment names; without any there is nothing to do."""
    settings = ExchangeSettings()
    if settings.partners_file is None or settings.public_base is None:
        return
    reach = Reach(settings.exchange_allow_http, settings.exchange_allow_private, settings.exchange_timeout)
    async with open_client(partners_in(settings.partners_file), reach) as client:
        await exchange_loop(engine, stop, client, settings.public_base, Pace())


async def exchange_loop(engine: Engine, stop: asyncio.Event, client: PartnerClient, base: str, pace: Pace) -> None:
    """Visit what is due until ``stop``; then finish the visits under way. ``base`` is our own FHIR base."""
    ended = asyncio.Event()
    under_way: set[asyncio.Task[None]] = set()

    def finished(visit: asyncio.Task[None]) -> None:
        under_way.discard(visit)
        ended.set()
        if not visit.cancelled() and (error := visit.exception()):
            # its lease runs out and somebody visits again
            log.error("a visit to a partner broke: %s", class_of(error))

    try:
        while not stop.is_set():
            ended.clear()
            due: list[Exchange] = []
            wait = pace.look
            try:
                free = pace.concurrency - len(under_way)
                due = await take_due(engine, limit=free, lease=pace.lease) if free else []
                for held in due:
                    visit = asyncio.create_task(visit_other_side(engine, held, client, base, pace))
                    under_way.add(visit)
                    visit.add_done_callback(finished)
                if free and not due:
                    wait = _until(engine, await exchanges.next_due(engine.pool), pace.look)
            except DATABASE_LOSSES as error:
                log.warning("exchanges with partners wait: %s", class_of(error))
            if len(under_way) >= pace.concurrency or not due:
                await either(stop, ended, seconds=wait)
    finally:
        if under_way:
            await asyncio.wait(under_way)


def _until(engine: Engine, next_at: datetime | None, look: float) -> float:
    """Seconds until ``next_at``, at most ``look``."""
    return look if next_at is None else min(look, max(0.05, (next_at - engine.clock()).total_seconds()))
