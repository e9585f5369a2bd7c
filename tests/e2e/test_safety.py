"""Prescriptions of an EHR become a finding; the care team hears of it, and an override in the EHR answers it."""

from typing import Any

import httpx

from tests.e2e.evidence import Evidence
from tests.e2e.referring import act, furnish, send
from tests.eventually import eventually
from tests.factories.system import COORDINATOR, EHR, PSYCHOLOGIST, SPECIALIST, System
from tests.unit.services.careplans.domain.safety.cases.rows import NALOXONE, OXY5
from tests.unit.services.careplans.domain.safety.prescriptions import BID, prescribed

VIEW = "/cds-services/consilium-safety-patient-view"


async def test_a_finding_is_told_to_the_team_and_answered_from_the_ehr(system: System, evidence: Evidence) -> None:
    async with system.site() as site, site.working():
        (patient,) = await furnish(site)
        sent = await send(site, patient)
        assert sent is not None
        await act(site, sent, "accept")
        await eventually(lambda: _has_team(site.by(EHR), patient), within=30)
        await eventually(evidence.drained)
        await eventually(evidence.all_heard)
        ehr, specialist = site.by(EHR), site.by(SPECIALIST)
        for text, repeat in ((OXY5, BID), ("lorazepam 1 mg tablet", BID), (NALOXONE, None)):
            body = prescribed(text, repeat) | {"subject": {"reference": patient}}
            del body["id"]
            assert (await ehr.post("/fhir/MedicationRequest", json=body)).status_code == 201
        (issue,) = await eventually(lambda: _issues(ehr, patient), within=40)
        assert issue["code"]["coding"][0]["code"] == "opioid-benzodiazepine"
        await eventually(lambda: _told(evidence), within=30)

        context = {"userId": SPECIALIST.fhir_user, "patientId": patient.removeprefix("Patient/")}
        called = {"hook": "patient-view", "hookInstance": "1", "context": context}
        (card,) = (await specialist.post(VIEW, json=called)).json()["cards"]
        override = {"card": card["uuid"], "outcome": "overridden", "overrideReason": {"userComment": "For two days."}}
        answer = await specialist.post(f"{VIEW}/feedback", json={"feedback": [override]})
        assert (answer.status_code, answer.json()) == (200, {"acknowledged": 1}), answer.text
        plan = (await site.by(COORDINATOR).get(f"/api/plans?patient={patient}")).json()
        safety = await site.by(COORDINATOR).get(f"/api/{plan['care_plan'].replace('CarePlan', 'plans')}/safety")
        (finding,) = safety.json()["findings"]
        assert (finding["state"], finding["issue"]) == ("acknowledged", card["uuid"])
        assert (await specialist.post(VIEW, json=called)).json() == {"cards": []}
        await eventually(evidence.drained)
        assert await evidence.whole()


async def _issues(client: httpx.AsyncClient, patient: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/fhir/DetectedIssue?patient={patient}")
    return [entry["resource"] for entry in answer.json().get("entry", ())]


async def _has_team(client: httpx.AsyncClient, patient: str) -> bool:
    answer = await client.get(f"/fhir/CareTeam?patient={patient}")
    return bool(answer.json().get("entry"))


async def _told(evidence: Evidence) -> bool:
    rows = await evidence.rows("notifications", "SELECT type, receiver FROM delivery")
    return ("safety.finding-opened.v1", PSYCHOLOGIST.organization) in {(row["type"], row["receiver"]) for row in rows}
