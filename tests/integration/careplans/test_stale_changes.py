"""A change of a CarePlan whose If-Match is stale: 412, with the current version and what differs."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.careplans.main import SERVICE
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.fhir.search.access import Access
from shared.fhir.search.filters import Ids
from shared.fhir.validate import check
from tests.factories.engine import FixedVerifier, client_of
from tests.factories.resources import bundle, entry
from tests.integration.careplans.contributing import (
    MIND,
    NASTY,
    PT,
    activity,
    changed,
    diff_in,
    member,
    named,
    new_plan,
    with_activity,
)

WALK = activity("walk", PT, "Walk")
TALK = activity("talk", MIND, "Talk")
STATUS = "CarePlan.activity.where(id='walk').detail.status"
STALE = {"If-Match": 'W/"2"'}


@pytest.fixture
async def plan(engine: Engine) -> Resource:
    return await new_plan(engine, WALK, TALK)


async def put(client: httpx.AsyncClient, plan: Resource, version: int = 2) -> httpx.Response:
    return await client.put(f"CarePlan/{plan['id']}", json=plan, headers={"If-Match": f'W/"{version}"'})


async def test_it_tells_base_theirs_and_mine(client: httpx.AsyncClient, plan: Resource) -> None:
    theirs = changed(plan, ("activity.walk.detail.status", "in-progress"), ("activity.talk.detail.status", "scheduled"))
    assert (await put(client, theirs)).status_code == 200
    mine = changed(plan, ("activity.walk.detail.status", "completed"), ("title", "Our plan"))
    answer = await put(client, mine)
    assert answer.status_code == 412
    assert answer.headers["etag"] == 'W/"3"'
    assert [(issue["code"], issue["expression"]) for issue in answer.json()["issue"]] == [("conflict", [STATUS])]
    assert diff_in(answer) == [
        {
            "path": STATUS,
            "changed-by": "both",
            "conflict": True,
            "base": "not-started",
            "theirs": "in-progress",
            "mine": "completed",
        },
        {
            "path": "CarePlan.activity.where(id='talk').detail.status",
            "changed-by": "theirs",
            "conflict": False,
            "base": "not-started",
            "theirs": "scheduled",
            "mine": "not-started",
        },
        {
            "path": "CarePlan.title",
            "changed-by": "mine",
            "conflict": False,
            "base": plan["title"],
            "theirs": plan["title"],
            "mine": "Our plan",
        },
    ]
    assert named(answer, "base") == "2"
    assert named(answer, "current") == "3"
    assert named(answer, "resource") == (await client.get(f"CarePlan/{plan['id']}")).json()


async def test_the_outcome_is_valid_and_refers_to_what_it_contains(client: httpx.AsyncClient, plan: Resource) -> None:
    await put(client, changed(plan, ("title", "Theirs")))
    outcome = (await put(client, changed(plan, ("title", "Mine")))).json()
    check(outcome)
    (diff,) = outcome["contained"]
    assert [each["valueReference"] for each in outcome["extension"]] == [{"reference": f"#{diff['id']}"}]
    assert "meta" not in diff
    xml = await client.put(
        f"CarePlan/{plan['id']}",
        json=changed(plan, ("title", "Mine")),
        headers=STALE | {"accept": "application/fhir+xml"},
    )
    assert xml.status_code == 412
    assert "&quot;Mine&quot;" in xml.text or '"Mine"' in xml.text


async def test_without_a_clash_it_is_refused_as_well_and_nothing_conflicts(
    client: httpx.AsyncClient, plan: Resource
) -> None:
    await put(client, changed(plan, ("activity.walk.detail.status", "in-progress")))
    answer = await put(client, changed(plan, ("activity.talk.detail.status", "scheduled")))
    assert answer.status_code == 412
    (issue,) = answer.json()["issue"]
    assert "expression" not in issue
    assert {each["changed-by"] for each in diff_in(answer)} == {"theirs", "mine"}
    same = await put(client, changed(plan, ("activity.walk.detail.status", "in-progress")))
    assert [(each["changed-by"], each["conflict"]) for each in diff_in(same)] == [("both", False)]


@pytest.mark.parametrize(
    ("patch", "type_"),
    [
        ([{"op": "replace", "path": "/title", "value": "Mine"}], "application/json-patch+json"),
        ({"title": "Mine"}, "application/merge-patch+json"),
        (
            {
                "resourceType": "Parameters",
                "parameter": [
                    {
                        "name": "operation",
                        "part": [
                            {"name": "type", "valueCode": "replace"},
                            {"name": "path", "valueString": "CarePlan.title"},
                            {"name": "value", "valueString": "Mine"},
                        ],
                    }
                ],
            },
            "application/fhir+json",
        ),
    ],
)
async def test_a_patch_is_compared_from_the_version_that_it_names(
    client: httpx.AsyncClient, plan: Resource, patch: Any, type_: str
) -> None:
    await put(client, changed(plan, ("title", "Theirs"), ("activity.walk.detail.status", "in-progress")))
    headers = STALE | {"content-type": type_}
    answer = await client.patch(f"CarePlan/{plan['id']}", json=patch, headers=headers)
    assert answer.status_code == 412
    told = [(each["path"], each["changed-by"], each.get("base"), each.get("mine")) for each in diff_in(answer)]
    assert told[0] == ("CarePlan.title", "both", plan["title"], "Mine")
    assert told[1][:2] == (STATUS, "theirs")


async def test_a_patch_that_does_not_fit_what_it_names_comes_late_all_the_same(
    client: httpx.AsyncClient, plan: Resource
) -> None:
    await put(client, changed(plan, ("title", "Theirs")))
    patch = [{"op": "test", "path": "/title", "value": "Nobody's"}]
    headers = STALE | {"content-type": "application/json-patch+json"}
    answer = await client.patch(f"CarePlan/{plan['id']}", json=patch, headers=headers)
    assert (answer.status_code, answer.headers["etag"]) == (412, 'W/"3"')
    assert "contained" not in answer.json()


@pytest.mark.parametrize("body", NASTY)
async def test_what_could_not_be_stored_is_not_compared(
    client: httpx.AsyncClient, plan: Resource, body: Resource
) -> None:
    await put(client, changed(plan, ("title", "Theirs")))
    answer = await put(client, plan | body)
    assert (answer.status_code, answer.headers["etag"]) == (412, 'W/"3"')
    assert "contained" not in answer.json()


@pytest.mark.parametrize("version", [1, 9])
async def test_without_the_base_all_that_differs_is_for_people_to_see(
    engine: Engine, client: httpx.AsyncClient, plan: Resource, version: int
) -> None:
    await engine.pool.execute("DELETE FROM resource_history WHERE id = $1 AND version = 1", plan["id"])
    answer = await put(client, changed(plan, ("title", "Mine")), version)
    assert answer.status_code == 412
    (told,) = diff_in(answer)
    assert told == {"path": "CarePlan.title", "conflict": True, "theirs": plan["title"], "mine": "Mine"}
    assert "not kept" in answer.json()["issue"][0]["diagnostics"]


async def test_what_is_said_beside_a_primitive_is_part_of_it(client: httpx.AsyncClient, plan: Resource) -> None:
    said = {"extension": [{"url": "http://example.org/translation", "valueString": "Plan"}]}
    await put(client, plan | {"_title": said})
    answer = await put(client, changed(plan, ("title", "Mine")))
    (told,) = diff_in(answer)
    assert (told["path"], told["theirs"]) == ("CarePlan.title", {"value": plan["title"], "_value": said})


async def test_in_a_transaction_it_is_told_with_the_place(client: httpx.AsyncClient, plan: Resource) -> None:
    await put(client, changed(plan, ("title", "Theirs")))
    mine = entry("PUT", f"CarePlan/{plan['id']}", changed(plan, ("title", "Mine")), ifMatch='W/"2"')
    answer = await client.post("", json=bundle("transaction", mine))
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource.CarePlan.title"]
    assert [each["path"] for each in diff_in(answer)] == ["CarePlan.title"]
    batch = (await client.post("", json=bundle("batch", mine))).json()["entry"][0]["response"]
    assert (batch["status"], batch["etag"]) == ("412 Precondition Failed", 'W/"3"')
    assert batch["outcome"]["contained"][0]["parameter"][0] == {"name": "base", "valueString": "2"}


async def test_a_plan_of_an_ehr_is_compared_as_well(client: httpx.AsyncClient, plan: Resource) -> None:
    own = {"resourceType": "CarePlan", "status": "draft", "intent": "plan", "subject": plan["subject"]}
    made = (await client.post("CarePlan", json=own)).json()
    await put(client, with_activity(made, activity(None, None, "Swim")), 1)
    answer = await put(client, with_activity(made, activity(None, None, "Row")), 1)
    assert answer.status_code == 412
    assert {each["changed-by"] for each in diff_in(answer)} == {"theirs", "mine"}


async def test_other_types_tell_the_version_alone(client: httpx.AsyncClient, plan: Resource) -> None:
    goal = {"resourceType": "Goal", "lifecycleStatus": "proposed", "description": {"text": "Walk"}}
    made = (await client.post("Goal", json=goal | {"subject": plan["subject"]})).json()
    await client.put(f"Goal/{made['id']}", json=made | {"lifecycleStatus": "active"})
    answer = await client.put(f"Goal/{made['id']}", json=made, headers={"If-Match": 'W/"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (412, 'W/"2"')
    assert "contained" not in answer.json()


async def test_a_clinician_is_told_as_well_before_it_is_asked_whose_part_it_is(
    client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier
) -> None:
    await put(client, changed(plan, ("activity.talk.detail.status", "scheduled")))
    verifier.caller = member(PT)
    answer = await put(client, changed(plan, ("activity.talk.detail.status", "completed")))
    assert answer.status_code == 412
    assert [each["changed-by"] for each in diff_in(answer)] == ["both"]


async def test_who_may_not_see_the_plan_is_told_nothing(
    engine: Engine, plan: Resource, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await put(client, changed(plan, ("title", "Theirs")))
    blind = replace(engine, access=lambda caller: Access(lambda type_: Ids(()) if type_ == "CarePlan" else None))
    async with client_of(blind, SERVICE, verifier) as elsewhere:
        assert (await elsewhere.get(f"CarePlan/{plan['id']}")).status_code == 404
        absent = await elsewhere.put("CarePlan/absent", json=plan | {"id": "absent"}, headers=STALE)
        hidden = await put(elsewhere, plan)
        assert (hidden.status_code, hidden.json()) == (absent.status_code, absent.json())
        assert "etag" not in hidden.headers
        contributed = await elsewhere.post(f"CarePlan/{plan['id']}/$contribute", json=plan)
        compared = await elsewhere.get(f"CarePlan/{plan['id']}/$diff", params={"from": "1"})
        assert (contributed.status_code, compared.status_code) == (404, 404)
