"""Conditional read (http://hl7.org/fhir/R4/http.html#cread): If-None-Match and If-Modified-Since."""

from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

import httpx
import pytest

from tests.factories.resources import patient


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        *(('W/"1"', 304), ('"1"', 304), ('W/"7", W/"1"', 304), ("*", 304), ('W/"7"', 200), ('W/"7","8"', 200)),
        *(("seven", 400), ('W/"1", seven', 400), ("", 400), (",".join(['"1"'] * 100), 400)),
    ],
)
async def test_if_none_match(fhir: httpx.AsyncClient, tag: str, status: int) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answer = await fhir.get("Patient/robin", headers={"if-none-match": tag})
    assert answer.status_code == status
    assert (answer.content == b"") == (status == 304)


@pytest.mark.parametrize(("later", "status"), [(0, 304), (1, 304), (-1, 200)])
async def test_if_modified_since(fhir: httpx.AsyncClient, later: int, status: int) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    changed = (await fhir.get("Patient/robin")).headers["last-modified"]
    since = format_datetime(parsedate_to_datetime(changed) + timedelta(seconds=later), usegmt=True)
    answer = await fhir.get("Patient/robin", headers={"if-modified-since": since})
    assert (answer.status_code, answer.headers["etag"]) == (status, 'W/"1"')


async def test_if_none_match_comes_first(fhir: httpx.AsyncClient) -> None:
    """https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2"""
    await fhir.put("Patient/robin", json=patient(id="robin"))
    headers = {"if-none-match": 'W/"7"', "if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}
    assert (await fhir.get("Patient/robin", headers=headers)).status_code == 200


@pytest.mark.parametrize("text", ["yesterday", "2026-13-40", "99999999999999", "Fri, 99 Foo 2100 00:00:00 GMT"])
async def test_a_malformed_moment_is_400(fhir: httpx.AsyncClient, text: str) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answer = await fhir.get("Patient/robin", headers={"if-modified-since": text})
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_what_is_gone_or_was_never_there_is_told_whatever_the_caller_has(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    await fhir.delete("Patient/robin")
    headers = {"if-none-match": 'W/"2"'}
    assert (await fhir.get("Patient/robin", headers=headers)).status_code == 410
    assert (await fhir.get("Patient/nobody", headers=headers)).status_code == 404
