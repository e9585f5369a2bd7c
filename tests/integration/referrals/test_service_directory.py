"""``GET /api/referrals/directory``, and what all three routes refuse."""

from typing import Any

import httpx
import pytest

from tests.factories.directory import role, service
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import (
    COORDINATOR,
)
from tests.integration.referrals.asking import API, furnish
from tests.integration.referrals.matching import store


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def test_the_directory_filters_and_pages_without_gaps(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await store(
        client,
        verifier,
        *(service(f"p{number}", languages=["es"] if number % 3 == 0 else ["en"]) for number in range(7)),
        service("group", "peer-support", modalities=["group"]),
        service("shut", active=False),
        role("role", "psychiatry"),
    )
    verifier.caller = COORDINATOR

    async def listed(**query: Any) -> list[str]:
        found: list[str] = []
        cursor: str | None = None
        while True:
            answer = await client.get(f"{API}/directory", params={**query, **({"cursor": cursor} if cursor else {})})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            assert len(page["services"]) <= query.get("limit", 50)
            found += [each["reference"].partition("/")[2] for each in page["services"]]
            cursor = page["cursor"]
            if cursor is None:
                return found

    psychology = [f"p{number}" for number in range(7)]
    everybody = [*psychology, "group", "r-b", "role"]
    for limit in (1, 2, 3, 50):
        assert await listed(limit=limit) == everybody
        assert await listed(limit=limit, specialty="psychology") == psychology
        assert await listed(limit=limit, discipline="mental-health") == [*psychology, "role"]
        assert await listed(limit=limit, language="es-MX") == ["p0", "p3", "p6"]
        assert await listed(limit=limit, modality="group") == ["group"]
    assert "shut" in await listed(inactive=True)


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({}, 422, "body.specialties"),
        ({"specialties": ["surgery"]}, 422, "body.specialties.0"),
        ({"specialties": ["psychology"], "languages": ["nonsense!"]}, 422, "body.languages.0"),
        ({"specialties": ["psychology"], "near": {"latitude": 91, "longitude": 0}}, 422, "body.near.latitude"),
        ({"specialties": ["psychology"], "max_distance_km": 5}, 422, "body.near"),
        ({"specialties": ["psychology"], "must": ["language"]}, 422, "body.languages"),
        ({"specialties": ["psychology"], "must": ["modality"]}, 422, "body.modalities"),
        ({"specialties": ["psychology"], "patient": "Practitioner/nonsense"}, 422, "body.patient"),
        ({"service_request": "o1", "referral": "t1"}, 422, "body.referral"),
        ({"service_request": "o1", "nonsense": 1}, 422, "body"),
        ({"service_request": "nonsense"}, 404, None),
        ({"referral": "nonsense"}, 404, None),
        ({"referral": "non sense"}, 422, "body.referral"),
        ([], 422, "body"),
    ],
)
async def test_a_question_that_makes_no_sense_is_a_problem_without_what_was_sent(
    body: Any, status: int, where: str | None, client: httpx.AsyncClient
) -> None:
    for path in ("match", "check"):
        answer = await client.post(f"{API}/{path}", json=body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert "nonsense" not in answer.text.lower()
        expression = answer.json()["issues"][0]["expression"]
        assert (expression[0] if expression else None) == where


@pytest.mark.parametrize(
    "query",
    [
        "specialty=nonsense",
        "modality=nonsense",
        "language=nonsense!",
        "limit=0",
        "cursor=nonsense",
        "cursor=AAAA",
        "discipline=pain-medicine&specialty=psychology",
        "inactive=nonsense",
        "cursor=SGVhbHRoY2FyZVNlcnZpY2Ugbm9uc2Vuc2U",
    ],
)
async def test_a_directory_that_there_is_not_is_a_problem(query: str, client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{API}/directory?{query}")
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["issues"][0]["expression"][0].startswith("query.")
    assert "nonsense" not in answer.text
