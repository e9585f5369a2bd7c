"""Who proposes, who decides, and what stays with the operations."""

import httpx
import pytest

from services.careplans.domain.codes import ACTIVITY_DISCIPLINE, extension_value
from shared.engine import Engine
from shared.fhir.json import Resource, dumps
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.proposing import (
    COORDINATOR,
    JSON,
    PSYCHOLOGIST,
    THERAPIST,
    action_of,
    decide,
    decision,
    in_pain,
    patient_with,
    propose,
    proposed,
    read,
    waiting,
)
from tests.unit.services.careplans.domain.applying.patients import condition


@pytest.fixture(autouse=True)
def coordinator(verifier: FixedVerifier) -> None:
    """Who calls, where a test does not say."""
    verifier.caller = COORDINATOR


async def test_clinicians_do_their_own_and_ask_others(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    _, plan = await patient_with(engine, *in_pain())
    verifier.caller = PSYCHOLOGIST
    own = await proposed(client, plan, "ActivityDefinition/cbt-individual")
    assert (await decide(client, own, decision(action_of(own)))).status_code == 200
    others = await proposed(client, plan, "ActivityDefinition/graded-exercise")
    forced = await decide(client, others, decision(action_of(others), refer=False))
    assert forced.status_code == 403
    assert (await decide(client, others, decision(action_of(others)))).status_code == 200
    medicine = await proposed(client, plan, "ActivityDefinition/snri")
    assert (await decide(client, medicine, decision(action_of(medicine)))).status_code == 200
    everybodys = await proposed(client, plan, "ActivityDefinition/relaxation")
    assert (await decide(client, everybodys, decision(action_of(everybodys)))).status_code == 200
    stored = await read(client, plan)
    assert [(extension_value(each, ACTIVITY_DISCIPLINE), "detail" in each) for each in stored["activity"]] == [
        ("mental-health", True),
        ("physical-therapy", False),
        ("pain-medicine", False),
        ("mental-health", True),
    ]
    assert await waiting(engine) == [("graded-exercise", "waiting"), ("snri", "waiting")]
    verifier.caller = THERAPIST
    late = await proposed(client, plan, "ActivityDefinition/act")
    assert (await decide(client, late, decision(action_of(late), refer=False))).status_code == 403


async def test_a_proposal_is_written_by_its_operations_alone(engine: Engine, client: httpx.AsyncClient) -> None:
    _, plan = await patient_with(engine)
    group = await proposed(client, plan, "ActivityDefinition/heat-or-cold")
    url = f"RequestGroup/{group['id']}"
    for answer in (
        await client.put(url, content=dumps(group | {"status": "completed"}), headers=JSON),
        await client.post("RequestGroup", content=dumps(group), headers=JSON),
        await client.delete(url),
    ):
        assert answer.status_code == 409, answer.text
    stale = await decide(client, group, decision(action_of(group)), **{"if-match": 'W/"7"'})
    assert stale.status_code == 412


async def test_who_may_propose_and_for_what(engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    patient, plan = await patient_with(engine)
    assert (await propose(client, "CarePlan/nothing", "PlanDefinition/stepped-care")).status_code == 404
    assert (await propose(client, plan, "PlanDefinition/nothing")).status_code == 404
    assert (await propose(client, plan, "Library/nothing")).status_code == 422
    other: Resource = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": patient},
    }
    made = await client.post("CarePlan", content=dumps(other), headers=JSON)
    assert (await propose(client, f"CarePlan/{made.json()['id']}", "PlanDefinition/stepped-care")).status_code == 422
    group = await proposed(client, plan, "ActivityDefinition/heat-or-cold")
    ended = await read(client, plan)
    headers = JSON | {"if-match": f'W/"{ended["meta"]["versionId"]}"'}
    revoked = await client.put(plan, content=dumps(ended | {"status": "revoked"}), headers=headers)
    assert revoked.status_code == 200, revoked.text
    assert (await propose(client, plan, "PlanDefinition/stepped-care")).status_code == 409
    assert (await decide(client, group, decision(action_of(group)))).status_code == 409
    verifier.caller = Caller("me", Role.PATIENT, fhir_user=patient)
    assert (await propose(client, plan, "PlanDefinition/stepped-care")).status_code == 403
    assert (await decide(client, group, decision(action_of(group)))).status_code == 403


async def test_who_has_no_part_in_the_plan_decides_nothing(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient, plan = await patient_with(engine)
    group = await proposed(client, plan, "ActivityDefinition/yoga")
    verifier.caller = Caller("x", Role.CLINICIAN, fhir_user="Practitioner/x")
    said = decision(action_of(group), "decline", reason="Not for her", patient=True)
    assert (await decide(client, group, said)).status_code == 403
    verifier.caller = THERAPIST
    assert (await decide(client, group, said)).status_code == 200
    found = (await client.get("Observation", params={"patient": patient, "code": "75773-2"})).json()
    (wish,) = (each["resource"] for each in found["entry"])
    assert [each["reference"] for each in wish["performer"]] == [patient, THERAPIST.fhir_user]


async def test_one_discipline_does_not_end_everybodys_plan(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    _, plan = await patient_with(engine, *in_pain())
    group = await proposed(client, plan, "ActivityDefinition/cbt-individual")
    await decide(client, group, decision(action_of(group)))

    async def end(status: str) -> int:
        present = await read(client, plan)
        headers = JSON | {"if-match": f'W/"{present["meta"]["versionId"]}"'}
        return (await client.put(plan, content=dumps(present | {"status": status}), headers=headers)).status_code

    verifier.caller = PSYCHOLOGIST
    assert await end("completed") == 403
    verifier.caller = COORDINATOR
    assert await end("completed") == 409, "a referral is open"
    assert await end("revoked") == 200


@pytest.mark.parametrize("answer", ["accept", "decline"])
async def test_who_has_no_part_in_the_plan_decides_nothing_in_it(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier, answer: str
) -> None:
    _, plan = await patient_with(engine, condition("G89.4"))
    begun = await proposed(client, plan, "ActivityDefinition/yoga")
    assert (await decide(client, begun, decision("yoga", refer=False))).status_code == 200
    group = await proposed(client, plan, "ActivityDefinition/cbt-individual")
    verifier.caller = Caller("stranger", Role.CLINICIAN, fhir_user="Practitioner/stranger")
    decided = await decide(client, group, decision("cbt-individual", answer, reason="Why not", patient=True))
    assert decided.status_code == 403, decided.text
    assert await waiting(engine) == []
    verifier.caller = COORDINATOR
    assert (await read(client, f"RequestGroup/{group['id']}"))["status"] == "draft"
