"""Numbers, quantities and dates with every prefix (http://hl7.org/fhir/R4/search.html#prefix)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

PATIENT: Resource = {"resourceType": "Patient", "id": "p"}
OBSERVATIONS: list[Resource] = [
    {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": {"text": "x"},
        "valueQuantity": {"value": value, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"} | more,
        "effectiveDateTime": date,
    }
    for id_, value, more, date in (
        ("a", 5.35, {}, "2024-01"),
        ("b", 5.4, {}, "2024-02-10"),
        ("c", 5.45, {}, "2024-02-10T12:00:00Z"),
        ("d", 100, {"code": "g", "unit": "g"}, "2025"),
        ("e", 5, {"comparator": "<"}, "2024-02-10T23:30:00-02:00"),
    )
]
RISKS: list[Resource] = [
    {
        "resourceType": "RiskAssessment",
        "id": id_,
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "prediction": [{"probabilityDecimal": value}],
    }
    for id_, value in (("r1", 0.1), ("r2", 0.2), ("r3", 0.25))
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("RiskAssessment?probability=0.2", "r2"),
        ("RiskAssessment?probability=eq0.25", "r3"),
        ("RiskAssessment?probability=ne0.2", "r1 r3"),
        ("RiskAssessment?probability=gt0.2", "r3"),
        ("RiskAssessment?probability=ge0.2", "r2 r3"),
        ("RiskAssessment?probability=lt0.2", "r1"),
        ("RiskAssessment?probability=le0.2", "r1 r2"),
        ("RiskAssessment?probability=sa0.2", "r3"),
        ("RiskAssessment?probability=eb0.2", "r1"),
        ("RiskAssessment?probability=ap0.2", "r2 r3"),
        ("RiskAssessment?probability=2e-1", "r2"),
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
    """http://hl7.org/fhir/R4/search.html#prefix, #number, #quantity, #date: implied precision, ranges, comparators."""
    await put(fhir, [PATIENT, *OBSERVATIONS, *RISKS])
    assert sorted(await found(fhir, query)) == expected.split()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("RiskAssessment?probability=much", "value"),
        ("RiskAssessment?probability=0.2|x", "value"),
        ("RiskAssessment?probability=xx0.2", "value"),
        ("RiskAssessment?probability:not=0.2", "not-supported"),
        ("Observation?value-quantity=1|2|3|4", "value"),
        ("Observation?date=yesterday", "value"),
        ("Observation?date:exact=2024", "not-supported"),
    ],
)
async def test_what_is_malformed_is_refused(fhir: httpx.AsyncClient, query: str, code: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors."""
    assert await refused(fhir, query) == code
