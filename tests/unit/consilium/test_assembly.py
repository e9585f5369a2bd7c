"""What the assembled process does before anything else."""

import asyncio
from collections.abc import Collection
from typing import Any, cast

import pytest

from consilium.assembly import SERVICES, Background
from shared.messaging.refill_request import refill_queue
from shared.messaging.topology import Queue
from shared.messaging.transport import Transport
from shared.worker import queue_of


class Declared(Exception):
    """The first declaration was made."""

    def __init__(self, queues: Collection[Queue]) -> None:
        self.queues = set(queues)


class Declaring:
    """A transport that gets no further than its first declaration."""

    async def declare(self, queues: Collection[Queue]) -> None:
        raise Declared(queues)


async def test_every_queue_stands_before_the_first_relay_or_consumer_starts() -> None:
    background = Background(cast(Transport, Declaring()), {}, {}, cast(Any, None), alone=True)
    with pytest.raises(Declared) as first:
        await background.run(asyncio.Event())
    heard = {queue_of(binding) for service in SERVICES for binding in service.bindings}
    assert first.value.queues == heard | {refill_queue(service.name) for service in SERVICES}
