"""Operations in general, and $meta (http://hl7.org/fhir/R4/operations.html)."""

import httpx
import pytest

from tests.factories.resources import patient


async def test_meta_of_one_resource(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/resource-operation-meta.html"""
    tag = {"system": "http://example.org/tags", "code": "pain"}
    made = (await fhir.post("Patient", json=patient() | {"meta": {"tag": [tag]}})).json()
    answer = await fhir.get(f"Patient/{made['id']}/$meta")
    assert answer.status_code == 200
    assert answer.json() == {"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": made["meta"]}]}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "Patient/absent/$meta", 404),
        ("GET", "Patient/not_an_id/$meta", 404),
        ("GET", "Nonsense/1/$meta", 404),
        ("DELETE", "Patient/1/$meta", 405),
        ("GET", "$nonsense", 404),
        ("GET", "Patient/$nonsense", 404),
        ("GET", "Patient/1/$nonsense", 404),
    ],
)
async def test_refusals(fhir: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await fhir.request(method, path)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
