"""Every pair by PUT (http://hl7.org/fhir/R4/http.html#update)."""

import httpx
import pytest

from tests.integration.referrals.asking import put
from tests.integration.referrals.ways.table import PUBLISHED, ROWS, STATES, State, named
from tests.integration.referrals.ways.trying import Change, Place, attempts, check, one_by_one


async def putting(client: httpx.AsyncClient, change: Change) -> int:
    return (await put(client, change[1], 1)).status_code


@pytest.mark.parametrize("source", STATES, ids=named)
async def test_a_put_goes_where_the_tables_say_and_nowhere_else(place: Place, source: State) -> None:
    await check(place, f"put-{STATES.index(source)}", one_by_one(putting), attempts(source))


def test_the_tables_are_whole() -> None:
    assert (len(PUBLISHED), len(ROWS), len({row.tid for row in ROWS}), len(STATES)) == (34, 106, 106, 34)
