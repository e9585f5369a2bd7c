"""The clocks of referrals: told once, by whoever comes first, in the transaction that moves them on."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from services.referrals.app.clocks import fire_due
from services.referrals.store import referrals
from services.referrals.worker import keep_clocks
from shared.clock import system_clock
from shared.engine import Engine
from tests.eventually import eventually
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import OWNER, reference, task
from tests.integration.referrals.asking import API, furnish, put, send, told

WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


def later(engine: Engine, by: timedelta) -> Engine:
    """The same service, some time from now."""
    return replace(engine, clock=lambda: system_clock() + by)


async def clock_events(engine: Engine) -> list[tuple[str, str]]:
    return [each for each in await told(engine) if each[0].startswith("referral-clock.")]


async def test_a_referral_that_nobody_answers_is_told_of_once_and_its_timeline_says_so(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await send(client, verifier)
    assert await fire_due(engine) == 0
    assert await fire_due(later(engine, 2 * WEEK)) == 1
    assert await fire_due(later(engine, 2 * WEEK)) == 0
    assert await clock_events(engine) == [("referral-clock.reroute.v1", "Task/t1")]
    [*_, last] = (await client.get(f"{API}/t1/timeline")).json()["moments"]
    assert (last["what"], last["who"], last["role"]) == ("reroute", "consilium:referrals", "system")
    assert last["reason"] == "The system was late to tell this."
    standing = (await referrals.read(engine.pool, ["t1"]))["t1"]
    assert (standing.told, standing.next_at) == ("reroute", None)


async def test_workers_who_look_at_once_tell_each_stage_once(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    for number in range(20):
        await send(client, verifier, id=f"t{number}")
    due = later(engine, 2 * WEEK)
    assert sum(await asyncio.gather(*(fire_due(due, limit=5) for _ in range(8)))) == 20
    assert set(Counter(await clock_events(engine)).values()) == {1}


async def test_a_change_and_a_clock_that_fires_at_once_lose_neither(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    due = later(engine, 2 * WEEK)
    for number in range(12):
        id = f"t{number}"
        await send(client, verifier, id=id)
        verifier.caller = OWNER
        resource = task("received", "2.0", id=id, owner=reference("PractitionerRole/r-b"), description="Looked at.")
        changed, _ = await asyncio.gather(put(client, resource, 1), fire_due(due))
        assert changed.status_code == 200, changed.text
        # a row that was being changed is left for the next look
        await fire_due(due)
        standing = (await referrals.read(engine.pool, [id]))[id]
        assert (standing.version, standing.told, standing.next_at) == (2, "reroute", None)
    assert Counter(await clock_events(engine)) == {("referral-clock.reroute.v1", f"Task/t{n}"): 1 for n in range(12)}


async def test_the_end_of_a_wait_stops_its_clock(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    assert (await put(client, task("rejected", "4.0", owner=reference("PractitionerRole/r-b")), 1)).status_code == 200
    assert await fire_due(later(engine, 50 * WEEK)) == 0


async def test_the_worker_tells_what_fell_due_while_nobody_was_there(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await send(client, verifier)
    stop = asyncio.Event()
    work = asyncio.create_task(keep_clocks(later(engine, 2 * WEEK), stop))

    async def was_told() -> bool:
        return len(await clock_events(engine)) == 1

    await eventually(was_told)
    stop.set()
    await asyncio.wait_for(work, 5)
