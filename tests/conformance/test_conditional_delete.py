"""Conditional delete (http://hl7.org/fhir/R4/http.html#2.1.0.13.1): one, or by a setting many; never everything."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type, running_engine
from tests.factories.resources import observation, patient

WANTED = "Patient?identifier=urn:oid:1.2.3|p-1"


@pytest.fixture
async def several(
    database_url: str, verifier: FixedVerifier, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """A server whose operators let a conditional delete take along many."""
    monkeypatch.setenv("CONSILIUM_CONDITIONAL_DELETE", "multiple")
    await create_tables(database_url)
    service = every_type()
    async with running_engine(database_url, service) as engine, client_of(engine, service, verifier) as client:
        yield client


@pytest.fixture(params=["single", "multiple"])
async def either(
    request: pytest.FixtureRequest, database_url: str, verifier: FixedVerifier, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A server of each setting, and the setting."""
    monkeypatch.setenv("CONSILIUM_CONDITIONAL_DELETE", request.param)
    await create_tables(database_url)
    service = every_type()
    async with running_engine(database_url, service) as engine, client_of(engine, service, verifier) as client:
        yield client, request.param


async def _ids(fhir: httpx.AsyncClient) -> set[str]:
    return {entry["resource"]["id"] for entry in (await fhir.get("Patient")).json().get("entry", [])}


async def _three(fhir: httpx.AsyncClient) -> None:
    for id_ in ("robin", "wren"):
        await fhir.put(f"Patient/{id_}", json=patient(id=id_))
    await fhir.put("Patient/other", json=patient(id="other", identifier=[{"value": "another"}]))


async def test_one_match_is_deleted_and_its_history_stays(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answer = await fhir.delete(WANTED)
    assert (answer.status_code, answer.headers["etag"]) == (204, 'W/"2"')
    assert (await fhir.get("Patient/robin")).status_code == 410
    assert (await fhir.get("Patient/robin/_history/1")).status_code == 200


async def test_no_match_is_204_and_deletes_nothing(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/other", json=patient(id="other", identifier=[{"value": "another"}]))
    assert (await fhir.delete(WANTED)).status_code == 204
    assert await _ids(fhir) == {"other"}


async def test_several_matches_are_412_and_all_stay(fhir: httpx.AsyncClient) -> None:
    await _three(fhir)
    answer = await fhir.delete(WANTED)
    assert answer.status_code == 412
    assert await _ids(fhir) == {"robin", "wren", "other"}


async def test_several_matches_go_together_where_the_setting_says_so(several: httpx.AsyncClient) -> None:
    await _three(several)
    assert (await several.delete(WANTED)).status_code == 204
    assert await _ids(several) == {"other"}


async def test_of_several_one_that_is_referred_to_keeps_all(several: httpx.AsyncClient) -> None:
    """All or none: a conditional delete is one transaction."""
    await _three(several)
    await several.post("Observation", json=observation("Patient/wren"))
    assert (await several.delete(WANTED)).status_code == 409
    assert await _ids(several) == {"robin", "wren", "other"}


@pytest.mark.parametrize(
    "criteria",
    [
        *("", "?", "?no-such-parameter=1", "?identifer=x", "?identifier=", "?_count=1000", "?_format=json"),
        *("?_sort=_id", "?_total=accurate&_include=Patient:organization"),
        "?identifier=urn:oid:1.2.3|p-1&no-such-parameter=1",
    ],
)
async def test_criteria_with_an_unknown_parameter_or_without_any_delete_nothing(
    either: tuple[httpx.AsyncClient, str], criteria: str
) -> None:
    """A misspelt parameter that was left out would mean: everything."""
    client, _ = either
    await _three(client)
    answer = await client.delete(f"Patient{criteria}", headers={"prefer": "handling=lenient"})
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert await _ids(client) == {"robin", "wren", "other"}


@pytest.mark.parametrize(("tag", "status"), [('W/"1"', 204), ('W/"7"', 412), ("*", 204), ("seven", 400)])
async def test_if_match_guards(fhir: httpx.AsyncClient, tag: str, status: int) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    assert (await fhir.delete(WANTED, headers={"if-match": tag})).status_code == status


async def test_if_match_fits_no_set(several: httpx.AsyncClient) -> None:
    await _three(several)
    assert (await several.delete(WANTED, headers={"if-match": 'W/"1"'})).status_code == 400
    assert await _ids(several) == {"robin", "wren", "other"}


async def test_of_twenty_at_once_one_deletes(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answers = await asyncio.gather(*(fhir.delete(WANTED) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {204}
    assert [answer.headers["etag"] for answer in answers if "etag" in answer.headers] == ['W/"2"']


async def test_what_stops_matching_meanwhile_stays(fhir: httpx.AsyncClient) -> None:
    """Plain updates take no turns with conditional writes: each ends whole, and what no longer matches stays."""
    await fhir.put("Patient/robin", json=patient(id="robin"))
    for turn in range(10):
        changed = patient(id="robin", identifier=[{"value": f"turn-{turn}"}])
        put, gone = await asyncio.gather(fhir.put("Patient/robin", json=changed), fhir.delete(WANTED))
        assert put.status_code in (200, 201)
        assert gone.status_code in (204, 409)
        assert (await fhir.get("Patient/robin")).json()["identifier"][0]["value"] == f"turn-{turn}" or (
            "etag" in gone.headers
        )
        await fhir.put("Patient/robin", json=patient(id="robin"))


async def test_the_capability_statement_says_which(either: tuple[httpx.AsyncClient, str]) -> None:
    client, setting = either
    resources = (await client.get("metadata")).json()["rest"][0]["resource"]
    assert {resource["conditionalDelete"] for resource in resources} == {setting}
    assert {resource["conditionalUpdate"] for resource in resources} == {True}
