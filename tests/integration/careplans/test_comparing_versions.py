"""``CarePlan/[id]/$diff`` and the timeline: what changed, who did it, and why."""

import json
from typing import Any

import httpx
import pytest

from shared.engine import Engine
from shared.fhir.json import Resource
from shared.fhir.validate import check
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.contributing import (
    COORDINATOR,
    MIND,
    PT,
    activity,
    changed,
    contribute,
    diff_in,
    member,
    new_plan,
    with_activity,
)
from tests.integration.careplans.hearing import Referral, hear, new_patient, shared_plan

WALK = activity("walk", PT, "Walk")
TALK = activity("talk", MIND, "Talk")
LINE = "Physical therapy changed detail.status of the activity “Walk” because: the knee is swollen"
STATUS = "CarePlan.activity.where(id='walk').detail.status"


@pytest.fixture
async def plan(engine: Engine) -> Resource:
    return await new_plan(engine, WALK, TALK)


async def diff(client: httpx.AsyncClient, plan: Resource, **asked: str) -> list[dict[str, Any]]:
    """The changes, with values as JSON, and ``by`` and ``summary`` as lists."""
    answer = await client.get(f"CarePlan/{plan['id']}/$diff", params=asked)
    assert answer.status_code == 200, answer.text
    found = []
    for parameter in answer.json()["parameter"]:
        if parameter["name"] == "change":
            change: dict[str, Any] = {"by": [], "summary": []}
            for part in parameter["part"]:
                if part["name"] == "by":
                    change["by"].append({each["name"]: _value(each) for each in part["part"]})
                elif part["name"] == "summary":
                    change["summary"].append(_value(part))
                else:
                    said = _value(part)
                    change[part["name"]] = said if part["name"] == "path" else json.loads(said)
            found.append(change)
    return found


def _value(part: dict[str, Any]) -> Any:
    return next(said for key, said in part.items() if key.startswith("value"))


async def test_each_change_says_who_and_why(client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier) -> None:
    verifier.caller = member(PT)
    await contribute(client, changed(plan, ("activity.walk.detail.status", "on-hold")), "the knee is swollen")
    verifier.caller = member(MIND)
    await contribute(client, with_activity(plan, activity(None, None, "Breathe")))
    verifier.caller = COORDINATOR
    status, added = await diff(client, plan, **{"from": "2"})
    assert (status["path"], status["before"], status["after"]) == (STATUS, "not-started", "on-hold")
    (by,) = status["by"]
    assert by.pop("recorded").startswith("20")
    assert by == {
        "version": 3,
        "who": {"reference": f"Practitioner/{PT}-0"},
        "role": "clinician",
        "reason": "the knee is swollen",
    }
    assert status["summary"] == [LINE]
    assert "before" not in added
    assert added["after"]["detail"]["description"] == "Breathe"
    assert added["summary"] == ["Mental health added the activity “Breathe”"]
    answer = (await client.get(f"CarePlan/{plan['id']}/$diff", params={"from": "2", "to": "3"})).json()
    check(answer)
    assert [_value(each) for each in answer["parameter"][:2]] == [2, 3]
    assert len(answer["parameter"]) == 3


async def test_an_element_that_several_changed_names_them_all(
    client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier
) -> None:
    for number, status in enumerate(("scheduled", "in-progress", "on-hold")):
        verifier.caller = Caller(f"s{number}", Role.SYSTEM)
        now = (await client.get(f"CarePlan/{plan['id']}")).json()
        await contribute(client, changed(now, ("activity.walk.detail.status", status)), f"reason {number}")
    (change,) = await diff(client, plan, **{"from": "2"})
    assert (change["before"], change["after"]) == ("not-started", "on-hold")
    assert [by["reason"] for by in change["by"]] == ["reason 0", "reason 1", "reason 2"]
    assert len(change["summary"]) == 3
    now = (await client.get(f"CarePlan/{plan['id']}")).json()
    await contribute(client, changed(now, ("activity.walk.detail.status", "not-started")))
    assert await diff(client, plan, **{"from": "2"}) == []
    assert [change["path"] for change in await diff(client, plan, **{"from": "2", "to": "4"})] == [STATUS]
    assert await diff(client, plan, **{"from": "3", "to": "3"}) == []


