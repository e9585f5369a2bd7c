"""Whoever is lost at whatever step of a transaction over services: it is stored whole or not at all, no lock stays."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from services.gateway.asgi import Message, Receive, Scope, Send
from services.gateway.recovery import Recovery
from shared.errors import Unavailable
from shared.store.database import Pool
from tests.eventually import eventually
from tests.factories.resources import bundle, entry, patient
from tests.factories.spanning import DOCTOR, PATIENT, STORED, TOLD, whole_story
from tests.factories.town import Fault, Killed, Town, all_well

STEPS = {
    "referrals": ("plan", "prepare", "finish"),
    "notifications": ("plan", "prepare", "finish"),
    "careplans": ("plan", "commit", "forget"),
}
NOTHING = dict.fromkeys(STORED, 0)
NOT_TOLD: dict[str, list[str]] = {name: [] for name in STORED}


def places() -> Iterator[tuple[str, str, str]]:
    """Every service, step, and moment."""
    for service, steps in STEPS.items():
        for step in steps:
            for when in ("before", "after"):
                yield service, step, when


@pytest.mark.parametrize(("service", "step", "when"), list(places()))
async def test_the_gateway_is_killed(three: Town, service: str, step: str, when: str) -> None:
    """It says nothing any more, to nobody; another gateway brings to its end what it left."""
    gone = False

    def fault(at: str) -> Fault:
        async def strikes(now: str, moment: str) -> None:
            nonlocal gone
            gone = gone or (at, now, moment) == (service, step, when)
            if gone:
                raise Killed

        return strikes

    for name, line in three.lines.items():
        line.fault = fault(name)
    answer: httpx.Response | None = None
    with suppress(Killed):
        answer = await three.post(whole_story())
    await eventually(lambda: _true(gone))
    for line in three.lines.values():
        line.fault = all_well
    await three.recovered()
    stored = await three.stored()
    decided = step in ("finish", "forget") or (step, when) == ("commit", "after")
    assert stored == (STORED if decided else NOTHING)
    assert answer is None or decided
    await _nothing_is_left(three)
    assert await three.events() == (TOLD if decided else NOT_TOLD)


@pytest.mark.parametrize("comes_back", [True, False], ids=["comes back", "stays away for a while"])
@pytest.mark.parametrize(("service", "step", "when"), list(places()))
async def test_an_owner_is_killed(three: Town, service: str, step: str, when: str, comes_back: bool) -> None:
    """It does not answer: once, or until it is started again. What the client is told is what happened."""
    struck = False

    async def strikes(now: str, moment: str) -> None:
        nonlocal struck
        hit = (now, moment) == (step, when)
        if (hit and not struck) or (struck and not comes_back):
            struck = True
            raise Unavailable("gone")

    three.lines[service].fault = strikes
    answer = await three.post(whole_story())
    await eventually(lambda: _true(struck))
    three.lines[service].fault = all_well
    await three.recovered()
    stored = await three.stored()
    assert stored in (STORED, NOTHING)
    if answer.status_code == 200:
        assert stored == STORED
    else:
        assert answer.status_code == 503
        told = answer.json()["issue"][0]["diagnostics"]
        assert ("nothing was stored" in told) == (stored == NOTHING) or "could not be told" in told
    await _nothing_is_left(three)


@pytest.mark.parametrize("service", ["referrals", "notifications", "careplans"])
async def test_a_database_ends_the_session_in_the_middle_of_a_step(three: Town, service: str) -> None:
    """As its crash would, while it prepares or commits: that part is undone, and with it all."""
    pool = three.engines[service].pool
    async with pool.acquire() as holder:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute("LOCK TABLE resource IN SHARE MODE")
        asked = asyncio.create_task(three.post(whole_story()))
        await eventually(lambda: _ended(pool))
        await transaction.rollback()
    assert (await asked).status_code == 503
    await three.recovered()
    assert await three.stored() == NOTHING
    await _nothing_is_left(three)


async def test_who_prepares_after_it_was_given_up_is_rolled_back(three: Town) -> None:
    """The gateway did not wait; the part that came too late is found by whoever looks, and nobody commits it."""
    pool, referrals = three.engines["referrals"].pool, three.lines["referrals"]
    kept = asyncio.Event()
    preparing: list[asyncio.Task[None]] = []
    straight = referrals.app

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].endswith("/prepare"):
            await straight(scope, receive, send)
            return

        async def when_it_is_too_late() -> None:
            await kept.wait()
            await straight(scope, receive, nobody)

        preparing.append(asyncio.create_task(when_it_is_too_late()))
        raise Unavailable("silent")

    referrals.app = late
    assert (await three.post(whole_story())).status_code == 503
    kept.set()
    await asyncio.gather(*preparing)
    assert await pool.fetchval("SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()") == 1
    await three.recovered()
    assert await three.stored() == NOTHING
    await _nothing_is_left(three)


async def nobody(message: Message) -> None:
    """Who is not there to hear it."""


async def test_a_commit_that_comes_after_it_was_given_up_is_refused(three: Town) -> None:
    """Somebody asked for the decision meanwhile: it is no, and stays so."""

    async def given_up(step: str, when: str) -> None:
        if (step, when) == ("commit", "before"):
            # another gateway thinks that the others have been waiting for too long, and asks
            await three.recovered()

    three.lines["careplans"].fault = given_up
    answer = await three.post(whole_story())
    assert answer.status_code in (409, 503)
    await three.recovered()
    assert await three.stored() == NOTHING
    await _nothing_is_left(three)


async def test_a_decision_is_remembered_until_every_part_is_finished(three: Town) -> None:
    """However long that takes, and whoever asks meanwhile."""

    async def finish_is_lost(step: str, when: str) -> None:
        if step in ("finish", "waiting"):
            raise Unavailable("gone")

    three.lines["referrals"].fault = finish_is_lost
    answer = await three.post(whole_story())
    assert answer.status_code == 200
    await three.another.look()
    assert await three.decisions() == 1
    assert await three.prepared() == 1
    assert await three.locks() > 0
    three.lines["referrals"].fault = all_well
    await three.recovered()
    assert await three.stored() == STORED


async def test_others_wait_for_a_prepared_part_no_longer_than_it_may_take(three: Town) -> None:
    """The gateway is lost with a practitioner locked; whoever wants to change them does, after the limit."""
    url = "/fhir/Practitioner/d1"
    assert (await three.client.put(url, json={"resourceType": "Practitioner", "id": "d1"})).status_code == 201

    async def lost(step: str, when: str) -> None:
        if (step, when) == ("commit", "before"):
            raise Killed

    three.lines["careplans"].fault = lost
    with pytest.raises(Killed):
        await three.post(
            bundle(
                "transaction",
                entry("PUT", "Practitioner/d1", {"resourceType": "Practitioner", "id": "d1", "active": True}, DOCTOR),
                entry("POST", "Patient", patient(), PATIENT),
            )
        )
    three.lines["careplans"].fault = all_well
    assert await three.prepared() == 1
    stop = asyncio.Event()
    looking = asyncio.create_task(three.another.run(stop))
    try:
        async with asyncio.timeout(10):
            answer = await three.client.put(url, json={"resourceType": "Practitioner", "id": "d1", "active": False})
        assert answer.status_code == 200
        assert answer.json()["meta"]["versionId"] == "2"
    finally:
        stop.set()
        await looking


async def test_what_is_young_is_left_to_the_gateway_that_began_it(three: Town) -> None:
    async def lost(step: str, when: str) -> None:
        if (step, when) == ("commit", "before"):
            raise Killed

    three.lines["careplans"].fault = lost
    with pytest.raises(Killed):
        await three.post(whole_story())
    three.lines["careplans"].fault = all_well
    await Recovery(three.lines, three.peer, seconds=60).look()
    assert await three.prepared() == 2
    await three.recovered()


async def _true(fact: bool) -> bool:
    return fact


async def _ended(pool: Pool) -> bool:
    """Whether a session that waited for a lock was found and ended."""
    ended = await pool.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND state = 'active'"
    )
    return bool(ended)


async def _nothing_is_left(three: Town) -> None:
    assert await three.prepared() == 0
    assert await three.decisions() == 0
    assert await three.locks() == 0
