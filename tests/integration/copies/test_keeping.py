"""A copy follows what its owner tells, in whatever order and however often it is told."""

import asyncio

import pytest

from shared.errors import Unavailable
from tests.factories.resources import patient
from tests.integration.copies.conftest import Pair


async def _life(pair: Pair) -> None:
    """Created, changed, deleted, and brought back."""
    for family in ("One", "Two"):
        await pair.fhir.put("Patient/p", json=patient(id="p", name=[{"family": family}]))
    await pair.fhir.delete("Patient/p")
    await pair.fhir.put("Patient/p", json=patient(id="p", name=[{"family": "Four"}]))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
async def test_the_order_of_events_is_no_matter(pair: Pair, order: tuple[int, ...]) -> None:
    await pair.fhir.put("Patient/p", json=patient(id="p"))
    await pair.fhir.put("Patient/p", json=patient(id="p", active=True))
    await pair.fhir.delete("Patient/p")
    told = await pair.told()
    for number in order:
        await pair.follow(told[number])
    assert await pair.copies() == {"p": (3, True, b"")}


async def test_a_copy_is_what_its_owner_serves_to_the_byte(pair: Pair) -> None:
    await _life(pair)
    for event in await pair.told():
        await pair.follow(event)
    served = (await pair.fhir.get("Patient/p")).content
    assert await pair.copies() == {"p": (4, False, served)}


async def test_what_was_overtaken_is_not_asked_for(pair: Pair) -> None:
    await _life(pair)
    told = await pair.told()
    await pair.follow(told[3])
    assert pair.peers.asked == ["Patient/p"]
    for event in told:
        await pair.follow(event)
    assert pair.peers.asked == ["Patient/p"]


async def test_events_at_once_leave_the_newest(pair: Pair) -> None:
    await _life(pair)
    told = await pair.told()
    await asyncio.gather(*(pair.follow(event) for event in told * 3))
    assert (await pair.copies())["p"][0] == 4


async def test_events_tell_no_names(pair: Pair) -> None:
    await pair.fhir.put("Patient/p", json=patient(id="p"))
    (event,) = await pair.told()
    assert event.data == {"type": "Patient", "id": "p", "version": 1, "deleted": False}
    assert event.subject == "Patient/p/_history/1"


async def test_an_owner_that_is_away_is_asked_again(pair: Pair) -> None:
    await pair.fhir.put("Patient/p", json=patient(id="p"))
    (event,) = await pair.told()
    pair.peers.down = True
    with pytest.raises(Unavailable):
        await pair.follow(event)
    assert await pair.copies() == {}
    pair.peers.down = False
    await pair.follow(event)
    assert (await pair.copies())["p"][0] == 1


async def test_a_copy_is_indexed_and_its_old_index_gone(pair: Pair) -> None:
    await _life(pair)
    for event in await pair.told():
        await pair.follow(event)
    strings = await pair.keeper.pool.fetch("SELECT DISTINCT value FROM index_string")
    assert "four" in {row[0] for row in strings}
    assert not {"one", "two"} & {row[0] for row in strings}
    (terms,) = await pair.keeper.pool.fetch("SELECT terms FROM resource")
    indexed = await pair.keeper.pool.fetch("SELECT term FROM index_term")
    assert sorted(row[0] for row in indexed) == sorted(terms["terms"])
