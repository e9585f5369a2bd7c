"""``CarePlan/[id]/$contribute``: what was changed in an older version comes into the current one, or is refused."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from services.careplans.domain.codes import ACTIVITY_DISCIPLINE, extension_value
from services.careplans.domain.contributing import Contribution
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.provenance import REQUESTS, SOURCE
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.factories.resources import bundle, entry
from tests.integration.careplans.contributing import (
    COORDINATOR,
    MIND,
    NASTY,
    PAIN,
    PT,
    STRANGER,
    activity,
    changed,
    contribute,
    diff_in,
    member,
    named,
    new_plan,
    version_of,
    with_activity,
)
from tests.integration.careplans.hearing import Referral, hear, new_patient, shared_plan

WALK = activity("walk", PT, "Walk")
TALK = activity("talk", MIND, "Talk")
SWIM = activity(None, None, "Swim")


@pytest.fixture
async def plan(engine: Engine, verifier: FixedVerifier) -> Resource:
    made = await new_plan(engine, WALK, TALK)
    verifier.caller = member(PT)
    return made


async def provenances(client: httpx.AsyncClient, plan: Resource) -> dict[str, Resource]:
    """What the server recorded, by the version that it is of."""
    found = await client.get("Provenance", params={"target": f"CarePlan/{plan['id']}", "_source": SOURCE})
    return {
        target["reference"].rpartition("/")[2]: each["resource"]
        for each in found.json()["entry"]
        for target in each["resource"]["target"]
        if target["reference"].startswith("CarePlan/")
    }


async def test_what_touches_other_elements_is_merged(
    engine: Engine, client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier
) -> None:
    first = await contribute(client, changed(plan, ("activity.walk.detail.status", "in-progress")))
    assert (first.status_code, first.headers["etag"]) == (200, 'W/"3"')
    verifier.caller = member(MIND)
    second = await contribute(client, changed(plan, ("activity.talk.detail.status", "scheduled")))
    assert (second.status_code, second.headers["etag"]) == (200, 'W/"4"')
    assert second.headers["location"].endswith(f"CarePlan/{plan['id']}/_history/4")
    statuses = {each["id"]: each["detail"]["status"] for each in second.json()["activity"]}
    assert statuses == {"walk": "in-progress", "talk": "scheduled"}
    assert second.json() == (await client.get(f"CarePlan/{plan['id']}")).json()


async def test_the_same_element_is_a_conflict_with_all_three_values(
    engine: Engine, client: httpx.AsyncClient, plan: Resource
) -> None:
    await contribute(client, changed(plan, ("activity.walk.detail.description", "Walk daily")))
    late = changed(plan, ("activity.walk.detail.description", "Walk less"), ("activity.walk.detail.status", "on-hold"))
    answer = await contribute(client, late)
    assert (answer.status_code, answer.headers["etag"]) == (409, 'W/"3"')
    path = "CarePlan.activity.where(id='walk').detail.description"
    assert [issue["expression"] for issue in answer.json()["issue"]] == [[path]]
    clash, mine = diff_in(answer)
    assert (clash["base"], clash["theirs"], clash["mine"]) == ("Walk", "Walk daily", "Walk less")
    assert (mine["changed-by"], mine["conflict"]) == ("mine", False)
    assert named(answer, "resource") == (await client.get(f"CarePlan/{plan['id']}")).json()
    assert await version_of(engine, plan) == 3


async def test_a_contribution_that_comes_again_is_one(
    engine: Engine, client: httpx.AsyncClient, plan: Resource
) -> None:
    contribution = with_activity(changed(plan, ("activity.walk.detail.status", "in-progress")), SWIM)
    once = await contribute(client, contribution, "Better")
    again = await contribute(client, contribution, "Better")
    assert (again.status_code, again.headers["etag"], again.json()) == (200, 'W/"3"', once.json())
    swim = once.json()["activity"][-1]
    assert swim["id"]
    assert extension_value(swim, ACTIVITY_DISCIPLINE) == PT
    assert await version_of(engine, plan) == 3
    assert set(await provenances(client, plan)) == {"1", "2", "3"}


async def test_what_others_made_of_it_since_is_not_undone_when_it_comes_again(
    engine: Engine, client: httpx.AsyncClient, plan: Resource
) -> None:
    contribution = with_activity(plan | {"note": [{"text": "Knee hurts"}]}, SWIM)
    once = (await contribute(client, contribution)).json()
    swim = once["activity"][-1]["id"]
    assert (await contribute(client, changed(once, (f"activity.{swim}.detail.status", "cancelled")))).status_code == 200
    again = await contribute(client, contribution)
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"4"')
    assert again.json()["activity"][-1]["detail"]["status"] == "cancelled"
    assert (await contribute(client, changed(again.json(), (f"activity.{swim}", None)))).status_code == 200
    last = await contribute(client, contribution)
    assert (last.status_code, last.headers["etag"]) == (200, 'W/"5"')
    assert [each["id"] for each in last.json()["activity"]] == ["walk", "talk"]


async def test_the_reason_and_who_stand_in_the_provenance(client: httpx.AsyncClient, plan: Resource) -> None:
    await contribute(client, changed(plan, ("activity.walk.detail.status", "on-hold")), "The knee is swollen")
    told = (await provenances(client, plan))["3"]
    assert told["reason"] == [{"text": "The knee is swollen"}]
    assert told["agent"][0]["who"] == {"reference": f"Practitioner/{PT}-0"}
    (entity,) = told["entity"]
    assert (entity["role"], entity["what"]["identifier"]["system"]) == ("source", REQUESTS)
    sent = {"reason": [{"text": "By header"}], "agent": [{"who": {"display": "x"}}]}
    header = json.dumps({"resourceType": "Provenance", "recorded": "2026-01-01T00:00:00Z"} | sent)
    plan = (await client.get(f"CarePlan/{plan['id']}")).json()
    answer = await contribute(
        client, changed(plan, ("activity.walk.detail.status", "in-progress")), headers={"x-provenance": header}
    )
    assert answer.status_code == 200, answer.text
    found = await client.get(
        "Provenance",
        params={
            "target": f"CarePlan/{plan['id']}",
        },
    )
    assert "By header" in found.text


async def test_nobody_else_can_say_that_it_came_already(
    client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier
) -> None:
    mine = changed(plan, ("activity.walk.detail.status", "on-hold"))
    name = Contribution(mine, 2).name(verifier.caller)
    forged = {
        "resourceType": "Provenance",
        "recorded": "2026-01-01T00:00:00Z",
        "target": [{"reference": f"CarePlan/{plan['id']}/_history/2"}],
        "agent": [{"who": {"display": "x"}}],
        "entity": [{"role": "source", "what": {"identifier": {"system": REQUESTS, "value": name}}}],
    }
    assert (await client.post("Provenance", json=forged)).status_code == 201
    assert (await client.post("Provenance", json=forged | {"meta": {"source": SOURCE}})).status_code == 403
    await contribute(client, plan | {"note": [{"text": "In between"}]})
    assert (await contribute(client, mine)).headers["etag"] == 'W/"4"'
    assert (await provenances(client, plan))["4"]["entity"] == forged["entity"]


async def test_prefer_says_what_comes_back(client: httpx.AsyncClient, plan: Resource) -> None:
    minimal = await contribute(
        client, changed(plan, ("activity.walk.detail.status", "on-hold")), headers={"prefer": "return=minimal"}
    )
    assert (minimal.status_code, minimal.content, minimal.headers["etag"]) == (200, b"", 'W/"3"')
    outcome = await contribute(
        client, changed(plan, ("activity.walk.detail.status", "on-hold")), headers={"prefer": "return=OperationOutcome"}
    )
    assert outcome.json()["resourceType"] == "OperationOutcome"


async def test_the_plan_alone_may_be_the_body_and_if_match_the_version(
    client: httpx.AsyncClient, plan: Resource
) -> None:
    await contribute(client, changed(plan, ("activity.walk.detail.status", "on-hold")))
    bare = {key: value for key, value in with_activity(plan, SWIM).items() if key != "meta"}
    answer = await client.post(f"CarePlan/{plan['id']}/$contribute", json=bare, headers={"If-Match": 'W/"2"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"4"')
    assert [each["detail"]["status"] for each in answer.json()["activity"]] == ["on-hold", "not-started", "not-started"]


async def test_tags_of_the_plan_stay(engine: Engine, client: httpx.AsyncClient, plan: Resource) -> None:
    tagged = changed(plan, ("activity.walk.detail.status", "on-hold"))
    tagged["meta"] = plan["meta"] | {"tag": [{"code": "mine"}], "profile": []}
    answer = await contribute(client, tagged)
    assert answer.status_code in (200, 422)
    tagged["meta"] = {"versionId": "2", "tag": [{"code": "mine"}]}
    answer = await contribute(client, tagged)
    assert answer.json()["meta"].get("tag") == plan["meta"].get("tag")
    assert answer.json()["meta"]["profile"] == plan["meta"]["profile"]


@pytest.mark.parametrize(
    ("caller", "edit", "status", "path"),
    [
        (
            member(PT),
            ("activity.talk.detail.status", "on-hold"),
            403,
            "CarePlan.activity.where(id='talk').detail.status",
        ),
        (member(PT), ("activity.talk", None), 403, "CarePlan.activity.where(id='talk')"),
        (STRANGER, ("activity.walk.detail.status", "on-hold"), 403, "CarePlan.careTeam"),
        (Caller("p", Role.PATIENT, fhir_user="Patient/other"), ("title", "x"), 403, "CarePlan.careTeam"),
        (member(PT), ("subject", {"reference": "Patient/other"}), 422, "CarePlan.subject"),
        (member(PT), ("status", "draft"), 409, "CarePlan.status"),
        (member(PT), ("category", [{"text": "none"}]), 409, "CarePlan.category"),
    ],
)
async def test_the_rules_hold_for_a_contribution(
    engine: Engine,
    client: httpx.AsyncClient,
    plan: Resource,
    verifier: FixedVerifier,
    caller: Caller,
    edit: tuple[str, Any],
    status: int,
    path: str,
) -> None:
    verifier.caller = caller
    answer = await contribute(client, changed(plan, edit))
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (status, [path])
    assert "contained" not in answer.json()
    assert await version_of(engine, plan) == 2


async def test_only_what_the_caller_changed_is_judged(
    client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier
) -> None:
    verifier.caller = member(MIND)
    await contribute(client, changed(plan, ("activity.talk.detail.status", "in-progress")))
    verifier.caller = member(PT)
    answer = await contribute(client, changed(plan, ("activity.walk.detail.status", "on-hold")))
    assert answer.status_code == 200


async def test_a_patient_contributes_self_care_and_says_why(
    engine: Engine, client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier
) -> None:
    patient = plan["subject"]["reference"]
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=patient)
    answer = await contribute(client, with_activity(plan, activity(None, None, "Heat")), "It helps")
    assert answer.status_code == 200, answer.text
    assert extension_value(answer.json()["activity"][-1], ACTIVITY_DISCIPLINE) == "self-care"
    verifier.caller = COORDINATOR
    assert (await provenances(client, plan))["3"]["reason"] == [{"text": "It helps"}]
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=patient)
    assert (await contribute(client, changed(plan, ("activity.walk", None)))).status_code == 403


async def test_a_member_of_two_disciplines_says_for_which_a_new_activity_is(
    client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier
) -> None:
    verifier.caller = Caller("two", Role.CLINICIAN, None, "Practitioner/two", "Organization/physical-therapy")
    team = (await client.get(plan["careTeam"][0]["reference"])).json()
    team["participant"][0]["member"] = {"reference": "Organization/physical-therapy"}
    verifier.caller = COORDINATOR
    assert (await client.put(f"CareTeam/{team['id']}", json=team)).status_code == 200
    verifier.caller = Caller("two", Role.CLINICIAN, None, "Practitioner/two", "Organization/physical-therapy")
    answer = await contribute(client, with_activity(plan, SWIM))
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (422, ["CarePlan.activity[2].extension"])
    assert (await contribute(client, with_activity(plan, activity(None, PAIN, "Swim")))).status_code == 200


def _parameters(*parameters: Any) -> Resource:
    return {"resourceType": "Parameters", "parameter": list(parameters)}


REASON = {"name": "reason", "valueString": "Because"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"resourceType": "Patient"}, 400),
        ({}, 400),
        ([], 400),
        (_parameters(), 400),
        (_parameters(REASON), 400),
        (_parameters({"name": "resource"}), 400),
        (_parameters({"name": "resource", "valueString": "x"}), 400),
        (_parameters({"name": "resource", "resource": {"resourceType": "Goal"}}), 400),
        (_parameters({"name": "resource", "resource": []}), 400),
        (_parameters("PLAN", {"name": "reason"}), 400),
        (_parameters("PLAN", {"name": "reason", "valueString": 5}), 400),
        (_parameters("PLAN", {"name": "reason", "valueString": "  "}), 400),
        (_parameters("PLAN", {"name": "reason", "valueString": "x" * 1001}), 400),
        (_parameters("PLAN", {"name": "reason", "valueString": "x\u0000"}), 422),
        (_parameters("PLAN", "PLAN"), 422),
        (_parameters("PLAN", REASON, REASON), 422),
        (_parameters("PLAN", {"name": "because", "valueString": "x"}), 422),
        (_parameters("PLAN", {"name": ["reason"]}), 422),
        (_parameters(7), 400),
        ({"resourceType": "Parameters", "parameter": {"name": "resource"}}, 400),
    ],
)
async def test_malformed_parameters_are_refused(
    engine: Engine, client: httpx.AsyncClient, plan: Resource, body: Any, status: int
) -> None:
    mine = {"name": "resource", "resource": changed(plan, ("activity.walk.detail.status", "on-hold"))}
    if isinstance(body, dict) and isinstance(body.get("parameter"), list):
        body = body | {"parameter": [mine if each == "PLAN" else each for each in body["parameter"]]}
    answer = await client.post(f"CarePlan/{plan['id']}/$contribute", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert await version_of(engine, plan) == 2


@pytest.mark.parametrize(
    ("meta", "header", "status"),
    [
        (None, None, 400),
        ("1", 'W/"2"', 400),
        ("2", 'W/"2"', 200),
        (None, 'W/"2"', 200),
        ("2", None, 200),
        (None, "*", 400),
        (None, 'W/"1", W/"2"', 400),
        (None, "2", 400),
        ("0", None, 400),
        ("9", None, 400),
        ("1.0", None, 400),
        ("٢", None, 400),
        (2, None, 400),
        ("99999999999", None, 400),
    ],
)
async def test_it_says_from_which_version_it_was_made(
    client: httpx.AsyncClient, plan: Resource, meta: Any, header: str | None, status: int
) -> None:
    mine = changed(plan, ("activity.walk.detail.status", "on-hold"))
    mine["meta"] = {"versionId": meta} if meta is not None else {"profile": plan["meta"]["profile"]}
    answer = await contribute(client, mine, headers={"If-Match": header} if header else {})
    assert answer.status_code == status, answer.text


async def test_a_version_that_is_not_kept_is_a_conflict(
    engine: Engine, client: httpx.AsyncClient, plan: Resource
) -> None:
    now = (await contribute(client, changed(plan, ("activity.walk.detail.status", "on-hold")))).json()
    await engine.pool.execute("DELETE FROM resource_history WHERE id = $1 AND version = 2", plan["id"])
    answer = await contribute(client, changed(plan, ("activity.walk.detail.status", "in-progress")))
    assert (answer.status_code, answer.headers["etag"]) == (409, 'W/"3"')
    assert [(each["path"], each["conflict"]) for each in diff_in(answer)] == [
        ("CarePlan.activity.where(id='walk').detail.status", True)
    ]
    same = await contribute(client, now | {"meta": {"versionId": "2"}})
    assert (same.status_code, same.headers["etag"]) == (200, 'W/"3"')


async def test_which_plans_take_contributions(
    engine: Engine, client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier
) -> None:
    assert (await contribute(client, plan | {"id": "absent"})).status_code == 404
    other = await client.post("CarePlan/absent/$contribute", json=plan)
    assert (other.status_code, other.json()["issue"][0]["expression"]) == (400, ["CarePlan.id"])
    assert (await client.get(f"CarePlan/{plan['id']}/$contribute")).status_code == 405
    assert (await client.post(f"Goal/{plan['id']}/$contribute", json=plan)).status_code == 404
    verifier.caller = COORDINATOR
    own = {"resourceType": "CarePlan", "status": "draft", "intent": "plan", "subject": plan["subject"]}
    made = (await client.post("CarePlan", json=own)).json()
    answer = await contribute(client, made | {"status": "active"})
    assert answer.status_code == 422
    await client.delete(f"CarePlan/{made['id']}")
    assert (await contribute(client, made)).status_code == 410


async def test_a_part_of_a_plan_is_not_taken_for_the_whole(client: httpx.AsyncClient, plan: Resource) -> None:
    part = (await client.get(f"CarePlan/{plan['id']}", params={"_elements": "activity"})).json()
    answer = await contribute(client, part | {"meta": part["meta"] | {"versionId": "2"}})
    assert answer.status_code == 422


async def test_what_a_referral_says_is_not_changed_by_a_contribution(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    referral = Referral(patient)
    await hear(engine, referral.event("received"))
    plan = await shared_plan(engine, patient)
    await hear(engine, referral.event("accepted"), referral.event("scheduled"))
    followed = plan["activity"][0]["id"]
    answer = await contribute(client, changed(plan, (f"activity.{followed}", None)))
    assert answer.status_code == 409
    assert (await contribute(client, plan | {"note": [{"text": "Seen"}]})).status_code == 200
    now = await shared_plan(engine, patient)
    answer = await contribute(
        client, changed(now, (f"activity.{followed}.reference", {"reference": "ServiceRequest/x"}))
    )
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (422, ["CarePlan.activity"])


async def test_those_who_wait_for_a_plan_do_not_keep_others_from_theirs(
    engine: Engine, client: httpx.AsyncClient, plan: Resource
) -> None:
    other = await new_plan(engine, WALK)
    assert engine.pool.get_max_size() < 30
    async with engine.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM resource WHERE type = 'CarePlan' AND id = $1 FOR UPDATE", plan["id"])
        mine = (with_activity(plan, activity(None, None, f"Swim {number}")) for number in range(30))
        waiting = [asyncio.create_task(contribute(client, each)) for each in mine]
        done = await asyncio.wait_for(
            contribute(client, changed(other, ("activity.walk.detail.status", "on-hold"))), timeout=30
        )
        assert done.status_code == 200
        assert not any(task.done() for task in waiting)
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200] * 30
    assert await version_of(engine, plan) == 32


@pytest.mark.parametrize("body", NASTY)
async def test_what_is_no_plan_is_not_brought_in(
    engine: Engine, client: httpx.AsyncClient, plan: Resource, body: Resource
) -> None:
    for version in ("1", "2"):
        answer = await contribute(client, plan | body | {"meta": {"versionId": version}})
        assert answer.status_code in (400, 422), answer.text
    assert await version_of(engine, plan) == 2


async def test_in_a_batch_each_is_on_its_own_and_in_a_transaction_there_is_none(
    client: httpx.AsyncClient, plan: Resource
) -> None:
    path = f"CarePlan/{plan['id']}/$contribute"
    entries = [entry("POST", path, with_activity(plan, activity(None, None, f"Swim {n}"))) for n in range(2)]
    batch = (await client.post("", json=bundle("batch", *entries))).json()
    assert [each["response"]["etag"] for each in batch["entry"]] == ['W/"3"', 'W/"4"']
    refused = await client.post("", json=bundle("transaction", *entries))
    assert 400 <= refused.status_code < 500, refused.text


async def test_it_may_be_written_in_xml(client: httpx.AsyncClient, plan: Resource) -> None:
    seen = (await client.get(f"CarePlan/{plan['id']}", headers={"accept": "application/fhir+xml"})).text
    whole = seen.partition("?>")[2].replace('<status value="not-started"/>', '<status value="on-hold"/>', 1)
    given = f'<parameter><name value="resource"/><resource>{whole}</resource></parameter>'
    reason = '<parameter><name value="reason"/><valueString value="In XML"/></parameter>'
    answer = await client.post(
        f"CarePlan/{plan['id']}/$contribute",
        content=f'<Parameters xmlns="http://hl7.org/fhir">{given}{reason}</Parameters>',
        headers={"content-type": "application/fhir+xml", "accept": "application/fhir+json"},
    )
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"3"'), answer.text
    assert [each["detail"]["status"] for each in answer.json()["activity"]] == ["on-hold", "not-started"]
    assert (await provenances(client, plan))["3"]["reason"] == [{"text": "In XML"}]
