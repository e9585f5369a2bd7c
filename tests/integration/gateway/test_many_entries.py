"""A Bundle of very many entries keeps nobody else waiting, and none takes the memory of all."""

import httpx
import pytest

from services.gateway.main import Gateway
from shared.giving_way import TURN
from tests.eventually import turns
from tests.integration.gateway.conftest import Edge
from tests.integration.gateway.test_edge import bundle, get


@pytest.mark.parametrize("type_", ["batch", "transaction"])
async def test_they_are_refused_before_any_is_looked_at(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, type_: str
) -> None:
    monkeypatch.setattr("shared.fhir.bundle.most_entries", lambda: 3)
    assert (await edge.client.post("/fhir", json=bundle(type_, *[get("Task/1")] * 3))).status_code != 413
    asked = len(edge.referrals.asked)
    answer = await edge.client.post("/fhir", json=bundle(type_, *[get("Task/1")] * 3, {}))
    assert answer.status_code == 413
    issue = answer.json()["issue"][0]
    assert (issue["code"], issue["expression"]) == ("too-costly", ["Bundle.entry"])
    assert len(edge.referrals.asked) == asked


async def test_values_that_would_fill_the_memory_are_not_even_read(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.fhir.json.MOST_VALUES", 1_000)
    answer = await edge.client.post("/fhir", json=bundle("batch", *[{}] * 1_000))
    assert answer.status_code == 413
    assert answer.json()["issue"][0]["code"] == "too-costly"


@pytest.mark.parametrize("type_", ["batch", "transaction"])
async def test_others_get_their_turn_meanwhile(edge: Edge, type_: str) -> None:
    apps = {"careplans": edge.careplans, "referrals": edge.referrals, "notifications": edge.notifications}
    gateway = httpx.ASGITransport(Gateway(apps))
    async with httpx.AsyncClient(transport=gateway, base_url="http://test") as client, turns() as taken:
        await client.post("/fhir", json=bundle(type_, *[{}] * 2_000))
    assert len(taken) >= 2_000 // TURN
