"""Number parameters (http://hl7.org/fhir/R4/search.html#number)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

PATIENT: Resource = {"resourceType": "Patient", "id": "p"}
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
    ],
)
async def test_prefixes(fhir: httpx.AsyncClient, query: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#number, #prefix: the digits of a number say how exact it is."""
    await put(fhir, [PATIENT, *RISKS])
    assert sorted(await found(fhir, query)) == expected.split()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("RiskAssessment?probability=much", "value"),
        ("RiskAssessment?probability=0.2|x", "value"),
        ("RiskAssessment?probability=xx0.2", "value"),
        ("RiskAssessment?probability:not=0.2", "not-supported"),
    ],
)
async def test_what_is_malformed_is_refused(fhir: httpx.AsyncClient, query: str, code: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors."""
    assert await refused(fhir, query) == code
