"""No address, no secret, no text and no reference of a receiver in any log line or error text."""

import asyncio
import logging

import pytest

from services.notifications.channels.stream import feed
from services.notifications.domain.preferences import Channel
from services.notifications.store import deliveries as store
from services.notifications.worker import Pace, attempt, delivery_loop, open_channels
from shared.engine import Engine
from shared.security.caller import Caller, Role
from tests.eventually import eventually
from tests.integration.notifications.asking import open_stream
from tests.integration.notifications.receivers import HookServer, MailServer
from tests.integration.notifications.support import deliveries, hears, prefers, referral
from tests.integration.notifications.test_delivery_loop import SOON, settings

RECEIVER = "Practitioner/CANARY-receiver"
CANARIES = ("CANARY", "A referral to", "/hook", "whsec_", "Patient/p1")


def _no_canary_in(caplog: pytest.LogCaptureFixture) -> None:
    for record in caplog.records:
        if record.name == "mail.log":  # the receiving mail server's own log
            continue
        assert not any(canary in record.getMessage() for canary in CANARIES), record.name


async def test_deliveries_over_every_channel_leave_no_canary_in_the_logs(
    engine: Engine, mail: MailServer, hook: HookServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hook.answers.extend([500, 410])
    mail.answers.extend(["451 CANARY", "550 CANARY"])
    await prefers(engine, RECEIVER, Channel.EMAIL, "CANARY@clinic.example")
    await prefers(engine, RECEIVER, Channel.WEBHOOK, hook.url + "/CANARY")
    await hears(engine, referral("accepted", requester=RECEIVER))
    stop = asyncio.Event()
    async with open_channels(settings(mail)) as channels:
        running = asyncio.create_task(delivery_loop(engine, stop, channels, Pace(poll=0.05, delays=SOON)))

        async def both_failed() -> bool:
            return [row["status"] for row in await deliveries(engine.pool)] == ["failed", "delivered", "failed"]

        await eventually(both_failed)
        stop.set()
        await running
    assert any(record.name == "services.notifications.worker" for record in caplog.records)
    _no_canary_in(caplog)


async def test_a_stream_leaves_no_canary_in_the_logs(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await hears(engine, referral("accepted", task="Task/CANARY", requester=RECEIVER))
    caller = Caller("CANARY", Role.CLINICIAN, None, RECEIVER)
    stop = asyncio.Event()
    job = asyncio.create_task(feed(engine, stop))
    async with open_stream(engine, caller, "0") as stream:
        assert len(await stream.events(1)) == 1
    stop.set()
    await job
    _no_canary_in(caplog)


async def test_what_is_claimed_shows_neither_address_nor_text(engine: Engine, hook: HookServer) -> None:
    await prefers(engine, RECEIVER, Channel.WEBHOOK, hook.url + "/CANARY")
    await hears(engine, referral("accepted"))
    await hears(engine, referral("completed", requester=RECEIVER, version=3))
    (claimed,) = await store.claim(engine.pool, limit=9, now=engine.clock())
    shown = repr(claimed).replace(RECEIVER, "")
    assert not any(canary in shown for canary in CANARIES)
    async with open_channels(settings()) as channels:
        await attempt(engine, claimed, channels, Pace())
