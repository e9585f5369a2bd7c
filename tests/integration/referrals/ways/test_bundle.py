"""Every pair in a Bundle (http://hl7.org/fhir/R4/http.html#transaction): alone in a transaction, many in a batch."""

from collections.abc import Sequence

import httpx
import pytest

from tests.factories.referrals import BACK_END, PATIENT
from tests.factories.resources import bundle, entry
from tests.integration.referrals.ways.table import EVERYTHING, STATES, State, named
from tests.integration.referrals.ways.trying import CALLERS, SEEN, Change, Place, attempts, check, one_by_one


async def in_a_transaction(client: httpx.AsyncClient, change: Change) -> int:
    put = entry("PUT", f"Task/{change[1]['id']}", change[1], ifMatch=SEEN)
    return (await client.post("", json=bundle("transaction", put))).status_code


async def in_a_batch(client: httpx.AsyncClient, changes: Sequence[Change]) -> list[int]:
    """All of them in one Bundle, each on its own."""
    if not changes:
        return []
    entries = [entry("PUT", f"Task/{after['id']}", after, ifMatch=SEEN) for _, after in changes]
    answered = await client.post("", json=bundle("batch", *entries))
    assert answered.status_code == 200, answered.text
    return [int(each["response"]["status"][:3]) for each in answered.json()["entry"]]


@pytest.mark.parametrize("source", STATES, ids=named)
async def test_a_transaction_goes_where_the_tables_say_and_nowhere_else(place: Place, source: State) -> None:
    await check(place, f"transaction-{STATES.index(source)}", one_by_one(in_a_transaction), attempts(source))


@pytest.mark.parametrize("source", STATES, ids=named)
async def test_a_batch_goes_where_the_tables_say_and_nowhere_else(place: Place, source: State) -> None:
    await check(place, f"batch-{STATES.index(source)}", in_a_batch, attempts(source, (*CALLERS, PATIENT)))


@pytest.mark.parametrize("source", STATES, ids=named)
async def test_no_status_with_any_business_status_is_another_way_out(place: Place, source: State) -> None:
    """The whole cross product, by whoever stands on both sides."""
    await check(place, f"product-{STATES.index(source)}", in_a_batch, attempts(source, (BACK_END,), EVERYTHING))
