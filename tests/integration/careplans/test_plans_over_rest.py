"""``/api/plans``: what coordinators see and do."""

import asyncio

import httpx

from shared.engine import Engine
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import Referral, hear, new_patient, plans_of, shared_plan
from tests.integration.careplans.proposing import decide, decision, in_pain, patient_with, propose

COORDINATOR = Caller("k", Role.COORDINATOR)
PLANS = "http://test/api/plans"


async def test_the_shared_plan_of_a_patient(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    referral = Referral(patient)
    await hear(engine, referral.event("accepted"), referral.event("scheduled"))
    seen = (await client.get(PLANS, params={"patient": patient})).json()
    stored = await shared_plan(engine, patient)
    assert (seen["care_plan"], seen["status"], seen["shared"]) == (f"CarePlan/{stored['id']}", "active", True)
    assert seen["activities"] == [
        {
            "id": stored["activity"][0]["id"],
            "title": None,
            "reference": referral.service_request,
            "task": referral.task,
            "status": "scheduled",
            "discipline": "mental-health",
            "outcomes": [],
        }
    ]
    assert [(entry["member"], entry["discipline"]) for entry in seen["team"]] == [
        ("Organization/clinic", "mental-health")
    ]
    assert (await client.get(f"{PLANS}/{stored['id']}")).json() == seen
    bare = (await client.get(PLANS, params={"patient": patient.removeprefix("Patient/")})).json()
    assert bare == seen


async def test_the_timeline_tells_what_happened_in_order(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    referral = Referral(patient)
    await hear(engine, *(referral.event(step) for step in ("received", "accepted", "scheduled")))
    plan = await shared_plan(engine, patient)
    moments = (await client.get(f"{PLANS}/{plan['id']}/timeline")).json()
    assert [(moment["what"], moment["activity_status"]) for moment in moments] == [
        ("created", None),
        ("activity-added", "not-started"),
        ("updated", None),
        ("team-changed", None),
        ("updated", None),
        ("activity-changed", "scheduled"),
    ]
    newest = (await client.get(f"{PLANS}/{plan['id']}/timeline", params={"limit": 1})).json()
    assert [moment["what"] for moment in newest] == ["team-changed", "updated", "activity-changed"]


async def test_a_coordinator_opens_a_plan_before_the_first_referral(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient = await new_patient(engine)
    verifier.caller = COORDINATOR
    answers = await asyncio.gather(*(client.post(PLANS, json={"patient": patient}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.json()["care_plan"] for answer in answers}) == 1
    await hear(engine, Referral(patient).event("accepted"))
    assert await plans_of(engine, patient) == 1
    assert (await shared_plan(engine, patient))["status"] == "active"


async def test_what_is_not_there_or_not_for_this_caller(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient, other = await new_patient(engine), await new_patient(engine)
    assert (await client.get(PLANS, params={"patient": patient})).status_code == 404
    assert (await client.get(f"{PLANS}/none")).status_code == 404
    assert (await client.get(PLANS, params={"patient": "not a reference"})).status_code == 422
    assert (await client.post(PLANS, json={"patient": "Patient/none"})).status_code == 422
    await hear(engine, Referral(other).event("received"))
    plan = await shared_plan(engine, other)
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=patient)
    assert (await client.get(PLANS, params={"patient": other})).status_code == 404
    assert (await client.get(f"{PLANS}/{plan['id']}/timeline")).status_code == 404
    assert (await client.post(PLANS, json={"patient": patient})).status_code == 403
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=other)
    assert (await client.get(f"{PLANS}/{plan['id']}")).status_code == 200


async def test_the_plan_in_plain_words(engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    patient, plan = await patient_with(engine, *in_pain())
    verifier.caller = COORDINATOR
    group = (await propose(client, plan, "PlanDefinition/education-and-self-management")).json()
    await decide(client, group, decision("daily-heat"))
    declined = (await propose(client, plan, "ActivityDefinition/yoga")).json()
    await decide(client, declined, decision("yoga", "decline", reason="It hurt", patient=True))
    url = f"{PLANS}/{plan.removeprefix('CarePlan/')}/plain"
    verifier.caller = Caller("me", Role.PATIENT, fhir_user=patient)
    answer = await client.get(url)
    assert answer.status_code == 200, answer.text
    told = {each["heading"]: each["lines"] for each in answer.json()["sections"]}
    assert told["What we do"] == ["Heat or cold: not started yet. Usual dose: 15 to 20 minutes, several times a day."]
    assert told["What you do not want"] == ["Yoga. You said: “It hurt”"]
    assert len(told["Your goals"]) == 1
    verifier.caller = Caller("other", Role.PATIENT, fhir_user="Patient/other")
    assert (await client.get(url)).status_code == 404
