"""``_total`` and ``Bundle.total`` (http://hl7.org/fhir/R4/search.html#total)."""

from typing import Any

import httpx
import pytest

from shared.fhir.search import total
from tests.factories.resources import patient

Resource = dict[str, Any]


async def _read(fhir: httpx.AsyncClient, address: str) -> Resource:
    answer = await fhir.get(address)
    assert answer.status_code == 200, answer.text
    found: Resource = answer.json()
    return found


async def _patients(fhir: httpx.AsyncClient, number: int) -> None:
    for place in range(number):
        await fhir.post("Patient", json=patient(gender="female" if place % 2 else "male"))


async def test_none_gives_no_total(fhir: httpx.AsyncClient) -> None:
    await _patients(fhir, 2)
    assert "total" not in await _read(fhir, "Patient?_total=none")
    assert "total" not in await _read(fhir, "Patient")


@pytest.mark.parametrize("query", ["", "gender=female&", "name=robin&", "birthdate=1971&", "gender=male,female&"])
async def test_accurate_is_the_number_of_matches_on_each_page(fhir: httpx.AsyncClient, query: str) -> None:
    """#total: all matches, not those of the page, without includes."""
    await _patients(fhir, 5)
    expected = 2 if query == "gender=female&" else 5
    url, pages = f"Patient?{query}_total=accurate&_count=2", 0
    while url:
        found = await _read(fhir, url)
        pages += 1
        assert found["total"] == expected
        url = next((link["url"] for link in found["link"] if link["relation"] == "next"), "")
    assert pages == (expected + 1) // 2


async def test_an_estimate_is_exact_while_counting_is_cheap(fhir: httpx.AsyncClient) -> None:
    await _patients(fhir, 5)
    found = await _read(fhir, "Patient?_total=estimate&_count=2")
    assert found["total"] == 5
    assert found["link"][0]["url"].endswith("Patient?_total=estimate&_count=2")


@pytest.mark.parametrize("query", ["", "gender=female&", "name=robin&", "birthdate=1971&", "_id:not=x&"])
async def test_an_estimate_does_not_count_beyond_its_bound(
    fhir: httpx.AsyncClient, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """#total: the server need not count; it never tells less than it has seen."""
    await _patients(fhir, 6)
    monkeypatch.setattr(total, "COUNTED", 2)
    assert (await _read(fhir, f"Patient?{query}_total=estimate&_count=1"))["total"] >= 2


async def test_a_count_of_zero_gives_the_total_whatever_total_says(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#count"""
    await _patients(fhir, 3)
    for more in ("", "&_total=none", "&_total=accurate", "&_total=estimate"):
        found = await _read(fhir, f"Patient?_count=0{more}")
        assert found["total"] == 3
        assert "entry" not in found


async def test_a_value_that_it_does_not_take_is_400(fhir: httpx.AsyncClient) -> None:
    for value in ("", "bogus", "ACCURATE"):
        assert (await fhir.get(f"Patient?_total={value}")).status_code == 400
