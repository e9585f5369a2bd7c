"""Fifty at once through the gateway: one patient is made, one update wins."""

import asyncio
from collections import Counter

import httpx

from shared.security.caller import Caller, Discipline, Role
from tests.e2e.evidence import Evidence
from tests.e2e.referring import furnish
from tests.factories.resources import bundle, care_plan, entry, patient
from tests.factories.system import COORDINATOR, EHR, System

AT_ONCE = 50
SAME = "identifier=urn:oid:1.2.3|the-same"
CLINICIANS = [
    Caller(f"dr-{n}", Role.CLINICIAN, Discipline.PAIN_MEDICINE, f"Practitioner/{n}", "Organization/pain-clinic")
    for n in range(AT_ONCE)
]


def the_same() -> dict[str, object]:
    return patient(identifier=[{"system": "urn:oid:1.2.3", "value": "the-same"}])


def counted(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def test_fifty_conditional_creates_of_one_patient_make_one(plain_system: System, evidence: Evidence) -> None:
    async with plain_system.site() as site:
        headers = {"If-None-Exist": SAME}
        requests = (site.by(EHR).post("/fhir/Patient", json=the_same(), headers=headers) for _ in range(AT_ONCE))
        answers = await asyncio.gather(*requests)
        assert counted(answers) == {201: 1, 200: AT_ONCE - 1}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len(await evidence.resources("careplans", "Patient")) == 1


async def test_fifty_transactions_with_one_conditional_patient_make_one_patient_and_fifty_plans(
    plain_system: System, evidence: Evidence
) -> None:
    full_url = "urn:uuid:00000000-0000-4000-8000-000000000001"
    whole = bundle(
        "transaction",
        entry("POST", "Patient", the_same(), full_url, ifNoneExist=SAME),
        entry("POST", "CarePlan", care_plan(full_url)),
    )
    async with plain_system.site() as site:
        answers = await asyncio.gather(*(site.by(EHR).post("/fhir", json=whole) for _ in range(AT_ONCE)))
        assert counted(answers) == {200: AT_ONCE}
        (one,) = await evidence.resources("careplans", "Patient")
        plans = await evidence.resources("careplans", "CarePlan")
        assert [plan["subject"]["reference"] for plan in plans] == [f"Patient/{one['id']}"] * AT_ONCE


async def test_of_fifty_updates_of_one_plan_with_the_same_version_one_wins(
    plain_system: System, evidence: Evidence
) -> None:
    async with plain_system.site() as site:
        (of,) = await furnish(site)
        for callers in ([EHR] * AT_ONCE, CLINICIANS):
            plan = (await site.by(EHR).post("/fhir/CarePlan", json=care_plan(of))).json()
            answers = await asyncio.gather(
                *(
                    site.by(caller).put(
                        f"/fhir/CarePlan/{plan['id']}",
                        json=plan | {"title": f"by {number}"},
                        headers={"If-Match": 'W/"1"'},
                    )
                    for number, caller in enumerate(callers)
                )
            )
            assert counted(answers) == {200: 1, 412: AT_ONCE - 1}
            (winner,) = (answer.json() for answer in answers if answer.status_code == 200)
            now = (await site.by(COORDINATOR).get(f"/fhir/CarePlan/{plan['id']}")).json()
            assert now == winner
            assert now["meta"]["versionId"] == "2"
            assert all(answer.json()["resourceType"] == "OperationOutcome" for answer in answers if answer.is_error)
        rows = await evidence.rows("careplans", "SELECT id, count(*) FROM resource_history GROUP BY id, type")
        assert max(row["count"] for row in rows) == 2