async def test_a_note_is_told_by_who_wrote_it(
    client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier
) -> None:
    for discipline in (PT, MIND):
        verifier.caller = member(discipline)
        await contribute(client, plan | {"note": [{"text": f"by {discipline}"}]})
    first, second = await diff(client, plan, **{"from": "2"})
    assert (first["after"]["text"], [by["version"] for by in first["by"]]) == (f"by {PT}", [3])
    assert (second["after"]["text"], [by["version"] for by in second["by"]]) == (f"by {MIND}", [4])


async def test_a_referral_that_moved_on_is_told_as_the_systems(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    referral = Referral(patient)
    await hear(engine, *(referral.event(step) for step in ("received", "accepted", "scheduled")))
    plan = await shared_plan(engine, patient)
    changes = await diff(client, plan, **{"from": "1"})
    assert {by["role"] for change in changes for by in change["by"]} == {"system"}
    assert all(line.startswith("The system ") for change in changes for line in change["summary"])


async def test_a_reason_that_somebody_records_later_is_not_taken_for_that_of_the_change(
    client: httpx.AsyncClient, plan: Resource
) -> None:
    await contribute(client, changed(plan, ("activity.walk.detail.status", "on-hold")))
    forged = {
        "resourceType": "Provenance",
        "recorded": "2026-01-01T00:00:00Z",
        "target": [{"reference": f"CarePlan/{plan['id']}/_history/3"}],
        "reason": [{"text": "a lie"}],
        "agent": [{"who": {"display": "x"}}],
    }
    assert (await client.post("Provenance", json=forged)).status_code == 201
    (change,) = await diff(client, plan, **{"from": "2"})
    assert "reason" not in change["by"][0]


async def test_a_reason_of_x_provenance_is_that_of_the_change(
    client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier
) -> None:
    sent = {"reason": [{"coding": [{"display": "by header"}]}], "agent": [{"who": {"display": "x"}}]}
    header = json.dumps({"resourceType": "Provenance", "recorded": "2026-01-01T00:00:00Z"} | sent)
    verifier.caller = COORDINATOR
    await client.put(
        f"CarePlan/{plan['id']}", json=plan | {"title": "Ours"}, headers={"If-Match": 'W/"2"', "X-Provenance": header}
    )
    (change,) = await diff(client, plan, **{"from": "2"})
    assert change["summary"] == ["A coordinator changed the title because: by header"]


async def test_what_nobody_recorded_is_told_without_a_name(
    engine: Engine, client: httpx.AsyncClient, plan: Resource
) -> None:
    await contribute(client, changed(plan, ("activity.walk.detail.status", "on-hold")))
    await engine.pool.execute("DELETE FROM index_term")
    (change,) = await diff(client, plan, **{"from": "2"})
    assert change["summary"] == ["Somebody changed detail.status of the activity “Walk”"]
    assert [by["version"] for by in change["by"]] == [3]


async def test_of_a_long_stretch_the_newest_are_told(
    client: httpx.AsyncClient, plan: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.careplans.app.differences.MOST_VERSIONS", 2)
    now = plan
    for edit in (
        ("title", "A"),
        ("activity.walk.detail.status", "on-hold"),
        ("activity.talk.detail.status", "on-hold"),
    ):
        now = (await contribute(client, changed(now, edit))).json()
    changes = await diff(client, plan, **{"from": "2"})
    assert [(change["path"], len(change["by"])) for change in changes] == [
        ("CarePlan.title", 0),
        (STATUS, 1),
        ("CarePlan.activity.where(id='talk').detail.status", 1),
    ]
    assert changes[0]["summary"] == ["Somebody changed the title"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("to=2", 400),
        ("from=x", 400),
        ("from=-1", 400),
        ("from=0", 400),
        ("from=1&from=2", 400),
        ("from=2&to=1", 400),
        ("from=1&other=2", 400),
        ("from=99999999999999999999", 400),
        ("from=3", 400),
        ("from=1&to=3", 404),
        ("from=1&to=2147483647", 404),
        ("from=1&to=2147483648", 400),
        ("from=1&_format=json", 200),
        ("from=1&to=2", 200),
    ],
)
async def test_which_versions_may_be_asked_for(
    client: httpx.AsyncClient, plan: Resource, query: str, status: int
) -> None:
    answer = await client.get(f"CarePlan/{plan['id']}/$diff?{query}")
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"resourceType": "Parameters", "parameter": [{"name": "from", "valuePositiveInt": 1}]}, 200),
        ({"resourceType": "Parameters", "parameter": [{"name": "from", "valueInteger": 1}]}, 200),
        ({"resourceType": "Parameters", "parameter": [{"name": "from", "valueString": "1"}]}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": "from", "valueInteger": True}]}, 400),
        ({"resourceType": "Parameters", "parameter": [{"name": {"x": 1}, "valueInteger": 1}]}, 400),
        ({"resourceType": "Parameters", "parameter": [5]}, 400),
        ({"resourceType": "Parameters"}, 400),
        ({"resourceType": "CarePlan"}, 400),
        ([], 400),
    ],
)
async def test_they_may_be_asked_for_with_post(
    client: httpx.AsyncClient, plan: Resource, body: Any, status: int
) -> None:
    answer = await client.post(f"CarePlan/{plan['id']}/$diff", json=body)
    assert answer.status_code == status, answer.text


