"""The history of the whole at the edge: every service's, merged (http://hl7.org/fhir/R4/http.html#history)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.factories.edge import Edge, quiet_edge
from tests.factories.resources import patient


@pytest.fixture
async def edge(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """A system without workers."""
    async with quiet_edge(postgres, templates) as running:
        yield running


def practitioner(id_: str) -> dict[str, Any]:
    return {"resourceType": "Practitioner", "id": id_, "name": [{"family": "Bay"}]}


async def pages(edge: Edge, url: str) -> AsyncIterator[dict[str, Any]]:
    while url:
        answer = await edge.ask("GET", url)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")


def told(page: dict[str, Any]) -> list[str]:
    """What was written, without the Provenance of it."""
    names = (entry["fullUrl"].partition("/fhir/")[2] for entry in page.get("entry", ()))
    return [name for name in names if not name.startswith("Provenance/")]


async def stored(edge: Edge, number: int) -> list[str]:
    """Writes to two services by turns, in uneven runs; what was written, oldest first."""
    names = []
    for step in range(number):
        resource = practitioner(f"d{step}") if step % 5 in (1, 2, 3) else patient(id=f"p{step}")
        assert (await edge.put(resource)).status_code == 201
        names.append(f"{resource['resourceType']}/{resource['id']}")
    return names


@pytest.mark.parametrize("count", [1, 2, 3, 7, 50])
async def test_the_services_are_merged_newest_first_over_all_pages(edge: Edge, count: int) -> None:
    names = await stored(edge, 14)
    found = [page async for page in pages(edge, f"/fhir/_history?_count={count}")]
    assert [name for page in found for name in told(page)] == names[::-1]
    assert all(len(told(page)) <= count for page in found)
    assert {page["type"] for page in found} == {"history"}


@pytest.mark.parametrize("count", [1, 2, 4])
async def test_pages_lose_and_repeat_nothing_while_others_write(edge: Edge, count: int) -> None:
    names = await stored(edge, 14)
    met: list[str] = []
    async for page in pages(edge, f"/fhir/_history?_count={count}"):
        met += told(page)
        await edge.put(practitioner(f"new{len(met)}"))
        await edge.put(patient(id=f"new{len(met)}"))
    assert met == names[::-1]


async def test_since_goes_to_every_service_and_the_bundle_says_what_to_ask_next(edge: Edge) -> None:
    await stored(edge, 5)
    whole = (await edge.ask("GET", "/fhir/_history")).json()
    second = next(entry for entry in whole["entry"] if entry["fullUrl"].endswith(told(whole)[1]))
    moment = second["response"]["lastModified"]
    since = (await edge.ask("GET", "/fhir/_history", params={"_since": moment})).json()
    assert set(told(since)) >= set(told(whole)[:2])
    assert len(told(since)) < 5
    again = (await edge.ask("GET", "/fhir/_history", params={"_since": whole["meta"]["lastUpdated"]})).json()
    assert told(again) == told(whole)


@pytest.mark.parametrize(
    "query", ["_count=x", "_since=x", "_at=ge2025", "_list=x", "_sort=_id", "_cursor=x", "_cursor=W10"]
)
async def test_what_a_history_cannot_do_is_refused(edge: Edge, query: str) -> None:
    answer = await edge.ask("GET", f"/fhir/_history?{query}")
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_head_has_no_body_and_strangers_are_turned_away(edge: Edge) -> None:
    head = await edge.ask("HEAD", "/fhir/_history")
    assert (head.status_code, head.content) == (200, b"")
    assert (await edge.client.get("/fhir/_history")).status_code == 401
    assert (await edge.ask("POST", "/fhir/_history", json={})).status_code == 405
