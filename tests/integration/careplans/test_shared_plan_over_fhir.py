"""The shared plan as EHRs see it: theirs to read and to add to, not to make or to take apart."""

import httpx
import pytest

from shared.engine import Engine
from shared.security.caller import Caller, Discipline, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import Referral, hear, new_patient, shared_plan, told

CLINICIAN = Caller("c", Role.CLINICIAN, Discipline.PAIN_MEDICINE, "Practitioner/c")


async def test_a_person_adds_a_goal_and_the_next_event_keeps_it(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient = await new_patient(engine)
    referral = Referral(patient)
    await hear(engine, referral.event("received"))
    verifier.caller = CLINICIAN
    goal = {"resourceType": "Goal", "lifecycleStatus": "proposed", "description": {"text": "Walk"}}
    made = await client.post("Goal", json=goal | {"subject": {"reference": patient}})
    plan = await shared_plan(engine, patient)
    plan["goal"] = [{"reference": f"Goal/{made.json()['id']}"}]
    plan["activity"].append({"detail": {"status": "not-started", "description": "Stretch"}})
    answer = await client.put(f"CarePlan/{plan['id']}", json=plan, headers={"If-Match": 'W/"1"'})
    assert answer.status_code == 200, answer.text
    await hear(engine, referral.event("accepted"))
    now = await shared_plan(engine, patient)
    assert now["goal"] == plan["goal"]
    assert now["activity"][1]["detail"] == plan["activity"][1]["detail"]
    assert now["activity"][1]["id"]
    assert now["meta"]["versionId"] == "3"


async def test_nobody_makes_a_second_shared_plan(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    await hear(engine, Referral(patient).event("received"))
    plan = await shared_plan(engine, patient)
    twin = {key: value for key, value in plan.items() if key not in ("id", "meta")}
    assert (await client.post("CarePlan", json=twin)).status_code == 409
    assert (await client.put("CarePlan/twin", json=twin | {"id": "twin"})).status_code == 409
    assert (await client.delete(f"CarePlan/{plan['id']}")).status_code == 409


async def test_a_referral_activity_is_not_taken_out_by_hand(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    await hear(engine, Referral(patient).event("received"))
    plan = await shared_plan(engine, patient)
    del plan["activity"]
    answer = await client.put(f"CarePlan/{plan['id']}", json=plan, headers={"If-Match": 'W/"1"'})
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["CarePlan.activity"]


async def test_a_clinician_names_the_version_that_is_changed(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient = await new_patient(engine)
    await hear(engine, Referral(patient).event("received"))
    verifier.caller = CLINICIAN
    plan = await shared_plan(engine, patient)
    assert (await client.put(f"CarePlan/{plan['id']}", json=plan)).status_code == 428
    stale = await client.put(f"CarePlan/{plan['id']}", json=plan, headers={"If-Match": 'W/"7"'})
    assert stale.status_code == 412


async def test_a_patient_reads_and_does_not_write_but_answers(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient = await new_patient(engine)
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=patient)
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "pain"}}
    assert (await client.post("Observation", json=observation)).status_code == 403
    answers = {"resourceType": "QuestionnaireResponse", "status": "completed", "subject": {"reference": patient}}
    assert (await client.post("QuestionnaireResponse", json=answers)).status_code == 201


@pytest.mark.parametrize("type_", ["Task", "ServiceRequest", "Subscription", "Parameters"])
async def test_what_others_own_is_not_served_here(client: httpx.AsyncClient, type_: str) -> None:
    assert (await client.get(f"{type_}/x")).status_code == 404


async def test_a_care_plan_of_an_ehr_is_told_of(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    plan = {"resourceType": "CarePlan", "status": "draft", "intent": "plan", "subject": {"reference": patient}}
    made = (await client.post("CarePlan", json=plan)).json()
    await client.put(f"CarePlan/{made['id']}", json=made | {"status": "active"}, headers={"If-Match": 'W/"1"'})
    await client.delete(f"CarePlan/{made['id']}")
    events = await told(engine)
    assert [event.type for event in events] == ["careplan.created.v1", "careplan.updated.v1", "careplan.deleted.v1"]
    assert [event.data["version"] for event in events] == [1, 2, 3]
    assert events[1].data["changed"] == ["status"]
