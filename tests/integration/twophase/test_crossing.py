"""Many transactions over services that write the same few resources at once, in every order of entries: all come to
their end within the limit, and what is stored is what one of them wrote, whole."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest

from services.gateway.settings import GatewaySettings
from shared.fhir.json import Resource
from tests.factories.resources import bundle, entry, patient
from tests.factories.town import Town, emptied, town

MANY = 40
LIMIT: float = GatewaySettings.model_fields["prepared_s"].default
"""Seconds in which a transaction over services comes to its end."""
TARGETS = [
    *[("Practitioner", f"d{number}") for number in range(2)],
    *[("Communication", f"c{number}") for number in range(2)],
    *[("Patient", f"p{number}") for number in range(2)],
]
"""Two resources of each service."""
NPI = "http://hl7.org/fhir/sid/us-npi"


def marked(type_: str, id_: str, mark: str) -> Resource:
    """A version of a resource that says who wrote it."""
    more: Resource = {"identifier": [{"system": NPI, "value": id_}], "language": mark}
    if type_ == "Patient":
        return patient(id=id_, **more)
    if type_ == "Communication":
        return {"resourceType": type_, "id": id_, "status": "preparation"} | more
    return {"resourceType": type_, "id": id_} | more


def crossing(number: int) -> Resource:
    """A transaction over all targets in an order of its own; every third finds them by criteria."""
    targets = random.Random(number).sample(TARGETS, k=len(TARGETS))
    writes = []
    for type_, id_ in targets:
        url = f"{type_}?identifier={NPI}|{id_}" if number % 3 == 0 else f"{type_}/{id_}"
        writes.append(entry("PUT", url, marked(type_, id_, f"x-{number}")))
    if number % 5 == 0:
        # one part is refused where anybody was there before
        writes[0]["request"]["ifMatch"] = 'W/"1"'
    return bundle("transaction", *writes)


@pytest.fixture
async def three(lasting_databases: dict[str, str]) -> AsyncIterator[Town]:
    """They run, with the limit that is shipped; nothing is stored yet."""
    await emptied(lasting_databases)
    async with town(lasting_databases, longest=LIMIT) as running:
        yield running


async def test_crossing_transactions_all_end_and_leave_one_state(three: Town) -> None:
    assert (await three.post(bundle("transaction", *[_first(*target) for target in TARGETS]))).status_code == 200
    began = time.monotonic()
    answers = await asyncio.gather(*(three.post(crossing(number)) for number in range(MANY)))
    took = time.monotonic() - began
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 409, 412}, [answer.text[:300] for answer in answers if answer.status_code > 412]
    assert 200 in statuses
    assert took < LIMIT
    await three.recovered()
    assert await three.locks() == 0
    stored = [(await three.client.get(f"/fhir/{type_}/{id_}")).json() for type_, id_ in TARGETS]
    # the last who wrote wrote all of it
    assert len({resource["language"] for resource in stored}) == 1
    # and each who was told so wrote each of it, once
    assert {resource["meta"]["versionId"] for resource in stored} == {str(1 + statuses.count(200))}
    assert await _deadlocks(three) == 0


async def _deadlocks(town: Town) -> int:
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    return sum([await engine.pool.fetchval(query) for engine in town.engines.values()])


def _first(type_: str, id_: str) -> Resource:
    return entry("PUT", f"{type_}/{id_}", marked(type_, id_, "x-first"))
