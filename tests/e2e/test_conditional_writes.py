"""Writes by criteria and patches through the gateway: each reaches the owner of its type, also from a Bundle."""

import asyncio
from collections import Counter

from tests.e2e.evidence import Evidence
from tests.factories.patches import in_binary, json_patch, operation, parameters
from tests.factories.resources import bundle, care_plan, entry, patient
from tests.factories.system import EHR, System

WANTED = "Patient?identifier=urn:oid:1.2.3|p-1"
CLINICS = "Organization?name=Pain%20Clinic"
CLINIC = {"resourceType": "Organization", "name": "Pain Clinic", "active": True}


async def test_single_writes_reach_their_owner(plain_system: System, evidence: Evidence) -> None:
    async with plain_system.site() as site:
        ehr = site.by(EHR)
        for url, body in ((WANTED, patient()), (CLINICS, CLINIC)):
            assert [(await ehr.put(f"/fhir/{url}", json=body)).status_code for _ in range(2)] == [201, 200]
        patched = await ehr.patch(
            f"/fhir/{WANTED}", **json_patch({"op": "replace", "path": "/gender", "value": "male"})
        )
        assert (patched.status_code, patched.json()["gender"]) == (200, "male")
        renamed = parameters(operation("replace", "Organization.name", value={"valueString": "Other"}))
        answer = await ehr.patch(f"/fhir/{CLINICS}", json=renamed)
        assert (answer.status_code, answer.json()["name"]) == (200, "Other")
        refused = await ehr.patch(f"/fhir/{WANTED}", content=b"{}", headers={"content-type": "text/plain"})
        assert (refused.status_code, "json-patch" in refused.headers["accept-patch"]) == (415, True)
        known = {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}
        assert (await ehr.get(f"/fhir/Patient/{patched.json()['id']}", headers=known)).status_code == 304
        assert (await ehr.delete("/fhir/Patient?nonsense=1")).status_code == 400
        assert (await ehr.delete("/fhir/Organization?name=Other")).status_code == 204
        assert (await ehr.get("/fhir/Organization?name=Other&_total=accurate")).json()["total"] == 0


async def test_entries_of_a_bundle_reach_their_owner(plain_system: System) -> None:
    async with plain_system.site() as site:
        ehr = site.by(EHR)
        whole = bundle("batch", entry("PUT", WANTED, patient()), entry("PUT", CLINICS, CLINIC))
        answer = await ehr.post("/fhir", json=whole)
        assert [each["response"]["status"][:3] for each in answer.json()["entry"]] == ["201", "201"]
        male = in_binary({"op": "replace", "path": "/gender", "value": "male"})
        plan = care_plan(WANTED, author={"reference": CLINICS})
        whole = bundle("transaction", entry("PATCH", WANTED, male), entry("POST", "CarePlan", plan))
        answer = await ehr.post("/fhir", json=whole, headers={"prefer": "return=representation"})
        assert answer.status_code == 200, answer.text
        person, made = (each["resource"] for each in answer.json()["entry"])
        assert person["gender"] == "male"
        assert made["subject"]["reference"] == f"Patient/{person['id']}"
        assert made["author"]["reference"].startswith("Organization/")


async def test_twenty_puts_by_criteria_at_once_make_one(plain_system: System, evidence: Evidence) -> None:
    async with plain_system.site() as site:
        answers = await asyncio.gather(*(site.by(EHR).put(f"/fhir/{WANTED}", json=patient()) for _ in range(20)))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 19}
        assert len(await evidence.resources("careplans", "Patient")) == 1
