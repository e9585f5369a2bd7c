"""What no event told is found in the owner's history."""

import asyncio
from datetime import timedelta

import pytest

from shared.copies.catching_up import PAGE, look
from shared.errors import Unavailable
from tests.factories.resources import patient
from tests.integration.copies.conftest import Pair

NOW, SELDOM = timedelta(0), timedelta(hours=1)


async def looked(pair: Pair, every: timedelta) -> int:
    """How many a look copies that nobody stops."""
    return await look(pair.keeper, "Patient", every, asyncio.Event())


async def _all_alike(pair: Pair) -> bool:
    query = "SELECT id, version, deleted, body FROM resource WHERE type = 'Patient'"
    rows = await pair.owner.pool.fetch(query)
    return await pair.copies() == {row["id"]: (row["version"], row["deleted"], row["body"]) for row in rows}


async def test_everything_that_was_there_before_is_copied(pair: Pair) -> None:
    for number in range(450):
        await pair.fhir.put(f"Patient/p{number}", json=patient(id=f"p{number}"))
    assert await looked(pair, SELDOM) == 450
    assert await _all_alike(pair)


async def test_a_look_that_is_to_stop_ends_after_its_page(pair: Pair) -> None:
    for number in range(PAGE + 1):
        await pair.fhir.put(f"Patient/p{number}", json=patient(id=f"p{number}"))
    stop = asyncio.Event()
    stop.set()
    assert await look(pair.keeper, "Patient", SELDOM, stop) == PAGE


async def test_changes_and_deletions_that_were_missed_are_found(pair: Pair) -> None:
    for number in range(3):
        await pair.fhir.put(f"Patient/p{number}", json=patient(id=f"p{number}"))
    await looked(pair, NOW)
    await pair.fhir.put("Patient/p0", json=patient(id="p0", active=True))
    await pair.fhir.put("Patient/p0", json=patient(id="p0", active=False))
    await pair.fhir.delete("Patient/p1")
    await pair.fhir.put("Patient/new", json=patient(id="new"))
    assert await looked(pair, NOW) == 3
    assert await _all_alike(pair)


async def test_what_is_not_due_is_not_asked_for(pair: Pair) -> None:
    await looked(pair, SELDOM)
    asked = len(pair.peers.asked)
    assert await looked(pair, SELDOM) == 0
    assert len(pair.peers.asked) == asked


async def test_who_failed_in_the_middle_is_followed_by_another(pair: Pair) -> None:
    await pair.fhir.put("Patient/p", json=patient(id="p"))
    pair.peers.down = True
    with pytest.raises(Unavailable):
        await looked(pair, NOW)
    pair.peers.down = False
    assert await looked(pair, NOW) == 0, "the one that failed still holds its lease"
    await pair.keeper.pool.execute("UPDATE copy_mark SET lease_until = now() - interval '1 second'")
    assert await looked(pair, NOW) == 1
