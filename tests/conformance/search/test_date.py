"""Date parameters (http://hl7.org/fhir/R4/search.html#date)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

OBSERVATIONS: list[Resource] = [
    {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"text": "x"},
        "effectiveDateTime": date,
    }
    for id_, date in (
        ("a", "2024-01"),
        ("b", "2024-02-10"),
        ("c", "2024-02-10T12:00:00Z"),
        ("d", "2025"),
        ("e", "2024-02-10T23:30:00-02:00"),
    )
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Observation?date=2024-02-10", "b c"),
        ("Observation?date=eq2024", "a b c e"),
        ("Observation?date=ne2024-02-10", "a d e"),
        ("Observation?date=gt2024-02-10", "d e"),
        ("Observation?date=ge2024-02-10", "b c d e"),
        ("Observation?date=lt2024-02-10", "a"),
        ("Observation?date=le2024-02-10", "a b c"),
        ("Observation?date=sa2024-02-10", "d e"),
        ("Observation?date=eb2024-02-10", "a"),
        ("Observation?date=2024-02-11T01:30:00Z", "e"),
        ("Observation?date=ge2024-02-10T12:00:00Z&date=lt2024-02-11", "b c"),
        ("Observation?date:missing=true", ""),
    ],
)
async def test_prefixes(fhir: httpx.AsyncClient, query: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#date, #prefix: partial dates, time zones, windows."""
    await put(fhir, OBSERVATIONS)
    assert sorted(await found(fhir, query)) == expected.split()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Observation?date=yesterday", "value"),
        ("Observation?date:exact=2024", "not-supported"),
        ("Observation?date=2024-13", "value"),
        ("Observation?date=xx2024", "value"),
    ],
)
async def test_what_is_malformed_is_refused(fhir: httpx.AsyncClient, query: str, code: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors."""
    assert await refused(fhir, query) == code
