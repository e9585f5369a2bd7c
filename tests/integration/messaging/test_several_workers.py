"""Three workers at once on one outbox: everything leaves once and in order, and a lost queue is filled once.

Beside these: deliveries (``test_delivery_loop``), sweeps of retention (``retention/``) and handlers
(``test_following_referrals``) are tested with several workers where they live. The watch only looks.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence

from shared.messaging.envelope import decode
from shared.messaging.refill import refills
from shared.messaging.refill_request import RefillRequest, refill_request
from shared.messaging.relay import Relay
from shared.messaging.topology import Queue
from shared.messaging.transport import Outgoing
from shared.messaging.transports.in_process import InProcessTransport
from shared.store.database import Pool
from tests.eventually import eventually
from tests.integration.messaging.support import QUICK, an_event, commit

WORKERS, SUBJECTS, EVENTS = 3, 12, 600


class Slow(InProcessTransport):
    """Confirms everything after a while, so that relays meet."""

    def __init__(self, pool: Pool, published: list[Outgoing]) -> None:
        super().__init__(pool)
        self.batches = 0
        self._published = published
        self._moods = random.Random(7)

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """Note and confirm."""
        self.batches += bool(events)
        await asyncio.sleep(self._moods.random() / 100)
        self._published += events

    async def depth(self, queue: str) -> int:
        """Every queue is there."""
        return 0


async def test_three_relays_publish_everything_once_and_each_subject_in_order(pool: Pool) -> None:
    published: list[Outgoing] = []
    transports = [Slow(pool, published) for _ in range(WORKERS)]
    stop = asyncio.Event()
    relays = [asyncio.create_task(Relay(pool, transport, QUICK).run(stop)) for transport in transports]
    written: dict[str, list[str]] = defaultdict(list)
    for start in range(0, EVENTS, 20):
        events = [an_event("a.b", f"Task/{number % SUBJECTS}", number) for number in range(start, start + 20)]
        for event in events:
            written[event.subject].append(event.id)
        await commit(pool, events)

    async def all_published() -> bool:
        return len(published) >= EVENTS

    await eventually(all_published, within=60)
    stop.set()
    await asyncio.gather(*relays)
    left: dict[str, list[str]] = defaultdict(list)
    for event in published:
        left[event.subject].append(event.id)
    assert left == written
    # how the work falls to them is chance; that they met is not
    assert sum(bool(transport.batches) for transport in transports) > 1, "one relay did all of it"


async def test_three_workers_that_hear_of_one_lost_queue_fill_it_without_harm(pool: Pool) -> None:
    published: list[Outgoing] = []
    transport = Slow(pool, published)
    events = [an_event("a.b", f"Task/{number}") for number in range(50)]
    await commit(pool, events)
    relay = Relay(pool, transport, QUICK)
    assert await relay.step() == 50
    request = decode(refill_request(Queue("some.queue", ("a.#",))).body)
    assert request.payload(RefillRequest).routing_keys == ("a.#",)
    handlers = [refills(pool, transport, lambda: None) for _ in range(WORKERS)]
    await asyncio.gather(*(handle(request) for handle in handlers))
    assert await relay.step() == 50
    assert await relay.step() == 0
    assert [event.id for event in published[50:]] == [event.id for event in events]
