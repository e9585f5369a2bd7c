"""Deliveries as figures: attempts by verdict, what ended how, how late, and what nobody takes up."""

import asyncio
from typing import Any

from services.notifications.app.backlog import watch_backlog
from services.notifications.app.measures import ATTEMPTS, DELAY, OVERDUE, OVERDUE_AGE, SETTLED
from services.notifications.domain.preferences import Channel
from services.notifications.worker import open_channels
from shared.engine import Engine
from shared.telemetry.instruments import Instrument
from tests.eventually import eventually
from tests.integration.notifications.receivers import HookServer
from tests.integration.notifications.support import LIND, hears, prefers, referral
from tests.integration.notifications.test_delivery_loop import settings, workers


def told(instrument: Instrument) -> dict[tuple[Any, ...], float]:
    """Labels -> value, or count for a histogram."""
    metric = instrument.metric()
    points = metric.data.data_points if metric else ()
    return {tuple((one.attributes or {}).values()): getattr(one, "count", getattr(one, "value", 0)) for one in points}


async def test_what_ends_is_counted_by_how_it_ended(engine: Engine, hook: HookServer) -> None:
    settled, attempts, delays = told(SETTLED), told(ATTEMPTS), told(DELAY)
    hook.answers.extend([500])
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    await hears(engine, referral("accepted"))
    async with open_channels(settings()) as channels, workers(engine, channels):
        await eventually(lambda: ended("delivered", settled))
        hook.answers.extend([410])
        await hears(engine, referral("completed"))
        await eventually(lambda: ended("failed", settled))
    more = {key: value - attempts[key] for key, value in told(ATTEMPTS).items() if value != attempts[key]}
    assert more == {("webhook", "retry"): 1, ("webhook", "ok"): 1, ("webhook", "gone"): 1}
    assert told(DELAY)[("webhook",)] == delays[("webhook",)] + 1


async def ended(status: str, before: dict[tuple[Any, ...], float]) -> bool:
    """One more webhook ended so."""
    return told(SETTLED)["webhook", status] == before["webhook", status] + 1


async def test_what_nobody_takes_up_is_counted_until_somebody_does(engine: Engine, hook: HookServer) -> None:
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    await hears(engine, referral("accepted"))
    stop = asyncio.Event()
    watching = asyncio.create_task(watch_backlog(engine, stop, every=0.02))

    async def overdue(number: int) -> bool:
        return told(OVERDUE).get(("webhook",)) == number and (told(OVERDUE_AGE)[("webhook",)] > 0) is (number > 0)

    try:
        await eventually(lambda: overdue(1))
        async with open_channels(settings()) as channels, workers(engine, channels):
            await eventually(lambda: overdue(0))
    finally:
        stop.set()
        await watching
