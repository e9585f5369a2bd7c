"""Binary as its own content (http://hl7.org/fhir/R4/binary.html#rest)."""

import base64

import httpx
import pytest

PDF = b"%PDF-1.7\x00\xff a report"
STORED = {"resourceType": "Binary", "contentType": "application/pdf", "data": base64.b64encode(PDF).decode()}


async def test_content_that_is_sent_becomes_a_binary(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/binary.html#rest"""
    headers = {"content-type": "application/pdf", "x-security-context": "Patient/p"}
    await fhir.put("Patient/p", json={"resourceType": "Patient", "id": "p"})
    answer = await fhir.post("Binary", content=PDF, headers=headers)
    assert answer.status_code == 201, answer.text
    binary = answer.json()
    assert binary == STORED | {
        "id": binary["id"],
        "meta": binary["meta"],
        "securityContext": {"reference": "Patient/p"},
    }


async def test_content_is_updated_under_its_id(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/binary.html#rest"""
    await fhir.put("Binary/b", json=STORED | {"id": "b"})
    answer = await fhir.put("Binary/b", content=b"plain", headers={"content-type": "text/plain; charset=utf-8"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["contentType"] == "text/plain; charset=utf-8"
    assert (await fhir.get("Binary/b", headers={"accept": "text/plain"})).content == b"plain"
    assert (await fhir.get("Binary/b/_history/1", headers={"accept": "application/pdf"})).content == PDF


@pytest.mark.parametrize("accept", ["application/pdf", "image/png", "text/html;q=0.9, image/*", "application/pdf, */*"])
async def test_who_asks_for_another_type_gets_the_content(fhir: httpx.AsyncClient, accept: str) -> None:
    """http://hl7.org/fhir/R4/binary.html#rest; as a file, that acts in nobody's name"""
    await fhir.put("Binary/b", json=STORED | {"id": "b"})
    answer = await fhir.get("Binary/b", headers={"accept": accept})
    assert (answer.status_code, answer.content) == (200, PDF)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"
    head = await fhir.head("Binary/b", headers={"accept": accept})
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(PDF)))


@pytest.mark.parametrize(
    ("accept", "query"),
    [
        ("application/fhir+json", ""),
        ("*/*", ""),
        ("application/json", ""),
        ("application/pdf, application/fhir+json", ""),
        ("application/pdf", "?_format=json"),
    ],
)
async def test_who_asks_for_fhir_gets_the_resource(fhir: httpx.AsyncClient, accept: str, query: str) -> None:
    """http://hl7.org/fhir/R4/binary.html#rest"""
    await fhir.put("Binary/b", json=STORED | {"id": "b"})
    answer = await fhir.get(f"Binary/b{query}", headers={"accept": accept})
    assert answer.json()["data"] == STORED["data"]


async def test_what_is_not_there_is_told_as_fhir(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#read"""
    headers = {"accept": "application/pdf"}
    await fhir.put("Binary/gone", json=STORED | {"id": "gone"})
    await fhir.delete("Binary/gone")
    for address, status in (("Binary/none", 404), ("Binary/gone", 410), ("Binary/b/_history/9", 404)):
        answer = await fhir.get(address, headers=headers)
        assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")


async def test_searches_and_histories_are_no_content(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#mime-type"""
    for address in ("Binary", "Binary/_history", "Binary/b/_history"):
        assert (await fhir.get(address, headers={"accept": "application/pdf"})).status_code == 406


async def test_a_binary_without_data_has_no_content(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/binary-definitions.html#Binary.data"""
    answer = await fhir.post("Binary", content=b"", headers={"content-type": "text/plain"})
    assert answer.status_code == 201, answer.text
    assert "data" not in answer.json()
    answer = await fhir.get(f"Binary/{answer.json()['id']}", headers={"accept": "text/plain"})
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("media", ["", " ", "a  b"])
async def test_a_type_that_is_none_is_refused(fhir: httpx.AsyncClient, media: str) -> None:
    """http://hl7.org/fhir/R4/binary-definitions.html#Binary.contentType"""
    answer = await fhir.post("Binary", content=PDF, headers={"content-type": media})
    assert 400 <= answer.status_code < 500, answer.text


async def test_no_other_type_takes_content(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#mime-type"""
    assert (await fhir.post("Patient", content=PDF, headers={"content-type": "application/pdf"})).status_code == 415
    assert (await fhir.get("Patient/p", headers={"accept": "application/pdf"})).status_code == 406
