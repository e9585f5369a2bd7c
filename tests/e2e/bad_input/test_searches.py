"""Searches that cannot be understood are refused; those that only look odd are answered."""

import pytest

from tests.e2e.bad_input.refusals import refused
from tests.factories.edge import Edge


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_count=-1", 400),
        ("_count=x", 400),
        ("_count=1e3", 400),
        ("_count=%D9%A1", 400),
        ("_cursor=nonsense", 400),
        ("_cursor=%00", 400),
        ("birthdate=yesterday", 400),
        ("birthdate=%D9%A2%D9%A0%D9%A2%D9%A0", 400),
        ("birthdate=2020%0A", 400),
        ("_lastUpdated=%D9%A2%D9%A0%D9%A2%D9%A0", 400),
        ("birthdate=2020-13-45", 400),
        ("birthdate=99999", 400),
        ("birthdate=zz2020", 400),
        ("_lastUpdated=ge", 400),
        ("name=%00", 400),
        ("name=%ff", 400),
        ("name=%ed%a0%80", 400),
        ("gender:bogus=x", 400),
        ("_sort=bogus", 400),
        ("_include=bogus", 400),
        ("_total=bogus", 400),
        ("_summary=bogus", 400),
        ("_has:Observation=x", 400),
        ("general-practitioner.bogus=x", 400),
        ("&".join(f"name={number}" for number in range(1000)), 400),
    ],
)
async def test_a_search_that_cannot_be_understood(quiet: Edge, query: str, status: int) -> None:
    await refused(quiet, "GET", f"/fhir/Patient?{query}", status)
    form = {"content-type": "application/x-www-form-urlencoded"}
    await refused(quiet, "POST", "/fhir/Patient/_search", status, content=query, headers=form)


@pytest.mark.parametrize(
    "query", ["_count=0", "_count=1000000000000", "bogus=1", "name=" + "x" * 50_000, "name=%27;DROP%20TABLE%20resource"]
)
async def test_a_search_that_can(quiet: Edge, query: str) -> None:
    answer = await quiet.ask("GET", f"/fhir/Patient?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "searchset"
    assert "bogus" not in answer.text


async def test_an_unknown_parameter_is_refused_on_demand(quiet: Edge) -> None:
    await refused(quiet, "GET", "/fhir/Patient?bogus=1", 400, headers={"prefer": "handling=strict"})
