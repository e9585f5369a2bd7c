"""read (http://hl7.org/fhir/R4/http.html#read)."""

import httpx
import pytest

from tests.factories.resources import patient


async def _created(fhir: httpx.AsyncClient) -> str:
    identity: str = (await fhir.post("Patient", json=patient())).json()["id"]
    return identity


async def test_an_unknown_id_is_404_with_an_outcome(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#read"""
    answer = await fhir.get("Patient/unknown")
    assert answer.status_code == 404
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_an_unknown_type_is_404(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#Status-Codes"""
    assert (await fhir.get("Nonsense/1")).status_code == 404
    assert (await fhir.get("Nonsense")).status_code == 404
    assert (await fhir.post("Nonsense", json={"resourceType": "Nonsense"})).status_code == 404


async def test_a_deleted_resource_is_410_and_its_past_still_readable(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#read"""
    id_ = await _created(fhir)
    assert (await fhir.delete(f"Patient/{id_}")).status_code == 204
    assert (await fhir.get(f"Patient/{id_}")).status_code == 410
    assert (await fhir.get(f"Patient/{id_}/_history/1")).status_code == 200
    assert (await fhir.get(f"Patient/{id_}/_history/2")).status_code == 410


async def test_if_none_match_with_the_current_version_is_304_without_a_body(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#cread"""
    id_ = await _created(fhir)
    answer = await fhir.get(f"Patient/{id_}", headers={"if-none-match": 'W/"1"'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert (await fhir.get(f"Patient/{id_}", headers={"if-none-match": 'W/"2"'})).status_code == 200


async def test_a_malformed_etag_is_400(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#versioning"""
    id_ = await _created(fhir)
    assert (await fhir.get(f"Patient/{id_}", headers={"if-none-match": "one"})).status_code == 400


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("application/json", 200),
        ("*/*", 200),
        ("text/html, application/fhir+json;q=0.9", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("text/plain", 406),
        ("application/fhir+turtle", 406),
    ],
)
async def test_accept_is_honoured(fhir: httpx.AsyncClient, accept: str, status: int) -> None:
    """http://hl7.org/fhir/R4/http.html#mime-type"""
    answer = await fhir.get(f"Patient/{await _created(fhir)}", headers={"accept": accept})
    assert answer.status_code == status


async def test_format_wins_over_accept(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#parameters"""
    id_ = await _created(fhir)
    json = await fhir.get(f"Patient/{id_}?_format=application/fhir+json", headers={"accept": "text/html"})
    assert json.status_code == 200
    assert (await fhir.get(f"Patient/{id_}?_format=text/plain")).status_code == 406


async def test_head_answers_like_get_without_the_body(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#read"""
    answer = await fhir.head(f"Patient/{await _created(fhir)}")
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (200, b"", 'W/"1"')


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("id_", ["robin%0A", "robin%00", "%00"])
async def test_what_is_no_id_names_nothing(fhir: httpx.AsyncClient, method: str, id_: str) -> None:
    """http://hl7.org/fhir/R4/datatypes.html#id"""
    body = patient(id="robin\n") if method == "PUT" else None
    assert (await fhir.request(method, f"Patient/{id_}", json=body)).status_code == (400 if method == "PUT" else 404)
