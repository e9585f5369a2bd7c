"""``$available-actions`` and ``$perform-action`` on Task and ServiceRequest (http://hl7.org/fhir/R4/operations.html)."""

from typing import Any

import httpx
import pytest

from shared.engine import Engine
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    OWNER,
    PATIENT,
    REQUESTER,
    STRANGER,
    order,
    reference,
    task,
)
from tests.factories.resources import bundle, entry
from tests.integration.referrals.asking import furnish, put, send, told

Resource = dict[str, Any]


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


def asking(action: str, **inputs: str) -> Resource:
    """Parameters of $perform-action."""
    given: list[Resource] = [{"name": "action", "valueCode": action}]
    for name, value in inputs.items():
        element = {"valueReference": reference(value)} if "/" in value else {"valueString": value}
        given.append({"name": name} | element)
    return {"resourceType": "Parameters", "parameter": given}


async def perform(client: httpx.AsyncClient, version: int | None, place: str, body: Resource) -> httpx.Response:
    headers = {} if version is None else {"If-Match": f'W/"{version}"'}
    return await client.post(f"{place}/$perform-action", json=body, headers=headers)


def read(parts: list[Resource]) -> dict[str, Any]:
    """Parts by name: one value each, or a list of what has parts again."""
    found: dict[str, Any] = {}
    for part in parts:
        if "part" in part:
            found.setdefault(part["name"], []).append(read(part["part"]))
        else:
            (value,) = (value for element, value in part.items() if element.startswith("value"))
            found[part["name"]] = value
    return found


async def available(client: httpx.AsyncClient, place: str, method: str = "GET") -> dict[str, Any]:
    answer = await client.request(method, f"{place}/$available-actions")
    assert answer.status_code == 200, answer.text
    assert answer.json()["resourceType"] == "Parameters"
    return read(answer.json().get("parameter", []))


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_referral_tells_the_actions_of_the_caller(
    client: httpx.AsyncClient, verifier: FixedVerifier, method: str
) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    actions = {each["code"]: each for each in (await available(client, "Task/t1", method))["action"]}
    assert set(actions) == {"accept", "assign", "decline", "return-with-questions"}
    decline = actions["decline"]
    assert (decline["status"], decline["business-status"]) == ("rejected", "4.0")
    (reason, comment) = decline["input"]
    assert (reason["name"], reason["type"], reason["required"]) == ("reason", "string", True)
    assert (comment["name"], comment["required"]) == ("comment", False)
    verifier.caller = STRANGER
    assert await available(client, "Task/t1", method) == {}


