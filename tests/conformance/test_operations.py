"""Operations in general, and $meta (http://hl7.org/fhir/R4/operations.html)."""

from typing import Any

import httpx
import pytest

from tests.factories.resources import bundle, entry, patient


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


@pytest.mark.parametrize(
    ("parameter", "where"),
    [
        (5, "Parameters.parameter"),
        (None, "Parameters.parameter"),
        ({"name": "x"}, "Parameters.parameter"),
        ([7], "Parameters.parameter[0]"),
        ([[]], "Parameters.parameter[0]"),
    ],
)
@pytest.mark.parametrize(
    "path", ["Patient/p/$everything", "Patient/$validate", "Patient/p/$validate", "$export", "Patient/$export"]
)
async def test_parameters_that_are_no_list_of_objects_are_refused(
    fhir: httpx.AsyncClient, path: str, parameter: Any, where: str
) -> None:
    await fhir.put("Patient/p", json=patient(id="p"))
    asked = {"resourceType": "Parameters", "parameter": parameter}
    answer = await fhir.post(path, json=asked, headers={"prefer": "respond-async"})
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == [where]
    answer = await fhir.post("", json=bundle("batch", entry("POST", path, asked)), headers={"prefer": "respond-async"})
    response = answer.json()["entry"][0]["response"]
    assert response["status"] == "400 Bad Request"
    assert response["outcome"]["issue"][0]["expression"] == [where]
