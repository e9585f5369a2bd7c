"""Quantity parameters (http://hl7.org/fhir/R4/search.html#quantity)."""

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
        "valueQuantity": {"value": value, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"} | more,
    }
    for id_, value, more in (
        ("a", 5.35, {}),
        ("b", 5.4, {}),
        ("c", 5.45, {}),
        ("d", 100, {"code": "g", "unit": "g"}),
        ("e", 5, {"comparator": "<"}),
    )
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Observation?value-quantity=5.4", "a b"),
        ("Observation?value-quantity=5.40", "b"),
        ("Observation?value-quantity=ne5.4", "c d e"),
        ("Observation?value-quantity=gt5.4", "c d"),
        ("Observation?value-quantity=ge5.4", "b c d"),
        ("Observation?value-quantity=lt5.4", "a e"),
        ("Observation?value-quantity=le5.4", "a b e"),
        ("Observation?value-quantity=sa5.4", "c d"),
        ("Observation?value-quantity=eb5.4", "a e"),
        ("Observation?value-quantity=ap110||g", "d"),
        ("Observation?value-quantity=100||mg", ""),
        ("Observation?value-quantity=5.40|http://unitsofmeasure.org|mg", "b"),
        ("Observation?value-quantity=5.40|urn:x|mg", ""),
    ],
)
async def test_prefixes(fhir: httpx.AsyncClient, query: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#quantity, #prefix: implied precision, units, comparators."""
    await put(fhir, OBSERVATIONS)
    assert sorted(await found(fhir, query)) == expected.split()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Observation?value-quantity=1|2|3|4", "value"),
        ("Observation?value-quantity:not=5", "not-supported"),
        ("Observation?value-quantity=heavy", "value"),
    ],
)
async def test_what_is_malformed_is_refused(fhir: httpx.AsyncClient, query: str, code: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors."""
    assert await refused(fhir, query) == code
