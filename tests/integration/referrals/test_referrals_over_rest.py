"""``/api/referrals`` for people who coordinate."""

import httpx
import pytest

from services.referrals.api.asking import BusinessStatus, Status
from services.referrals.domain.transitions import TRANSITIONS
from shared.engine import Engine
from shared.fhir.definitions.table import codes
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import (
    BACK_END,
    OWNER,
    PATIENT,
    REQUESTER,
    STRANGER,
    order,
    reference,
    task,
)
from tests.integration.referrals.asking import API, furnish, put, send, told


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def step(client: httpx.AsyncClient, version: int | None, **body: object) -> httpx.Response:
    headers = {} if version is None else {"If-Match": f'W/"{version}"'}
    return await client.post(f"{API}/t1/steps", json=body, headers=headers)


async def test_a_referral_says_how_it_stands_and_what_may_be_done(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    answer = await client.get(f"{API}/t1")
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == 'W/"1"'
    referral = answer.json()["referral"]
    assert (referral["task"], referral["version"]) == ("Task/t1", 1)
    assert (referral["status"], referral["business_status"], referral["discipline"]) == (
        "received",
        "2.0",
        "mental-health",
    )
    steps = {(s["what"], s["status"], s["business_status"], s["needs_reason"]) for s in answer.json()["next_steps"]}
    assert steps == {("accepted", "accepted", "3.0", False), ("declined", "rejected", "4.0", True)}
    verifier.caller = STRANGER
    assert (await client.get(f"{API}/t1")).json()["next_steps"] == []


async def test_the_steps_on_offer_are_the_ones_that_work(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await send(client, verifier)
    path = ("accepted", "scheduled", "no-show", "appointment-cancelled", "scheduled", "interim-note", "completed")
    for version, what in enumerate(path, start=1):
        verifier.caller = OWNER
        offered = (await client.get(f"{API}/t1")).json()["next_steps"]
        chosen = next(s for s in offered if s["what"] == what and s["business_status"] != "5.1")
        answer = await step(
            client, version, status=chosen["status"], business_status=chosen["business_status"], reason="Because."
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["etag"] == f'W/"{version + 1}"'
    moments = (await client.get(f"{API}/t1/timeline")).json()["moments"]
    assert [moment["what"] for moment in moments] == ["requested", *path]
    assert [moment["version"] for moment in moments] == list(range(1, 9))
    newest = (await client.get(f"{API}/t1/timeline?limit=2")).json()["moments"]
    assert [moment["what"] for moment in newest] == ["interim-note", "completed"]


async def test_a_step_is_judged_like_a_put(client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine) -> None:
    await send(client, verifier)
    for caller, code, body in (
        (REQUESTER, 403, {"status": "accepted", "business_status": "3.0"}),
        (OWNER, 409, {"status": "completed", "business_status": "7.0"}),
        (OWNER, 422, {"status": "rejected", "business_status": "4.0"}),
        (OWNER, 422, {"status": "Rejected!"}),
        (OWNER, 422, {"status": "accepted", "surprise": 1}),
    ):
        verifier.caller = caller
        answer = await step(client, 1, **({"reason": None} | body))
        assert answer.status_code == code, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    verifier.caller = OWNER
    assert (await step(client, None, status="accepted", business_status="3.0")).status_code == 428
    assert (await step(client, 5, status="accepted", business_status="3.0")).status_code == 412
    assert await told(engine) == [("referral.requested.v1", "Task/t1")]


async def test_an_output_comes_with_its_step_and_a_reason_goes_when_it_explains_no_longer(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await send(client, verifier, statusReason=None)
    verifier.caller = OWNER
    await step(client, 1, status="accepted", business_status="3.0")
    await step(client, 2, status="in-progress", business_status="5.1.1")
    await step(client, 3, status="on-hold", business_status="5.1.1", reason="The patient travels.")
    held = (await client.get(f"{API}/t1")).json()["referral"]
    assert (held["status"], held["reason"]) == ("on-hold", "The patient travels.")
    await step(client, 4, status="in-progress", business_status="5.1.1")
    verifier.caller = OWNER
    output = {"reference": "DocumentReference/d1", "kind": "report"}
    done = await step(client, 5, status="completed", business_status="7.0", output=output)
    assert done.status_code == 200, done.text
    referral = done.json()["referral"]
    assert (referral["reason"], referral["outputs"]) == (None, ["DocumentReference/d1"])


async def test_the_reason_of_a_cancellation_request_is_the_reason_of_the_cancellation(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await send(client, verifier, statusReason=None)
    await step(client, 1, status="in-progress", business_status="5.2", reason="Moved away.")
    verifier.caller = OWNER
    answer = await step(client, 2, status="cancelled", business_status="6.0")
    assert answer.json()["referral"]["reason"] == "Moved away."


async def test_an_open_referral_is_claimed_by_a_step(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = REQUESTER
    assert (await put(client, task(owner=None))).status_code == 201
    verifier.caller = STRANGER
    offered = (await client.get(f"{API}/t1")).json()["next_steps"]
    assert {s["status"] for s in offered} == {"received", "accepted"}
    answer = await step(client, 1, status="accepted", owner="Practitioner/far")
    assert answer.status_code == 200, answer.text
    assert answer.json()["referral"]["owner"] == "Practitioner/far"


async def test_a_patient_sees_no_referral_of_another(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = BACK_END
    await put(client, order(id="o3", subject=reference("Patient/p2")))
    await send(client, verifier, id="other-0", focus=reference("ServiceRequest/o3"), **{"for": reference("Patient/p2")})
    verifier.caller = PATIENT
    assert (await client.get(f"{API}/other-0")).status_code == 404
    assert (await client.get(f"{API}/other-0/timeline")).status_code == 404


async def test_what_is_no_referral_is_not_found(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = BACK_END
    await put(client, task("draft", id="call", code={"text": "call back"}))
    for path in ("call", "nothing"):
        assert (await client.get(f"{API}/{path}")).status_code == 404
        answer = await client.post(f"{API}/{path}/steps", json={"status": "requested"})
        assert answer.status_code == 404
    await client.delete("Task/call")
    assert (await client.get(f"{API}/call")).status_code == 410


@pytest.mark.parametrize(
    ("query", "where", "expected"),
    [
        ("status=A%20B", "query.status.0", "'requested'"),
        ("status=bogus", "query.status.0", "'requested'"),
        ("status=requested&status=bogus", "query.status.1", "'requested'"),
        ("status=requested,accepted,bogus", "query.status.2", "'requested'"),
        ("status=requested,", "query.status.1", "'requested'"),
        ("status=" + ",".join(13 * ["requested"]), "query.status", "At most 12 values"),
        ("business_status=9.9", "query.business_status.0", "'5.1.1'"),
        ("discipline=bogus", "query.discipline", "'pain-medicine', 'mental-health' or 'physical-therapy' is expected."),
        ("patient=bo%20gus", "query.patient", "^(Patient/)?["),
        ("patient=Practitioner/bogus", "query.patient", "^(Patient/)?["),
        ("requester=Bogus/x", "query.requester", "Practitioner"),
        ("owner=Bogus/x", "query.owner", "CareTeam"),
        ("limit=0", "query.limit", "at least 1"),
        ("limit=bogus", "query.limit", "A whole number is expected."),
        ("cursor=bogus", "query.cursor", "cursor"),
    ],
)
async def test_a_question_that_makes_no_sense_is_a_problem_that_names_the_parameter_and_what_it_takes(
    query: str, where: str, expected: str, client: httpx.AsyncClient
) -> None:
    answer = await client.get(f"{API}?{query}")
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    (issue,) = answer.json()["issues"]
    assert issue["expression"] == [where]
    assert expected in issue["text"]
    assert "bogus" not in answer.text.lower(), "no value goes back"


def test_every_state_of_a_referral_can_be_asked_for() -> None:
    states = [state for step in TRANSITIONS for state in (step.source, step.target)]
    assert {state.status for state in states} <= set(Status)
    assert {state.business for state in states} - {None} == set(BusinessStatus)
    assert set(Status) == frozenset().union(*codes("task-status").values())
