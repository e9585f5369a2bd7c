"""The delivery loop: claim what is due, try it, settle it. Any number of workers run it side by side."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter

from services.notifications.app.commands import settle
from services.notifications.app.measures import ATTEMPTS
from services.notifications.channels import Send
from services.notifications.channels.email import Mailbox, email_channel
from services.notifications.channels.webhook import webhook_channel
from services.notifications.domain.delivery import DELAYS, LEASE, Letter, Outcome, Reason, Verdict
from services.notifications.domain.preferences import Channel
from services.notifications.settings import NotificationSettings
from services.notifications.store import deliveries
from services.notifications.store.deliveries import Claimed
from services.notifications.store.listen import LOSSES, listen, pause
from shared.engine import Engine
from shared.telemetry.failures import class_of
from shared.telemetry.propagation import consuming

log = logging.getLogger(__name__)

Channels = Mapping[Channel, Send]


@dataclass(frozen=True, slots=True)
class Pace:
    """How a loop works. ``poll`` (seconds) is the longest wait when nobody rings."""

    concurrency: int = 16
    poll: float = 1.0
    delays: tuple[timedelta, ...] = DELAYS
    attempt: float = LEASE.total_seconds() / 2
    """Seconds after which an attempt is given up, however slowly the other side answers."""


async def deliver(engine: Engine, stop: asyncio.Event) -> None:
    """The worker's job, set up from the environment."""
    settings = NotificationSettings()
    async with open_channels(settings) as channels:
        await delivery_loop(engine, stop, channels, Pace(concurrency=settings.delivery_concurrency))


@asynccontextmanager
async def open_channels(settings: NotificationSettings) -> AsyncIterator[Channels]:
    """The channels that ``settings`` set up."""
    async with AsyncExitStack() as stack:
        channels: dict[Channel, Send] = {
            Channel.WEBHOOK: await stack.enter_async_context(
                webhook_channel(
                    allow_private=settings.webhook_allow_private,
                    allow_http=settings.webhook_allow_http,
                    seconds=settings.channel_timeout,
                )
            )
        }
        if settings.smtp_url:
            url, seconds = settings.smtp_url.get_secret_value(), settings.channel_timeout
            channels[Channel.EMAIL] = email_channel(Mailbox(url, settings.smtp_from, settings.links_to, seconds))
        yield channels


async def delivery_loop(engine: Engine, stop: asyncio.Event, channels: Channels, pace: Pace) -> None:
    """Deliver until ``stop``; then finish what is on its way."""
    bell = asyncio.Event()
    ears = asyncio.create_task(listen(engine.pool, deliveries.DUE, bell.set, stop))
    at_work: set[asyncio.Task[None]] = set()

    def finished(task: asyncio.Task[None]) -> None:
        at_work.discard(task)
        bell.set()
        if not task.cancelled() and (error := task.exception()):
            # the lease runs out and somebody tries again, under the same id
            log.error("an attempt at a delivery broke: %s", class_of(error))

    try:
        while not stop.is_set():
            bell.clear()
            claimed = await _claim(engine, pace.concurrency - len(at_work))
            for one in claimed:
                task = asyncio.create_task(attempt(engine, one, channels, pace))
                at_work.add(task)
                task.add_done_callback(finished)
            if not claimed:
                await _wait(bell, stop, pace.poll)
    finally:
        if at_work:
            await asyncio.wait(at_work)
        ears.cancel()
        await asyncio.wait([ears])


async def attempt(engine: Engine, claimed: Claimed, channels: Channels, pace: Pace) -> None:
    """One attempt at one delivery, from the channel to the settled row."""
    names = {"consilium.channel": claimed.channel.value, "consilium.event.type": claimed.type}
    with consuming(claimed.traceparent, f"notifications {claimed.channel} deliver", names) as span:
        began = perf_counter()
        outcome = await _try(claimed, channels, pace)
        ATTEMPTS.add(perf_counter() - began, claimed.channel.value, outcome.verdict.value)
        span.set_attribute("consilium.verdict", outcome.verdict.value)
        await settle(engine, claimed, outcome, delays=pace.delays)
    if outcome.verdict is not Verdict.OK:
        log.warning("delivery over %s: %s, attempt %d", claimed.channel, outcome.reason, claimed.attempts)


async def _try(claimed: Claimed, channels: Channels, pace: Pace) -> Outcome:
    if claimed.attempts > len(pace.delays) + 1:
        return Outcome(Verdict.REFUSED, Reason.WORKER_LOST)
    send = channels.get(claimed.channel)
    if send is None:
        return Outcome(Verdict.RETRY, Reason.NOT_SET_UP)
    if claimed.address is None:
        return Outcome(Verdict.REFUSED, Reason.NO_ADDRESS)
    if not claimed.enabled:
        return Outcome(Verdict.REFUSED, Reason.SWITCHED_OFF)
    letter = Letter(
        id=claimed.id,
        event_id=claimed.event_id,
        type=claimed.type,
        communication=f"Communication/{claimed.communication}",
        text=claimed.text,
        focus=claimed.focus,
        sent=claimed.created_at,
        address=claimed.address,
        secret=claimed.secret,
    )
    try:
        async with asyncio.timeout(pace.attempt):
            return await send(letter)
    except TimeoutError:
        return Outcome(Verdict.RETRY, Reason.TIMEOUT)


async def _claim(engine: Engine, free: int) -> list[Claimed]:
    if free <= 0:
        return []
    try:
        return await deliveries.claim(engine.pool, limit=free, now=engine.clock())
    except LOSSES as error:
        log.warning("the delivery loop waits for its database: %s", class_of(error))
        return []


async def _wait(bell: asyncio.Event, stop: asyncio.Event, seconds: float) -> None:
    """Until somebody rings, something ends, or it is time to look."""
    stopping = asyncio.create_task(stop.wait())
    # a wait that is given up rings after the next round has begun: the loop would never rest
    stopping.add_done_callback(lambda task: None if task.cancelled() else bell.set())
    try:
        await pause(bell, seconds)
    finally:
        stopping.cancel()
