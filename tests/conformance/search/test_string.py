"""String parameters (http://hl7.org/fhir/R4/search.html#string)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

PATIENTS: list[Resource] = [
    {"resourceType": "Patient", "id": "mueller", "name": [{"family": "Müller", "given": ["Ana", "José"]}]},
    {"resourceType": "Patient", "id": "plain", "name": [{"family": "Mueller"}, {"text": "Mul, the  second"}]},
    {"resourceType": "Patient", "id": "maiden", "name": [{"family": "Eve Muller", "prefix": ["Dr."]}]},
    {"resourceType": "Patient", "id": "bare", "address": [{"line": ["Hauptstraße 1"], "city": "Bonn", "state": "NW"}]},
]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("name=mul", "mueller plain"),
        ("name=MÜLLER", "mueller"),
        ("name=muller", "mueller"),
        ("name=uller", ""),
        ("name=jose", "mueller"),
        ("name=dr", "maiden"),
        ("family=eve", "maiden"),
        ("family=muller", "mueller"),
        ("given=an", "mueller"),
        (r"name=Mul\, the second", "plain"),
        ("name=jose,eve", "maiden mueller"),
        ("name=ana&name=mull", "mueller"),
        ("address=hauptstrasse", "bare"),
        ("address=bonn", "bare"),
        ("address-city=hauptstrasse", ""),
        ("name:contains=ULLER", "maiden mueller"),
        ("name:contains=the second", "plain"),
        ("name:contains=x", ""),
        ("name:exact=Müller", "mueller"),
        ("name:exact=müller", ""),
        ("name:exact=Muller", ""),
        ("name:exact=Mül", ""),
        (r"name:exact=Mul\, the  second", "plain"),
        (r"name:exact=Mul\, the second", ""),
        ("name:missing=true", "bare"),
        ("name:missing=false", "maiden mueller plain"),
    ],
)
async def test_a_beginning_a_part_and_the_whole(fhir: httpx.AsyncClient, criteria: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#string: without case and accents; ``:contains``; ``:exact`` with both."""
    await put(fhir, PATIENTS)
    assert sorted(await found(fhir, f"Patient?{criteria}")) == expected.split()


@pytest.mark.parametrize("modifier", ["not", "text", "below", "identifier", "Patient", "bogus"])
async def test_another_modifier_is_refused(fhir: httpx.AsyncClient, modifier: str) -> None:
    """http://hl7.org/fhir/R4/search.html#modifiers."""
    assert await refused(fhir, f"Patient?name:{modifier}=a") == "not-supported"


@pytest.mark.parametrize("criteria", ["name=", "name:exact=", "name=a,,b", "name:missing=perhaps"])
async def test_an_empty_string_is_refused(fhir: httpx.AsyncClient, criteria: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors."""
    assert await refused(fhir, f"Patient?{criteria}") == "value"
