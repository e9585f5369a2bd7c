"""$export over three services: one job, one moment, one manifest; and what is told while a service is down."""

import asyncio
from typing import Any

import httpx
import pytest

from shared.ids import uuid7
from shared.security.caller import Caller, Role
from tests.factories.bulk import ASYNC, kicked_off
from tests.factories.resources import observation, patient
from tests.integration.gateway.whole import Whole

HELD: tuple[dict[str, Any], ...] = (
    patient(id="a"),
    patient(id="b"),
    observation("Patient/a", id="o"),
    {"resourceType": "Organization", "id": "clinic", "name": "Clinic"},
    {
        "resourceType": "Communication",
        "id": "letter",
        "status": "completed",
        "subject": {"reference": "Patient/a"},
    },
    {
        "resourceType": "Group",
        "id": "g",
        "type": "person",
        "actual": True,
        "member": [{"entity": {"reference": "Patient/a"}}],
    },
)


@pytest.fixture
async def whole(whole: Whole) -> Whole:
    """The services with ``HELD``."""
    for resource in HELD:
        answer = await whole.fhir.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
        assert answer.status_code in (200, 201), answer.text
    return whole


async def test_one_export_of_all_services(whole: Whole) -> None:
    found = await whole.exported(params={"_type": "Patient,Observation,Organization,Communication"})
    assert found.names == ["Communication/letter", "Observation/o", "Organization/clinic", "Patient/a", "Patient/b"]
    base = str(whole.fhir.base_url).rstrip("/")
    assert found.manifest["request"] == f"{base}/$export?_type=Patient%2CObservation%2COrganization%2CCommunication"
    assert all(file["url"].startswith(f"{base}/bulk-export/") for file in found.manifest["output"])
    async with asyncio.TaskGroup() as group:
        ats = [
            group.create_task(engine.pool.fetchval("SELECT min(at) FROM bulk_job")) for engine in whole.engines.values()
        ]
    assert len({task.result() for task in ats}) == 1, "one moment for all"


async def test_patients_and_groups_of_all_services(whole: Whole) -> None:
    of_a = ["Communication/letter", "Group/g", "Observation/o", "Patient/a"]
    assert (await whole.exported("Patient/$export")).names == sorted([*of_a, "Patient/b"])
    assert (await whole.exported("Group/g/$export")).names == of_a
    only = {
        "resourceType": "Parameters",
        "parameter": [{"name": "patient", "valueReference": {"reference": "Patient/b"}}],
    }
    assert (await whole.exported("Patient/$export", json=only)).names == ["Patient/b"]


async def test_since_over_all_services(whole: Whole) -> None:
    first = await whole.exported()
    assert (await whole.fhir.delete("Communication/letter")).status_code in (200, 204)
    assert (await whole.fhir.put("Organization/clinic", json=HELD[3] | {"name": "Other"})).status_code == 200
    second = await whole.exported(params={"_since": first.manifest["transactionTime"]})
    assert second.names == ["Organization/clinic"]
    assert second.deleted == ["Communication/letter"]


async def test_it_is_not_complete_before_all_parts_are(whole: Whole) -> None:
    status = await kicked_off(whole.fhir)
    await whole.work("referrals", "careplans")
    answer = await whole.fhir.get(status)
    assert answer.status_code == 202
    assert answer.headers["x-progress"].startswith("notifications: ")
    await whole.work("notifications")
    assert (await whole.fhir.get(status)).status_code == 200


@pytest.mark.parametrize("name", ["referrals", "careplans", "notifications"])
async def test_it_is_never_complete_while_a_service_is_down(whole: Whole, name: str) -> None:
    """503 and an issue that says that trying again may help."""
    status = await kicked_off(whole.fhir)
    await whole.work()
    whole.switches[name].up = False
    answer = await whole.fhir.get(status)
    assert answer.status_code == 503
    assert answer.json()["issue"][0]["code"] == "transient"
    assert answer.headers["retry-after"]
    whole.switches[name].up = True
    assert (await whole.fhir.get(status)).status_code == 200


async def test_a_kick_off_that_one_service_does_not_take_leaves_nothing(whole: Whole) -> None:
    whole.switches["notifications"].up = False
    assert (await whole.fhir.get("$export", headers=ASYNC)).status_code == 503
    for engine in whole.engines.values():
        assert await engine.pool.fetchval("SELECT count(*) FROM bulk_job WHERE status = 'running'") == 0


async def test_cancelling_ends_all_parts(whole: Whole) -> None:
    status = await kicked_off(whole.fhir)
    await whole.work("careplans")
    whole.switches["referrals"].up = False
    assert (await whole.fhir.delete(status)).status_code == 503, "one part may still be there"
    whole.switches["referrals"].up = True
    assert (await whole.fhir.delete(status)).status_code == 202
    assert (await whole.fhir.delete(status)).status_code == 404
    assert (await whole.fhir.get(status)).status_code == 404
    for engine in whole.engines.values():
        assert await engine.pool.fetchval("SELECT count(*) FROM bulk_chunk") == 0


async def test_only_who_started_it_hears_of_it(whole: Whole) -> None:
    found = await whole.exported()
    status = found.manifest["output"][0]["url"].rpartition("/")[0]
    whole.verifier.caller = Caller("another", Role.SYSTEM)
    for url in (status, *(file["url"] for file in found.manifest["output"])):
        assert (await whole.fhir.get(url)).status_code == 404
    assert (await whole.fhir.delete(status)).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("$export?_type=Nonsense", 400),
        ("$export?_typeFilter=x", 400),
        ("Group/absent/$export", 404),
        ("Patient/a/$export", 404),
        ("bulk-export/absent", 404),
        ("bulk-export/absent/careplans-1.ndjson", 404),
        ("bulk-export/absent/nobody-1.ndjson", 404),
    ],
)
async def test_refusals(whole: Whole, path: str, status: int) -> None:
    answer = await whole.fhir.get(path, headers=ASYNC)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("room", ["bulk-export", "bulk-import"])
async def test_what_is_no_id_names_no_job(whole: Whole, apart: httpx.AsyncClient, method: str, room: str) -> None:
    for client in (whole.fhir, apart):
        for path in (f"{room}/%00", f"{room}/%00/", *([f"{room}/%00/careplans-1.ndjson"] * (method != "DELETE"))):
            assert (await client.request(method, path)).status_code == 404


async def test_people_are_refused(whole: Whole) -> None:
    whole.verifier.caller = Caller("somebody", Role.CLINICIAN)
    assert (await whole.fhir.get("$export", headers=ASYNC)).status_code == 403


async def test_what_only_the_gateway_says_does_not_come_from_a_client(whole: Whole) -> None:
    """A client cannot choose the job's id or moment."""
    forged = {"x-consilium-part": f"{uuid7()} 2020-01-01T00:00:00+00:00 system", "x-consilium-request": "x"}
    answer = await whole.fhir.get("$export", headers=ASYNC | forged)
    assert answer.status_code == 202
    (told,) = whole.switches["careplans"].asked
    assert told["x-consilium-part"] != forged["x-consilium-part"]
    assert told["x-consilium-request"] == "$export"


async def test_the_whole_capability_statement_names_the_operations(whole: Whole) -> None:
    told = (await whole.fhir.get("metadata")).json()
    assert told["instantiates"] == ["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"]
    assert "export" in [operation["name"] for operation in told["rest"][0]["operation"]]
