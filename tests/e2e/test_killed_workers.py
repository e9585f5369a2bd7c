"""Workers killed where it hurts, over both transports: between confirm and mark, between commit and acknowledgement."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.messaging.envelope import Event
from tests.e2e.evidence import CAREPLANS, EVENTS, Evidence
from tests.e2e.referring import Sent, burst, furnish
from tests.eventually import eventually
from tests.factories.system import Site, System, Workers

SIZE, PATIENTS = 60, 6


class Place:
    """A place in the code: whoever comes there says so and stays until killed."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.events: list[str] = []

    async def hang(self, event_ids: Sequence[str]) -> None:
        """Stay."""
        self.events.extend(event_ids)
        self.reached.set()
        await asyncio.Event().wait()

    async def die(self, workers: Workers) -> None:
        """Kill ``workers`` once one of them is here."""
        await asyncio.wait_for(self.reached.wait(), 30)
        await workers.kill()


async def test_a_relay_killed_between_confirm_and_mark_tells_everything_once(
    system: System, evidence: Evidence
) -> None:
    async with system.site() as site:
        patients, place = await furnish(site, PATIENTS), Place()
        async with site.working(confirmed=place.hang) as doomed:
            sent = await burst(site, patients, SIZE)
            await place.die(doomed)
        marked = await evidence.rows(
            "referrals", "SELECT 1 FROM outbox WHERE published_at IS NOT NULL AND event_id = ANY($1)", place.events
        )
        assert not marked, "what was confirmed was marked too: nobody was killed in between"
        await _settle(site, evidence, sent)


@pytest.mark.parametrize("queue", [CAREPLANS, EVENTS])
async def test_a_consumer_killed_between_commit_and_acknowledgement_has_its_effect_once(
    system: System, evidence: Evidence, queue: str
) -> None:
    async with system.site() as site:
        patients, place = await furnish(site, PATIENTS), Place()

        async def committed(name: str, event: Event) -> None:
            if name == queue:
                await place.hang([event.id])

        async with site.working(committed=committed) as doomed:
            sent = await burst(site, patients, SIZE)
            await place.die(doomed)
        done = await evidence.rows(
            queue.split(".")[0], "SELECT 1 FROM inbox WHERE consumer = $1 AND event_id = ANY($2)", queue, place.events
        )
        assert done, "no effect was committed before the kill"
        await _settle(site, evidence, sent)


@pytest.mark.timeout(300)  # every worker killed over RabbitMQ makes its connection and queues anew
async def test_workers_killed_again_and_again_during_a_burst_lose_and_double_nothing(
    system: System, evidence: Evidence
) -> None:
    async with system.site() as site:
        patients = await furnish(site, PATIENTS)
        sending = asyncio.create_task(burst(site, patients, 2 * SIZE))
        while not sending.done():
            async with site.working() as doomed:
                await asyncio.wait({sending}, timeout=0.4)
                await doomed.kill()
        await _settle(site, evidence, await sending)


async def _settle(site: Site, evidence: Evidence, sent: list[Sent]) -> None:
    async with site.working():
        await eventually(lambda: evidence.settled(sent), within=90, every=0.2)
