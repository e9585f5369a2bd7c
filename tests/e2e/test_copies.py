"""Searches that cross services: each keeps copies of what it needs of the others (docs/adr/0020-copies.md)."""

from typing import Any

import httpx

from tests.e2e.evidence import Evidence
from tests.e2e.referring import furnish, send
from tests.eventually import eventually
from tests.factories.system import EHR, System


def _found(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    entries = answer.json().get("entry", [])
    return sorted(f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in entries)


def _team(patient: str, *members: str) -> dict[str, Any]:
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": patient},
        "participant": [{"member": {"reference": member}} for member in members],
    }


async def test_includes_bring_in_what_another_service_owns(system: System, evidence: Evidence) -> None:
    """http://hl7.org/fhir/R4/search.html#include"""
    async with system.site() as site, site.working():
        (patient,) = await furnish(site)
        ehr = site.by(EHR)
        made = await ehr.post("/fhir/CareTeam", json=_team(patient, "Practitioner/lind", "Organization/mind"))
        team = f"CareTeam/{made.json()['id']}"
        sent = await send(site, patient)
        assert sent is not None
        await eventually(evidence.drained, within=30)
        await eventually(evidence.copied)
        found = await ehr.get("/fhir/CareTeam", params={"_id": made.json()["id"], "_include": "CareTeam:participant"})
        assert _found(found) == sorted([team, "Practitioner/lind", "Organization/mind"])
        of_patient = {"patient": patient, "_include": "ServiceRequest:patient"}
        assert _found(await ehr.get("/fhir/ServiceRequest", params=of_patient)) == sorted([patient, sent.order])
        plan = {"patient": patient, "_include": "CarePlan:activity-reference"}
        await eventually(lambda: _includes(ehr, "/fhir/CarePlan", plan, sent.order))


async def _includes(client: httpx.AsyncClient, path: str, query: dict[str, str], wanted: str) -> bool:
    return wanted in _found(await client.get(path, params=query))


async def test_a_copy_follows_its_resource_to_the_end(plain_system: System, evidence: Evidence) -> None:
    async with plain_system.site() as site, site.working():
        (patient,) = await furnish(site)
        ehr = site.by(EHR)
        doctor = {"resourceType": "Practitioner", "id": "new", "active": True}
        await ehr.put("/fhir/Practitioner/new", json=doctor)
        await ehr.post("/fhir/CareTeam", json=_team(patient, "Practitioner/new"))
        query = {"patient": patient, "_include": "CareTeam:participant"}
        await eventually(lambda: _includes(ehr, "/fhir/CareTeam", query, "Practitioner/new"))
        await ehr.put("/fhir/Practitioner/new", json=doctor | {"active": False})
        await eventually(evidence.copied)
        assert (await ehr.delete("/fhir/Practitioner/new")).status_code == 204
        await eventually(evidence.copied)
        assert "Practitioner/new" not in _found(await ehr.get("/fhir/CareTeam", params=query))


async def test_a_copy_does_not_keep_its_target_from_being_deleted(plain_system: System, evidence: Evidence) -> None:
    """What another service's copy says may be out of date; integrity is within a service."""
    async with plain_system.site() as site, site.working():
        (patient,) = await furnish(site)
        ehr = site.by(EHR)
        await ehr.put("/fhir/Practitioner/away", json={"resourceType": "Practitioner", "id": "away"})
        await ehr.post("/fhir/CareTeam", json=_team(patient, "Practitioner/away"))
        await eventually(evidence.copied)
        assert (await ehr.delete("/fhir/Practitioner/away")).status_code == 204


async def test_no_interaction_reaches_a_copy(plain_system: System, evidence: Evidence) -> None:
    async with plain_system.site() as site, site.working():
        await furnish(site)
        await eventually(evidence.copied)
        careplans = site.assembly.engines["careplans"]
        assert "Practitioner" not in careplans.kinds
        rows = await evidence.rows("careplans", "SELECT count(*) FROM resource_history WHERE type = 'Practitioner'")
        assert rows[0][0] == 0