async def test_a_choice_is_told(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = BACK_END
    await put(client, task("received"))
    verifier.caller = OWNER
    answer = (await client.get("Task/t1/$available-actions")).json()
    (accept,) = [each["part"] for each in answer["parameter"] if each["part"][0]["valueCode"] == "accept"]
    choices = [
        part["valueCode"]
        for each in accept
        if each["name"] == "input"
        for part in each["part"]
        if part["name"] == "choice"
    ]
    assert choices == ["accepted", "accepted 3.0"]
    asked = {"resourceType": "Parameters", "parameter": [{"name": "action", "valueCode": "accept"}]}
    asked["parameter"] += [{"name": "state", "valueCode": "accepted 3.0"}]  # type: ignore[operator]  # a list
    assert (await perform(client, 1, "Task/t1", asked)).json()["businessStatus"]["coding"][0]["code"] == "3.0"


async def test_an_action_answers_with_the_task_as_it_is_then(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    answer = await perform(client, 1, "Task/t1", asking("decline", reason="We treat adults only."))
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == 'W/"2"'
    assert (answer.json()["status"], answer.json()["statusReason"]) == ("rejected", {"text": "We treat adults only."})
    assert await told(engine) == [("referral.requested.v1", "Task/t1"), ("referral.declined.v1", "Task/t1")]


async def test_whoever_offers_it_to_somebody_else_gets_the_new_task(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    verifier.caller = REQUESTER
    await put(client, task("requested"))
    answer = await perform(client, 1, "Task/t1", asking("reroute", owner="Organization/elsewhere", reason="Full."))
    assert answer.status_code == 201, answer.text
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.json()["owner"] == reference("Organization/elsewhere")
    assert answer.json()["id"] in answer.headers["location"]
    assert answer.json()["input"][0]["valueReference"] == reference("Task/t1")
    found = (await client.get("Task", params={"focus": "ServiceRequest/o1", "status": "requested"})).json()
    assert [each["resource"]["id"] for each in found["entry"]] == [answer.json()["id"]]


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        (asking("complete", report="DiagnosticReport/r"), 409, "Task.status"),
        (asking("decline"), 422, "Parameters.parameter.where(name='reason').value"),
        (asking("accept", owner="Appointment/a"), 422, "Parameters.parameter.where(name='owner').value"),
        (asking("accept", reason="x"), 422, "Parameters.parameter.where(name='reason').value"),
        (asking("nonsense"), 422, "Parameters.parameter.where(name='action').value"),
        (asking("accept", nonsense="x"), 422, "Parameters.parameter[1].name"),
        (asking("accept", owner="x"), 400, "Parameters.parameter[1].value"),
        ({"resourceType": "Parameters"}, 422, "Parameters.parameter"),
        ({"resourceType": "Parameters", "parameter": [{"name": ["action"]}]}, 422, "Parameters.parameter[0].name"),
        ({"resourceType": "Parameters", "parameter": [{"name": "action"}]}, 400, "Parameters.parameter[0].value"),
        ({"resourceType": "Parameters", "parameter": 7}, 400, "Parameters.parameter"),
        (
            {"resourceType": "Parameters", "parameter": 2 * [{"name": "action", "valueCode": "accept"}]},
            *(422, "Parameters.parameter[1]"),
        ),
        ({"resourceType": "Task"}, 400, "resourceType"),
    ],
)
async def test_a_refusal_names_the_place(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine, body: Resource, status: int, where: str
) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    answer = await perform(client, 1, "Task/t1", body)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["expression"][0] == where
    assert len(await told(engine)) == 1


async def test_actions_are_guarded_like_updates(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    body = asking("accept")
    assert (await perform(client, None, "Task/t1", body)).status_code == 428
    assert (await perform(client, 7, "Task/t1", body)).status_code == 412
    assert (await client.get("Task/t1/$perform-action")).status_code == 405
    verifier.caller = REQUESTER
    assert (await perform(client, 1, "Task/t1", body)).status_code == 403


async def test_what_the_caller_may_not_see_is_not_there(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = BACK_END
    await put(client, order(id="o2", subject=reference("Patient/p2")))
    await put(client, task("received", focus=reference("ServiceRequest/o2"), **{"for": reference("Patient/p2")}))
    await put(client, task("draft", id="call", code={"text": "call back"}))
    await client.delete("Task/call")
    for caller, place, status in (
        (PATIENT, "Task/t1", 404),
        (PATIENT, "ServiceRequest/o2", 404),
        (OWNER, "Task/absent", 404),
        (OWNER, "ServiceRequest/absent", 404),
        (OWNER, "Task/call", 410),
        (OWNER, "Appointment/a", 404),
    ):
        verifier.caller = caller
        assert (await client.get(f"{place}/$available-actions")).status_code == status
        action = "hold" if place.startswith("ServiceRequest") else "accept"
        assert (await perform(client, 1, place, asking(action))).status_code == status


async def test_an_order_tells_its_actions_and_those_of_its_referrals(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await send(client, verifier)
    verifier.caller = BACK_END
    await put(client, task("rejected", id="t2"))
    await put(client, task("draft", id="call", code={"text": "call back"}))
    verifier.caller = REQUESTER
    found = await available(client, "ServiceRequest/o1")
    assert [each["code"] for each in found["action"]] == ["hold", "revoke", "mark-as-error"]
    told_ = {each["reference"]["reference"]: [one["code"] for one in each["action"]] for each in found["task"]}
    assert told_ == {
        "Task/t1": ["request-cancellation", "mark-as-error", "assign"],
        "Task/t2": ["reroute", "mark-as-error"],
    }
    verifier.caller = OWNER
    found = await available(client, "ServiceRequest/o1")
    assert "action" not in found
    assert [each["reference"]["reference"] for each in found["task"]] == ["Task/t1", "Task/t2"]


async def test_an_order_is_revoked_by_an_action(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = REQUESTER
    await put(client, task("requested"))
    place = "ServiceRequest/o1"
    assert (await perform(client, 1, place, asking("complete"))).status_code == 409
    assert (await perform(client, 1, place, asking("resume"))).status_code == 409
    assert (await perform(client, 1, place, asking("hold", reason="x"))).status_code == 422
    assert (await perform(client, None, place, asking("hold"))).status_code == 428
    verifier.caller = OWNER
    assert (await perform(client, 1, place, asking("hold"))).status_code == 403
    verifier.caller = COORDINATOR
    answer = await perform(client, 1, place, asking("revoke"))
    assert (answer.status_code, answer.json()["status"]) == (200, "revoked")
    assert (await client.get("Task/t1")).json()["status"] == "cancelled"


async def test_actions_are_told_and_asked_for_in_a_batch(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    asked = bundle(
        "batch",
        entry("GET", "Task/t1/$available-actions"),
        entry("POST", "Task/t1/$perform-action", asking("accept"), ifMatch='W/"1"'),
    )
    answers = (await client.post("", json=asked)).json()["entry"]
    assert [each["response"]["status"] for each in answers] == ["200 OK", "200 OK"]
    assert (answers[0]["resource"]["resourceType"], answers[1]["response"]["etag"]) == ("Parameters", 'W/"2"')
    assert (await client.get("Task/t1")).json()["status"] == "accepted"


async def test_the_service_says_that_it_has_these_operations(client: httpx.AsyncClient) -> None:
    resources = {each["type"]: each for each in (await client.get("metadata")).json()["rest"][0]["resource"]}
    for type_ in ("Task", "ServiceRequest"):
        names = {each["name"] for each in resources[type_]["operation"]}
        assert {"available-actions", "perform-action", "meta"} <= names
    assert "available-actions" not in {each["name"] for each in resources["Slot"]["operation"]}