async def test_plans_and_versions_that_are_not_there(engine: Engine, client: httpx.AsyncClient, plan: Resource) -> None:
    assert (await client.get("CarePlan/absent/$diff?from=1")).status_code == 404
    own = {"resourceType": "CarePlan", "status": "draft", "intent": "plan", "subject": plan["subject"]}
    made = (await client.post("CarePlan", json=own)).json()
    await client.delete(f"CarePlan/{made['id']}")
    assert (await client.get(f"CarePlan/{made['id']}/$diff?from=1")).status_code == 410
    await client.put(f"CarePlan/{made['id']}", json=made | {"status": "active"})
    assert (await client.get(f"CarePlan/{made['id']}/$diff?from=2")).status_code == 410
    assert [change["path"] for change in await diff(client, made, **{"from": "1"})] == ["CarePlan.status"]
    await engine.pool.execute("DELETE FROM resource_history WHERE id = $1 AND version = 1", plan["id"])
    answer = await client.get(f"CarePlan/{plan['id']}/$diff?from=1")
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (404, ["from"])


async def test_a_plan_of_an_ehr_with_an_id_twice_is_compared_by_what_stands_there(
    client: httpx.AsyncClient, plan: Resource
) -> None:
    own = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": plan["subject"]}
    twice = [activity("x", None, "Walk"), activity("x", None, "Swim")]
    made = (await client.post("CarePlan", json=own | {"activity": twice})).json()
    row = activity("x", None, "Row")
    now = await client.put(f"CarePlan/{made['id']}", json=made | {"activity": [twice[0], row]})
    assert now.status_code == 200
    removed, added = await diff(client, made, **{"from": "1"})
    assert (removed["path"], removed["before"], added["after"]) == ("CarePlan.activity", twice[1], row)
    mine = made | {"activity": [twice[0]], "title": "Mine"}
    answer = await client.put(f"CarePlan/{made['id']}", json=mine, headers={"If-Match": 'W/"1"'})
    assert answer.status_code == 412
    assert "CarePlan.title" in [each["path"] for each in diff_in(answer)]


async def test_the_timeline_says_who_and_why(
    engine: Engine, client: httpx.AsyncClient, plan: Resource, verifier: FixedVerifier
) -> None:
    verifier.caller = Caller("pt", Role.CLINICIAN, None, "Practitioner/pt", f"Organization/{PT}")
    await contribute(client, changed(plan, ("activity.walk.detail.status", "on-hold")), "the knee is swollen")
    verifier.caller = COORDINATOR
    moments = (await client.get(f"http://test/api/plans/{plan['id']}/timeline")).json()
    updated = [each for each in moments if each["what"] == "updated"][-1]
    assert updated["by"] == {"reference": "Practitioner/pt", "role": "clinician", "discipline": None}
    assert updated["reason"] == "the knee is swollen"
    assert updated["summary"] == [LINE]
    assert {each["version"] for each in moments if each["reason"]} == {3}
    assert [each["by"]["role"] for each in moments if each["what"] == "created"] == ["coordinator"]


async def test_the_timeline_keeps_the_order_of_versions_that_waited_for_each_other(
    engine: Engine, client: httpx.AsyncClient, plan: Resource
) -> None:
    await contribute(client, changed(plan, ("activity.walk.detail.status", "on-hold")))
    late = "UPDATE resource_history SET last_updated = last_updated - interval '1 hour' WHERE id = $1 AND version = 3"
    await engine.pool.execute(late, plan["id"])
    moments = (await client.get(f"http://test/api/plans/{plan['id']}/timeline")).json()
    versions = [each["version"] for each in moments if each["resource"].startswith("CarePlan/")]
    assert versions == sorted(versions)
