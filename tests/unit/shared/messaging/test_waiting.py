"""Waiting ends for whoever was cancelled, also when somebody on the way swallowed the cancellation."""

import asyncio
from contextlib import suppress
from typing import cast

from shared.messaging.topology import Queue
from shared.messaging.transport import Transport
from shared.messaging.waiting import either
from shared.telemetry.metrics import MessagingGauges
from shared.telemetry.setup import current
from shared.watch import watch
from tests.eventually import eventually


async def outlive(reached: asyncio.Event) -> None:
    """What ``asyncio.wait_for`` does until Python 3.12 where a result and a cancellation come together."""
    reached.set()
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


async def ended(task: asyncio.Task[None]) -> bool:
    return task.cancelled()


async def test_who_outlived_a_cancellation_does_not_wait() -> None:
    reached = asyncio.Event()

    async def work() -> None:
        await outlive(reached)
        await either(asyncio.Event())

    task = asyncio.create_task(work())
    await reached.wait()
    task.cancel()
    await eventually(lambda: ended(task), within=5)


async def test_either_says_whether_anything_happened() -> None:
    happened = asyncio.Event()
    assert not await either(happened, asyncio.Event(), seconds=0.01)
    happened.set()
    assert await either(asyncio.Event(), happened)


async def test_the_watch_ends_though_the_carrier_swallowed_its_cancellation() -> None:
    reached = asyncio.Event()

    class Carrier:
        async def depth(self, queue: str) -> int:
            if not reached.is_set():
                await outlive(reached)
            return 0

    queue = Queue("service.events", ("referral.*",))
    carrier = cast(Transport, Carrier())
    task = asyncio.create_task(watch({}, carrier, [queue], MessagingGauges(current()), asyncio.Event()))
    await reached.wait()
    task.cancel()
    await eventually(lambda: ended(task), within=5)
