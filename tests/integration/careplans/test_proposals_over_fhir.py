"""``$propose`` and ``$decide``: what people accept is in the plan, what they decline is not proposed again."""

import asyncio
from typing import Any

import httpx
import pytest

from services.careplans.domain.codes import ACTIVITY_DISCIPLINE, ACTIVITY_STATUS, ACTIVITY_TASK, extension_value
from services.careplans.domain.proposals.codes import DECISION, INSTANTIATES, PROPOSAL_FOR
from shared.engine import Engine
from shared.fhir.json import Resource, dumps
from shared.fhir.validate import check
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.proposing import (
    COORDINATOR,
    JSON,
    action_of,
    decide,
    decision,
    every,
    in_pain,
    patient_with,
    propose,
    proposed,
    read,
    waiting,
)
from tests.unit.services.careplans.domain.applying.patients import DEFINITIONS, condition

ITEMS = [each["id"] for each in DEFINITIONS if each["resourceType"] == "ActivityDefinition"]
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
PROFILES = {"CarePlan": f"{US_CORE}us-core-careplan", "Goal": f"{US_CORE}us-core-goal"}


@pytest.fixture(autouse=True)
def coordinator(verifier: FixedVerifier) -> None:
    """Who calls, where a test does not say."""
    verifier.caller = COORDINATOR


async def errors(client: httpx.AsyncClient, resource: Resource) -> list[Any]:
    """What ``$validate`` finds against US Core."""
    type_ = resource["resourceType"]
    url = f"{type_}/$validate"
    answer = await client.post(url, params={"profile": PROFILES[type_]}, content=dumps(resource), headers=JSON)
    return [each for each in answer.json()["issue"] if each["severity"] in ("error", "fatal")]


