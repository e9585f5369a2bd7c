"""vread (http://hl7.org/fhir/R4/http.html#vread)."""

import httpx
import pytest

from tests.factories.resources import patient


async def _created(fhir: httpx.AsyncClient) -> str:
    identity: str = (await fhir.post("Patient", json=patient())).json()["id"]
    return identity


async def test_each_version_is_read_as_it_was(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#vread"""
    id_ = await _created(fhir)
    changed = await fhir.put(f"Patient/{id_}", json=patient() | {"id": id_, "gender": "other"})
    assert changed.status_code == 200, changed.text
    for version, gender in ((1, patient().get("gender")), (2, "other")):
        answer = await fhir.get(f"Patient/{id_}/_history/{version}")
        assert (answer.status_code, answer.headers["etag"]) == (200, f'W/"{version}"')
        body = answer.json()
        assert (body.get("gender"), body["meta"]["versionId"]) == (gender, str(version))
        assert "last-modified" in answer.headers


async def test_a_version_of_a_deleted_resource_is_readable_but_not_the_deletion(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#vread: 410 where the version is the deletion"""
    id_ = await _created(fhir)
    assert (await fhir.delete(f"Patient/{id_}")).status_code == 204
    assert (await fhir.get(f"Patient/{id_}/_history/1")).status_code == 200
    assert (await fhir.get(f"Patient/{id_}/_history/2")).status_code == 410


@pytest.mark.parametrize("version", ["9", "x", "-1", "0", "99999999999999999999"])
async def test_a_version_that_never_was_is_404(fhir: httpx.AsyncClient, version: str) -> None:
    """http://hl7.org/fhir/R4/http.html#vread"""
    assert (await fhir.get(f"Patient/{await _created(fhir)}/_history/{version}")).status_code == 404
