"""Bad input: always an OperationOutcome with the right status, never a 500, nothing stored."""

import httpx
import pytest

from tests.factories.resources import patient

JSON = {"content-type": "application/fhir+json"}


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"resourceType":"Patient"', JSON, 400),
        (b"", JSON, 400),
        (b"[]", JSON, 400),
        (b"null", JSON, 400),
        (b'"Patient"', JSON, 400),
        (b'{"resourceType":"Patient","name":"Robin"}', JSON, 422),
        (b'{"resourceType":"Patient","gender":"bogus"}', JSON, 422),
        (b'{"resourceType":"Patient","unknown":1}', JSON, 422),
        (b'{"resourceType":"Patient","birthDate":"yesterday"}', JSON, 422),
        (b'{"resourceType":"Patient","name":[{"family":"a\\u0000b"}]}', JSON, 422),
        (b'{"resourceType":"Patient","name":[{"family":"\xff"}]}', JSON, 400),
        (b'{"resourceType":"Patient","active":NaN}', JSON, 400),
        (b'{"resourceType":"Observation"}', JSON, 400),
        (b'{"resourceType":["Patient"]}', JSON, 400),
        (b"<Patient/>", {"content-type": "application/xml"}, 400),
        (b"{}", {"content-type": "text/plain"}, 415),
        (b'{"resourceType":"Patient","extension":' + b'[{"extension":' * 5000 + b"[]" + b"}]" * 5000 + b"}", JSON, 400),
        (b'{"resourceType":"Patient","contact":' + b"[" * 200 + b"]" * 200 + b"}", JSON, 422),
    ],
)
async def test_a_bad_body(fhir: httpx.AsyncClient, body: bytes, headers: dict[str, str], status: int) -> None:
    answer = await fhir.post("Patient", content=body, headers=headers)
    assert answer.status_code == status
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"][0]["severity"] in ("error", "fatal")
    assert (await fhir.get("Patient?_total=accurate")).json()["total"] == 0


async def test_a_body_of_twenty_megabytes_is_413(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post("Patient", content=b" " * 20_000_000, headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [
        ("GET", "Patient/1/nonsense", 404),
        ("GET", "a/b/c/d/e", 404),
        ("DELETE", "metadata", 405),
        ("DELETE", "Patient", 400),
        ("PATCH", "Patient/1/_history", 405),
        ("GET", "Patient?birthdate=yesterday", 400),
        ("GET", "Patient?gender:bogus=male", 400),
        ("GET", "Patient?_count=lots", 400),
        ("GET", "Patient?_id=%00", 400),
        ("GET", "Patient/%00", 404),
        ("GET", "Patient/%ff", 404),
        ("GET", "Patient?name=%ff", 400),
    ],
)
async def test_a_bad_address(fhir: httpx.AsyncClient, method: str, url: str, status: int) -> None:
    answer = await fhir.request(method, url)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_an_unknown_parameter_is_refused_where_strict_handling_is_asked_for(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.get("Patient?shoe-size=9", headers={"prefer": "handling=strict"})).status_code == 400
    lenient = await fhir.get("Patient?shoe-size=9")
    assert lenient.status_code == 200
    assert "shoe-size" not in next(link["url"] for link in lenient.json()["link"] if link["relation"] == "self")


async def test_errors_never_repeat_what_was_sent(fhir: httpx.AsyncClient) -> None:
    canary = "Zebra-Canary-77"
    bad = patient(gender=canary, birthDate=canary, contact=[{"gender": canary}], id=canary)
    for answer in (
        await fhir.post("Patient", json=bad),
        await fhir.put(f"Patient/{canary}", json=bad),
        await fhir.get(f"Patient/{canary}"),
        await fhir.get(f"Patient?birthdate={canary}"),
        await fhir.get("Patient", headers={"accept": canary}),
    ):
        assert answer.status_code >= 400
        assert canary not in answer.text
