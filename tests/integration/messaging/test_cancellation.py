"""A worker that is cancelled ends, wherever it is: also while its queues are made and aiormq answers in its own way."""

import asyncio

import pytest

from shared.messaging.envelope import Event
from tests.integration.messaging.support import Carrier


async def _ignore(event: Event) -> None:
    return


@pytest.mark.parametrize("milliseconds", range(0, 60, 4))
async def test_a_cancelled_consumer_ends_at_once(carrier: Carrier, milliseconds: int) -> None:
    transport, queue = await carrier.transport(), carrier.queue()
    consuming = asyncio.create_task(transport.consume(queue, _ignore, prefetch=4, stop=asyncio.Event()))
    await asyncio.wait({consuming}, timeout=milliseconds / 1000)
    consuming.cancel()
    done, _ = await asyncio.wait({consuming}, timeout=5)
    assert done, "the cancellation was swallowed"
    assert consuming.cancelled()
