"""Conditional create (http://hl7.org/fhir/R4/http.html#ccreate): none, one, many; and under concurrency."""

import asyncio

import httpx
import pytest

from tests.factories.resources import bundle, entry, patient

CRITERIA = {"if-none-exist": "identifier=urn:oid:1.2.3|p-1"}


async def test_none_creates_one_finds_many_refuses(fhir: httpx.AsyncClient) -> None:
    first = await fhir.post("Patient", json=patient(), headers=CRITERIA)
    again = await fhir.post("Patient", json=patient(), headers=CRITERIA)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    await fhir.post("Patient", json=patient())
    assert (await fhir.post("Patient", json=patient(), headers=CRITERIA)).status_code == 412


async def test_fifty_at_once_make_one_patient(fhir: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(fhir.post("Patient", json=patient(), headers=CRITERIA) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (await fhir.get("Patient?_total=accurate")).json()["total"] == 1


async def test_twenty_transactions_at_once_make_one_patient(fhir: httpx.AsyncClient) -> None:
    wanted = bundle(
        "transaction",
        entry("POST", "Patient", patient(), "urn:uuid:" + "0" * 8, ifNoneExist="identifier=urn:oid:1.2.3|p-1"),
    )
    answers = await asyncio.gather(*(fhir.post("", json=wanted) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await fhir.get("Patient?_total=accurate")).json()["total"] == 1


@pytest.mark.parametrize("criteria", ["", "?", "no-such-parameter=1"])
async def test_criteria_that_select_nothing_in_particular_are_400(fhir: httpx.AsyncClient, criteria: str) -> None:
    answer = await fhir.post("Patient", json=patient(), headers={"if-none-exist": criteria})
    assert answer.status_code == 400