async def test_every_item_of_the_catalogue_is_applied_accepted_and_in_the_plan(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    _, plan = await patient_with(engine, condition("G89.4"))
    for item in ITEMS:
        group = await proposed(client, plan, f"ActivityDefinition/{item}")
        answer = await decide(client, group, decision(action_of(group)))
        assert answer.status_code == 200, (item, answer.text)
        assert answer.json()["status"] == "completed"
    stored = await read(client, plan)
    found = [
        (extension_value(each, INSTANTIATES) or each["detail"]["instantiatesCanonical"][0])
        for each in stored["activity"]
    ]
    assert [each.partition("|")[0].rpartition("/")[2] for each in found] == ITEMS
    assert stored["status"] == "active"
    assert await errors(client, stored) == []


async def test_what_others_must_do_is_ordered_and_the_rest_is_an_activity(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    patient, plan = await patient_with(engine, *in_pain())
    group = await proposed(client, plan, "PlanDefinition/stepped-care")
    check(group)
    assert extension_value(group, PROPOSAL_FOR) == {"reference": plan}
    offered = {each["title"]: each for each in every(group["action"]) if "resource" in each}
    titles = ("Cognitive behavioural therapy, individual", "Pain education")
    chosen = [offered[title]["id"] for title in offered if title in titles]
    assert len(chosen) == 2, sorted(offered)
    answer = await decide(client, group, *map(decision, chosen))
    assert answer.status_code == 200, answer.text
    stored = await read(client, plan)
    followed = [each for each in stored["activity"] if "reference" in each]
    own = [each for each in stored["activity"] if "detail" in each]
    assert [extension_value(each, ACTIVITY_DISCIPLINE) for each in followed] == ["mental-health"]
    assert extension_value(followed[0], ACTIVITY_STATUS) == "not-started"
    assert len(own) == 1
    assert (own[0]["detail"]["kind"], own[0]["detail"]["status"]) == ("ServiceRequest", "not-started")
    assert own[0]["detail"]["reasonCode"][0]["text"]
    for goal in stored["goal"]:
        kept = await read(client, goal["reference"])
        assert (kept["lifecycleStatus"], kept["subject"]["reference"]) == ("proposed", patient)
        assert all("dueDate" in target for target in kept.get("target", ()))
        assert await errors(client, kept) == []
    assert len(stored["goal"]) == 2
    assert own[0]["detail"]["goal"][0] in stored["goal"]
    (order,) = await engine.pool.fetch("SELECT * FROM referral_order")
    assert (order["task"], order["state"]) == (extension_value(followed[0], ACTIVITY_TASK)["reference"], "waiting")


async def test_the_same_decision_again_changes_nothing(engine: Engine, client: httpx.AsyncClient) -> None:
    _, plan = await patient_with(engine, *in_pain())
    group = await proposed(client, plan, "ActivityDefinition/cbt-individual")
    first = (await decide(client, group, decision(action_of(group)))).json()
    before = await read(client, plan)
    again = await decide(client, group, decision(action_of(group)))
    assert (again.status_code, again.json()) == (200, first)
    assert await read(client, plan) == before
    other = await decide(client, group, decision(action_of(group), "decline", reason="No."))
    assert other.status_code == 409
    assert [each["url"] for each in first["extension"]].count(DECISION) == 1


async def test_twenty_who_accept_at_once_make_one_activity_and_one_order(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    _, plan = await patient_with(engine, *in_pain())
    group = await proposed(client, plan, "ActivityDefinition/cbt-individual")
    answers = await asyncio.gather(*(decide(client, group, decision(action_of(group))) for _ in range(20)))
    assert {each.status_code for each in answers} == {200}
    assert len((await read(client, plan))["activity"]) == 1
    assert await waiting(engine) == [("cbt-individual", "waiting")]


async def test_what_the_patient_declines_is_not_proposed_again(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, plan = await patient_with(engine, *in_pain())
    group = await proposed(client, plan, "ActivityDefinition/yoga")
    unsaid = await decide(client, group, decision(action_of(group), "decline"))
    assert (unsaid.status_code, unsaid.json()["issue"][0]["code"]) == (422, "required")
    said = decision(action_of(group), "decline", reason="It hurt my neck", patient=True)
    assert (await decide(client, group, said)).json()["status"] == "completed"
    told = (await client.get("ActivityDefinition/yoga/$apply", params={"subject": patient})).json()
    assert told["resourceType"] == "RequestGroup", "declined"
    assert "It hurt my neck" in dumps(told).decode()
    later = await decide(client, group, decision(action_of(group)))
    assert later.status_code == 200, "a mind may change"
    assert len((await read(client, plan))["activity"]) == 1


async def test_one_part_of_a_choice_of_one(engine: Engine, client: httpx.AsyncClient) -> None:
    _, plan = await patient_with(engine, *in_pain())
    group = await proposed(client, plan, "PlanDefinition/stepped-care")
    choice = next(each for each in every(group["action"]) if each.get("selectionBehavior") == "at-most-one")
    first, second = (each["id"] for each in choice["action"][:2])
    both = await decide(client, group, decision(first), decision(second))
    assert both.status_code == 422
    assert "activity" not in await read(client, plan), "all or nothing"
    assert (await decide(client, group, decision(first))).status_code == 200
    assert (await decide(client, group, decision(second))).status_code == 422


async def test_a_treatment_that_the_plan_has_is_accepted_again_with_a_reason(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    _, plan = await patient_with(engine, *in_pain())
    group = await proposed(client, plan, "ActivityDefinition/relaxation")
    await decide(client, group, decision(action_of(group)))
    again = await proposed(client, plan, "ActivityDefinition/relaxation")
    refused = await decide(client, again, decision(action_of(again)))
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (422, "duplicate")
    more = await decide(client, again, decision(action_of(again), reason="Evenings, too"))
    assert more.status_code == 200
    assert len((await read(client, plan))["activity"]) == 2


async def test_people_change_the_text_and_say_why(engine: Engine, client: httpx.AsyncClient) -> None:
    _, plan = await patient_with(engine)
    group = await proposed(client, plan, "ActivityDefinition/heat-or-cold")
    changed = decision(action_of(group), description="Heat only, in the evening")
    assert (await decide(client, group, changed)).status_code == 422
    changed[1].append(("reason", "Cold makes it worse"))
    assert (await decide(client, group, changed)).status_code == 200
    (activity,) = (await read(client, plan))["activity"]
    assert activity["detail"]["description"] == "Heat only, in the evening"


async def test_a_new_proposal_takes_the_place_of_one_that_nobody_decided_on(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    _, plan = await patient_with(engine, *in_pain())
    first = await proposed(client, plan, "PlanDefinition/stepped-care")
    same = await propose(client, plan, "PlanDefinition/stepped-care")
    assert (same.status_code, same.json()) == (200, first)
    second = await proposed(client, plan, "PlanDefinition/stepped-care", ("preferred", "act"))
    assert second["replaces"] == [{"reference": f"RequestGroup/{first['id']}"}]
    assert (await read(client, f"RequestGroup/{first['id']}"))["status"] == "revoked"
    late = await decide(client, first, decision(every(first["action"])[-1]["id"]))
    assert late.status_code == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"parameter": [{"name": "decision"}]}, 400),
        ({"parameter": [{"name": "decision", "part": [{"name": "action", "valueString": "heat-or-cold"}]}]}, 422),
        ({"parameter": [{"name": "other", "part": []}]}, 422),
        ({"parameter": [{"name": "decision", "part": [{"name": "action", "valueInteger": 1}]}]}, 400),
        ({"parameter": [{"name": "decision", "part": [{"name": "spell", "valueString": "x"}]}]}, 422),
        ({"parameter": "decision"}, 400),
    ],
)
async def test_malformed_decisions_are_told(
    engine: Engine, client: httpx.AsyncClient, body: Resource, status: int
) -> None:
    _, plan = await patient_with(engine)
    group = await proposed(client, plan, "ActivityDefinition/heat-or-cold")
    url = f"RequestGroup/{group['id']}/$decide"
    answer = await client.post(url, content=dumps({"resourceType": "Parameters"} | body), headers=JSON)
    assert answer.status_code == status, answer.text
    assert answer.json()["issue"][0]["expression"]


@pytest.mark.parametrize(
    "more",
    [
        {"answer": "perhaps"},
        {"priority": "soon"},
        {"owner": "Patient/1"},
        {"owner": "https://elsewhere.example/Organization/1"},
        {"refer": True},
        {"action": "unheard-of"},
    ],
)
async def test_wrong_decisions_are_told(engine: Engine, client: httpx.AsyncClient, more: dict[str, Any]) -> None:
    _, plan = await patient_with(engine)
    group = await proposed(client, plan, "ActivityDefinition/heat-or-cold")
    parts = {"action": action_of(group), "answer": "accept"} | more
    answer = await decide(client, group, ("decision", list(parts.items())))
    assert answer.status_code == 422, answer.text
    assert (await read(client, f"RequestGroup/{group['id']}"))["status"] == "draft"


async def test_what_keeps_somebody_safe_is_offered_whatever_was_declined(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    patient, plan = await patient_with(engine)
    treatment = "same-day-safety-assessment"
    group = await proposed(client, plan, f"ActivityDefinition/{treatment}")
    said = decision(action_of(group), "decline", reason="No time", patient=True)
    assert (await decide(client, group, said)).status_code == 200
    again = (await client.get(f"ActivityDefinition/{treatment}/$apply", params={"subject": patient})).json()
    assert again["resourceType"] == "ServiceRequest"


@pytest.mark.parametrize("name", [{"a": 1}, [], 5, None])
async def test_the_name_of_a_part_is_a_name(engine: Engine, client: httpx.AsyncClient, name: Any) -> None:
    _, plan = await patient_with(engine, condition("G89.4"))
    group = await proposed(client, plan, "ActivityDefinition/yoga")
    part = [{"name": name, "valueString": "yoga"}]
    body = {"resourceType": "Parameters", "parameter": [{"name": "decision", "part": part}]}
    answer = await client.post(f"RequestGroup/{group['id']}/$decide", content=dumps(body), headers=JSON)
    assert answer.status_code == 422, answer.text
