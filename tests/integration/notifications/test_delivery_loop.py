"""The delivery loop: retried, given up, replayed; by several workers, through crashes; told once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from services.notifications.app.commands import replay
from services.notifications.domain.delivery import DELIVERED, LEASE, Letter, Outcome
from services.notifications.domain.preferences import Channel
from services.notifications.settings import NotificationSettings
from services.notifications.store import deliveries as store
from services.notifications.store import preferences
from services.notifications.worker import Channels, Pace, attempt, delivery_loop, open_channels
from shared.contracts.notifications import NotificationEvent
from shared.engine import Engine
from shared.errors import Conflict, NotFound
from tests.eventually import eventually
from tests.factories.referrals import COORDINATOR
from tests.integration.notifications.receivers import HookServer, MailServer
from tests.integration.notifications.support import (
    LIND,
    attempts,
    communications,
    deliveries,
    hears,
    prefers,
    referral,
    said,
)

SOON = tuple([timedelta(milliseconds=20)] * 3)
PACE = Pace(concurrency=8, poll=0.05, delays=SOON)


def settings(mail: MailServer | None = None) -> NotificationSettings:
    values = {"webhook_allow_http": True, "webhook_allow_private": True, "smtp_url": mail.url if mail else None}
    return NotificationSettings.model_validate(values)


@asynccontextmanager
async def workers(engine: Engine, channels: Channels, count: int = 1, pace: Pace = PACE) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = [asyncio.create_task(delivery_loop(engine, stop, channels, pace)) for _ in range(count)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*running)


async def test_a_mail_and_a_webhook_go_out_and_complete_the_communication(
    engine: Engine, mail: MailServer, hook: HookServer
) -> None:
    await prefers(engine, LIND, Channel.EMAIL, "lind@clinic.example")
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    async with open_channels(settings(mail)) as channels, workers(engine, channels):
        await hears(engine, referral("accepted"))

        async def completed() -> bool:
            return [one["status"] for one in await communications(engine.pool)] == ["completed"]

        await eventually(completed)
    assert len(mail.got) == len(hook.got) == 1
    assert {row["status"] for row in await deliveries(engine.pool)} == {"delivered"}
    channels_said = sorted(payload.channel for type_, payload in await said(engine.pool))
    assert channels_said == ["email", "stream", "webhook"]


async def test_a_delivery_is_retried_with_the_same_id_until_it_is_taken(engine: Engine, hook: HookServer) -> None:
    hook.answers.extend([500, None, 429])
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    await hears(engine, referral("accepted"))
    async with open_channels(settings()) as channels, workers(engine, channels):

        async def delivered() -> bool:
            return {row["status"] for row in await deliveries(engine.pool)} == {"delivered"}

        await eventually(delivered)
    assert len({got.headers["webhook-id"] for got in hook.got}) == 1
    assert await attempts(engine.pool) == [
        (1, "retry", "http-status", 500),
        (2, "retry", "connection-failed", None),
        (3, "retry", "http-status", 429),
        (4, "ok", None, None),
    ]


async def test_after_the_last_attempt_it_has_failed_is_said_so_and_can_be_replayed(
    engine: Engine, hook: HookServer
) -> None:
    hook.answers.extend([503] * 4)
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    await hears(engine, referral("accepted"))

    async def status() -> str:
        (row,) = [row for row in await deliveries(engine.pool) if row["channel"] == "webhook"]
        return str(row["status"])

    async def failed() -> bool:
        return await status() == "failed"

    async def delivered() -> bool:
        return await status() == "delivered"

    async with open_channels(settings()) as channels, workers(engine, channels):
        await eventually(failed)
        assert len(hook.got) == 4
        (communication,) = await communications(engine.pool)
        assert communication["status"] == "on-hold"
        told = [(type_, payload.attempts) for type_, payload in await said(engine.pool) if payload.channel == "webhook"]
        assert told == [(NotificationEvent.FAILED, 4)]
        (row,) = [row for row in await deliveries(engine.pool) if row["channel"] == "webhook"]
        await replay(engine, COORDINATOR, row["id"])
        await eventually(delivered)
    assert len({got.headers["webhook-id"] for got in hook.got}) == 1
    (communication,) = await communications(engine.pool)
    assert communication["status"] == "completed"
    with pytest.raises(Conflict):
        await replay(engine, COORDINATOR, row["id"])
    with pytest.raises(NotFound):
        await replay(engine, COORDINATOR, "nothing")


async def test_an_endpoint_that_is_gone_is_not_asked_again_and_switches_itself_off(
    engine: Engine, hook: HookServer
) -> None:
    hook.answers.append(410)
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    await hears(engine, referral("accepted"))

    async def failed() -> bool:
        return "failed" in {row["status"] for row in await deliveries(engine.pool)}

    async with open_channels(settings()) as channels, workers(engine, channels):
        await eventually(failed)
        await hears(engine, referral("completed", version=3))
    assert len(hook.got) == 1
    (kept,) = (await preferences.of(engine.pool, [LIND]))[LIND]
    assert (kept.preference.enabled, kept.reason) == (False, "endpoint-gone")


async def test_a_channel_that_is_not_set_up_is_tried_again_later(engine: Engine) -> None:
    await prefers(engine, LIND, Channel.EMAIL, "lind@clinic.example")
    await hears(engine, referral("accepted"))
    async with open_channels(settings()) as channels:
        (claimed,) = await store.claim(engine.pool, limit=9, now=engine.clock())
        await attempt(engine, claimed, channels, PACE)
    (row, _) = await deliveries(engine.pool)
    assert (row["status"], row["reason"]) == ("pending", "channel-not-set-up")


async def test_a_worker_lost_between_send_and_mark_is_followed_by_one_that_sends_the_same_again(
    engine: Engine, mail: MailServer, hook: HookServer
) -> None:
    await prefers(engine, LIND, Channel.EMAIL, "lind@clinic.example")
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    await hears(engine, referral("accepted"))

    class Killed(Exception):
        """The worker dies here."""

    async with open_channels(settings(mail)) as channels:
        for claimed in await store.claim(engine.pool, limit=9, now=engine.clock()):
            send = channels[claimed.channel]

            async def dies(letter: Letter, send: object = send) -> Outcome:
                assert callable(send)
                await send(letter)
                raise Killed

            with pytest.raises(Killed):
                await attempt(engine, claimed, {claimed.channel: dies}, PACE)
        assert await store.claim(engine.pool, limit=9, now=engine.clock()) == []
        later = engine.clock() + LEASE
        for claimed in await store.claim(engine.pool, limit=9, now=later):
            await attempt(engine, claimed, channels, PACE)
    assert {row["status"] for row in await deliveries(engine.pool)} == {"delivered"}
    assert len(mail.got) == len(hook.got) == 2
    assert len({got["Message-ID"] for got in mail.got}) == 1
    assert len({got.headers["webhook-id"] for got in hook.got}) == 1
    first, second = hook.got
    assert first.body == second.body


async def test_two_owners_of_one_delivery_settle_it_once(engine: Engine, hook: HookServer) -> None:
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    await hears(engine, referral("accepted"))
    slow = await store.claim(engine.pool, limit=9, now=engine.clock())
    fast = await store.claim(engine.pool, limit=9, now=engine.clock() + LEASE)
    hook.answers.extend([204, 500])
    async with open_channels(settings()) as channels:
        await attempt(engine, fast[0], channels, PACE)
        await attempt(engine, slow[0], channels, PACE)
    assert {row["status"] for row in await deliveries(engine.pool)} == {"delivered"}
    webhook_said = [payload for _, payload in await said(engine.pool) if payload.channel == "webhook"]
    assert len(webhook_said) == 1


async def test_workers_that_keep_dying_end_in_a_failed_delivery(engine: Engine, hook: HookServer) -> None:
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    await hears(engine, referral("accepted"))
    now = engine.clock()
    for _ in range(len(SOON) + 1):
        assert await store.claim(engine.pool, limit=9, now=now)
        now += LEASE
    async with open_channels(settings()) as channels:
        (claimed,) = await store.claim(engine.pool, limit=9, now=now)
        await attempt(engine, claimed, channels, PACE)
    assert hook.got == []
    (_, row) = await deliveries(engine.pool)
    assert (row["status"], row["reason"]) == ("failed", "worker-lost")


async def test_several_workers_deliver_everything_once(engine: Engine, hook: HookServer) -> None:
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    async with open_channels(settings()) as channels, workers(engine, channels, count=3):
        for first in range(0, 60, 10):
            steps = [referral("accepted", task=f"Task/t{first + n}") for n in range(10)]
            await asyncio.gather(*(hears(engine, step) for step in steps))

        async def all_there() -> bool:
            return len(hook.got) == 60

        await eventually(all_there)

        async def all_settled() -> bool:
            return {row["status"] for row in await deliveries(engine.pool)} == {"delivered"}

        await eventually(all_settled)
    assert len({got.headers["webhook-id"] for got in hook.got}) == 60
    assert len(hook.got) == 60


async def test_stopping_finishes_what_is_on_its_way(engine: Engine, hook: HookServer) -> None:
    hook.patience = asyncio.Event()
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    await hears(engine, referral("accepted"))
    stop = asyncio.Event()
    async with open_channels(settings()) as channels:
        running = asyncio.create_task(delivery_loop(engine, stop, channels, PACE))

        async def sending() -> bool:
            return bool(hook.got)

        await eventually(sending)
        stop.set()
        hook.patience.set()
        await running
    assert {row["status"] for row in await deliveries(engine.pool)} == {"delivered"}


async def test_a_defect_in_a_channel_does_not_stop_the_loop(engine: Engine, hook: HookServer) -> None:
    await prefers(engine, LIND, Channel.WEBHOOK, hook.url)
    broken = True
    seen: list[str] = []

    async def send(letter: Letter) -> Outcome:
        nonlocal broken
        if broken:
            broken = False
            raise RuntimeError("CANARY")
        seen.append(letter.id)
        return DELIVERED

    await hears(engine, referral("accepted"))
    async with workers(engine, {Channel.WEBHOOK: send}):

        async def was_broken() -> bool:
            return not broken

        await eventually(was_broken)
        await hears(engine, referral("completed", version=3))

        async def second_went_out() -> bool:
            return bool(seen)

        await eventually(second_went_out)
