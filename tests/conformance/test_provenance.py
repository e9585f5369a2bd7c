"""Who changed what: the Provenance that the server writes (http://hl7.org/fhir/R4/provenance.html)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from shared import provenance
from shared.fhir.json import dumps
from shared.security.caller import Caller, Discipline, Role
from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type, running_engine
from tests.factories.resources import bundle, care_plan, entry, patient

PHYSIO = Caller("pt-park", Role.CLINICIAN, Discipline.PHYSICAL_THERAPY, "Practitioner/park", "Organization/motion")
OPERATIONS = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"


@pytest.fixture
async def fhir(database_url: str, verifier: FixedVerifier) -> AsyncIterator[httpx.AsyncClient]:
    """A server that records, as our services do."""
    await create_tables(database_url)
    service = replace(every_type(provenance.KIND), records_provenance=True)
    async with running_engine(database_url, service) as engine, client_of(engine, service, verifier) as client:
        yield client


async def _of(fhir: httpx.AsyncClient, target: str) -> list[dict[str, Any]]:
    answer = await fhir.get("Provenance", params={"target": target})
    assert answer.status_code == 200, answer.text
    return [one["resource"] for one in answer.json().get("entry", [])]


def _told(one: dict[str, Any]) -> tuple[str, list[str]]:
    return one["activity"]["coding"][0]["code"], [target["reference"] for target in one["target"]]


async def test_every_change_has_one(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/provenance.html#scope"""
    await fhir.put("Patient/p", json=patient(id="p"))
    await fhir.put("Patient/p", json=patient(id="p", active=True))
    await fhir.delete("Patient/p")
    assert [_told(one) for one in await _of(fhir, "Patient/p")] == [
        ("CREATE", ["Patient/p/_history/1"]),
        ("UPDATE", ["Patient/p/_history/2"]),
        ("DELETE", ["Patient/p/_history/3"]),
    ]


async def test_it_says_who_in_which_role_and_for_whom(fhir: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    """http://hl7.org/fhir/R4/provenance-definitions.html#Provenance.agent"""
    verifier.caller = PHYSIO
    await fhir.put("Patient/p", json=patient(id="p"))
    (told,) = await _of(fhir, "Patient/p")
    (agent,) = told["agent"]
    assert agent["who"] == {"reference": "Practitioner/park"}
    assert agent["onBehalfOf"] == {"reference": "Organization/motion"}
    assert [role["coding"][0]["code"] for role in agent["role"]] == ["clinician", "physical-therapy"]
    assert [one["id"] for one in await _of_agent(fhir, "Practitioner/park")] == [told["id"]]


async def _of_agent(fhir: httpx.AsyncClient, agent: str) -> list[dict[str, Any]]:
    answer = await fhir.get("Provenance", params={"agent": agent})
    return [one["resource"] for one in answer.json().get("entry", [])]


async def test_a_reason_that_came_with_the_change_is_told(fhir: httpx.AsyncClient) -> None:
    task = {"resourceType": "Task", "id": "t", "status": "requested", "intent": "order"}
    reason = {"text": "no capacity until March"}
    await fhir.put("Task/t", json=task)
    await fhir.put("Task/t", json=task | {"status": "rejected", "statusReason": reason})
    await fhir.put("Task/t", json=task | {"status": "rejected", "statusReason": reason, "priority": "urgent"})
    assert [one.get("reason") for one in await _of(fhir, "Task/t")] == [None, [reason], None]


async def test_a_transaction_has_one_for_each_kind_of_change(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/old", json=patient(id="old"))
    entries = [entry("PUT", f"Patient/p{n}", patient(id=f"p{n}")) for n in range(3)]
    entries += [entry("DELETE", "Patient/old"), entry("POST", "CarePlan", care_plan("Patient/p0"))]
    answer = await fhir.post("", json=bundle("transaction", *entries))
    assert answer.status_code == 200, answer.text
    (created,), (deleted,) = await _of(fhir, "Patient/p1"), (await _of(fhir, "Patient/old"))[1:]
    assert _told(created)[0] == "CREATE"
    assert len(created["target"]) == 4
    assert _told(deleted) == ("DELETE", ["Patient/old/_history/2"])


async def test_what_failed_has_none(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post("CarePlan", json=care_plan("Patient/absent"))
    assert answer.status_code == 422
    assert (await fhir.get("Provenance", params={"_summary": "count"})).json()["total"] == 0


async def test_it_comes_with_what_it_speaks_of(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#revinclude"""
    await fhir.put("Patient/p", json=patient(id="p"))
    answer = await fhir.get("Patient", params={"_id": "p", "_revinclude": "Provenance:target"})
    assert [one["search"]["mode"] for one in answer.json()["entry"]] == ["match", "include"]


async def test_nobody_rewrites_what_the_server_recorded(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/p", json=patient(id="p"))
    (told,) = await _of(fhir, "Patient/p")
    where = f"Provenance/{told['id']}"
    assert (await fhir.put(where, json=told | {"recorded": "2020-01-01T00:00:00Z"})).status_code == 403
    assert (await fhir.delete(where)).status_code == 403
    forged = {name: value for name, value in told.items() if name != "id"}
    assert (await fhir.post("Provenance", json=forged)).status_code == 403
    assert (await fhir.get(where)).json() == told


async def test_it_keeps_nothing_from_being_deleted(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/p", json=patient(id="p"))
    assert (await fhir.delete("Patient/p")).status_code == 204


def _sent(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Provenance",
        "recorded": "2026-02-03T10:00:00Z",
        "agent": [{"who": {"display": "the EHR's interface engine"}}],
    } | more


async def test_what_an_ehr_sends_in_the_header_is_kept(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/provenance.html#header"""
    header = httpx.Headers({"X-Provenance": dumps(_sent()).decode()})
    made = await fhir.post("Patient", json=patient(), headers=header)
    assert made.status_code == 201
    reference = f"Patient/{made.json()['id']}"
    found = [one for one in await _of(fhir, reference) if "source" not in one["meta"]]
    assert [one["agent"] for one in found] == [_sent()["agent"]]
    assert [target["reference"] for target in found[0]["target"]] == [f"{reference}/_history/1"]


@pytest.mark.parametrize(
    "header",
    [
        "no json",
        "[]",
        '{"resourceType":"Patient"}',
        '{"resourceType":"Provenance"}',
        '{"resourceType":"Provenance","target":[{"reference":"Patient/p"}]}',
        "{" * 5000,
        '{"a":"' + "b" * 9000 + '"}',
    ],
)
async def test_a_header_that_is_no_provenance_stores_nothing(fhir: httpx.AsyncClient, header: str) -> None:
    answer = await fhir.put("Patient/p", json=patient(id="p"), headers={"X-Provenance": header})
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert (await fhir.get("Patient/p")).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "transaction"])
async def test_the_header_counts_for_every_write(fhir: httpx.AsyncClient, method: str) -> None:
    headers = {"X-Provenance": dumps(_sent()).decode()}
    await fhir.put("Patient/p", json=patient(id="p"))
    if method == "transaction":
        body = bundle("transaction", entry("PUT", "Patient/p", patient(id="p")))
        answer = await fhir.post("", json=body, headers=headers)
    else:
        body = patient(id="p") if method == "PUT" else None
        answer = await fhir.request(method, "Patient/p", json=body, headers=headers)
    assert answer.status_code < 300, answer.text
    found = [one for one in await _of(fhir, "Patient/p") if "source" not in one["meta"]]
    assert [target["reference"] for one in found for target in one["target"]] == ["Patient/p/_history/2"]
