"""``/api/plans/[id]/proposals``: the same for people who coordinate."""

import httpx
import pytest

from shared.engine import Engine
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.proposing import COORDINATOR, in_pain, patient_with

PLANS = "http://test/api/plans"


@pytest.fixture(autouse=True)
def coordinator(verifier: FixedVerifier) -> None:
    """Who calls, where a test does not say."""
    verifier.caller = COORDINATOR


async def proposals_url(engine: Engine) -> tuple[str, str]:
    """The patient, and where the proposals for their plan are."""
    patient, plan = await patient_with(engine, *in_pain())
    return patient, f"{PLANS}/{plan.removeprefix('CarePlan/')}/proposals"


async def test_propose_decide_and_see_what_became_of_it(engine: Engine, client: httpx.AsyncClient) -> None:
    _, url = await proposals_url(engine)
    wanted = {"definition": "PlanDefinition/stepped-care", "preferred": ["act"], "telehealth": True}
    answer = await client.post(url, json=wanted)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (await client.post(url, json=wanted)).status_code == 200
    offers = {each["title"]: each for each in made["offers"]}
    chosen = offers["Acceptance and commitment therapy"]
    assert (chosen["discipline"], chosen["kind"], chosen["decided"]) == ("mental-health", "ServiceRequest", None)
    assert all(each["reason"] for each in (*made["offers"], *made["not_offered"]))
    assert made["needs"]
    other = next(each for each in made["offers"] if each["action"] not in (chosen["action"], *chosen["rivals"]))
    decisions = [
        {"action": chosen["action"], "answer": "accept", "priority": "urgent"},
        {"action": other["action"], "answer": "decline", "reason": "Not now"},
    ]
    said = await client.post(f"{url}/{made['id']}/decisions", json={"decisions": decisions})
    assert said.status_code == 200, said.text
    (listed,) = (await client.get(url)).json()
    assert listed == said.json()
    assert (await client.get(f"{url}/{made['id']}")).json() == listed
    decided = {each["action"]: each["decided"] for each in listed["offers"] if each["decided"]}
    assert (decided[chosen["action"]]["decision"], decided[chosen["action"]]["referral"]) == ("accept", "waiting")
    assert decided[chosen["action"]]["by"] == COORDINATOR.fhir_user
    assert decided[other["action"]]["reason"] == "Not now"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"definition": "Library/x"},
        {"definition": "PlanDefinition/stepped-care", "waits": {"dentistry": 3}},
        {"definition": "PlanDefinition/stepped-care", "waits": {"mental-health": -1}},
        {"definition": "PlanDefinition/stepped-care", "unheard": 1},
        {"definition": "PlanDefinition/stepped-care", "declined": [{"treatment": "<script>"}]},
    ],
)
async def test_what_cannot_be_applied_is_told(
    engine: Engine, client: httpx.AsyncClient, body: dict[str, object]
) -> None:
    _, url = await proposals_url(engine)
    answer = await client.post(url, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_proposal_is_decided_on_at_its_own_plan(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient, url = await proposals_url(engine)
    _, other = await proposals_url(engine)
    made = (await client.post(url, json={"definition": "ActivityDefinition/relaxation"})).json()
    body = {"decisions": [{"action": "relaxation", "answer": "accept"}]}
    assert (await client.post(f"{other}/{made['id']}/decisions", json=body)).status_code == 404
    assert (await client.post(f"{url}/nothing/decisions", json=body)).status_code == 404
    assert (await client.get(f"{other}/{made['id']}")).status_code == 404
    assert (await client.get(f"{PLANS}/nothing/proposals")).status_code == 404
    verifier.caller = Caller("somebody", Role.PATIENT, fhir_user="Patient/other")
    assert (await client.get(url)).status_code == 404
    verifier.caller = Caller("me", Role.PATIENT, fhir_user=patient)
    assert (await client.get(url)).status_code == 200
    assert (await client.post(f"{url}/{made['id']}/decisions", json=body)).status_code == 403
