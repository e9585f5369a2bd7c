"""``/api/referrals`` for people who coordinate."""

from typing import Any

import httpx
import pytest

from services.referrals.api import rest
from services.referrals.api.asking import BusinessStatus, Status
from services.referrals.app.once import Outcome
from services.referrals.domain.transitions import TRANSITIONS
from services.referrals.store import referrals
from shared.engine import Engine
from shared.fhir.definitions.table import codes
from shared.security.caller import Caller
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    OWNER,
    PATIENT,
    REQUESTER,
    STRANGER,
    appointment,
    order,
    reference,
    task,
)
from tests.integration.referrals.asking import API, furnish, put, send, told


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def act(client: httpx.AsyncClient, version: int | None, action: str, **inputs: object) -> httpx.Response:
    headers = {} if version is None else {"If-Match": f'W/"{version}"'}
    return await client.post(f"{API}/t1/actions/{action}", json=inputs, headers=headers)


async def offered(client: httpx.AsyncClient, id: str = "t1") -> dict[str, Any]:
    answer = await client.get(f"{API}/{id}")
    assert answer.status_code == 200, answer.text
    return {action["code"]: action for action in answer.json()["available_actions"]}


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
    actions = await offered(client)
    assert set(actions) == {"accept", "assign", "decline", "return-with-questions"}
    assert (actions["accept"]["status"], actions["accept"]["business_status"]) == ("accepted", "3.0")
    assert actions["assign"]["status"] is None
    needed = {code: [each["name"] for each in one["inputs"] if each["required"]] for code, one in actions.items()}
    assert needed == {"accept": [], "assign": ["owner"], "decline": ["reason"], "return-with-questions": ["questions"]}
    assert "Organization" in actions["assign"]["inputs"][0]["targets"]
    verifier.caller = STRANGER
    assert await offered(client) == {}


async def test_the_actions_on_offer_are_the_ones_that_work(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await send(client, verifier)
    verifier.caller = BACK_END
    for number in (1, 2):
        await put(client, appointment(f"a{number}"))
    verifier.caller = OWNER
    path: tuple[tuple[str, dict[str, str]], ...] = (
        ("accept", {}),
        ("schedule", {"appointment": "Appointment/a1"}),
        ("reschedule", {"appointment": "Appointment/a2"}),
        ("record-no-show", {}),
        ("cancel-appointment", {"reason": "The therapist is ill."}),
        ("schedule", {}),
        ("send-note", {"note": "DocumentReference/n1"}),
        ("complete", {"report": "DiagnosticReport/r1"}),
    )
    for version, (action, inputs) in enumerate(path, start=1):
        assert action in await offered(client)
        answer = await act(client, version, action, **inputs)
        assert answer.status_code == 200, answer.text
        assert answer.headers["etag"] == f'W/"{version + 1}"'
    assert await offered(client) == {}
    verifier.caller = REQUESTER
    answer = await act(client, 9, "acknowledge-report", comment="Thank you.")
    assert answer.status_code == 200, answer.text
    referral = answer.json()["referral"]
    assert referral["report_acknowledged_at"] is not None
    assert referral["outputs"] == [
        *("Appointment/a1", "Appointment/a2", "DocumentReference/n1", "DiagnosticReport/r1"),
    ]
    assert {each["code"] for each in answer.json()["available_actions"]} == {"mark-as-error"}
    moments = (await client.get(f"{API}/t1/timeline")).json()["moments"]
    assert [moment["what"] for moment in moments] == [
        *("requested", "accepted", "scheduled", "rescheduled", "no-show", "appointment-cancelled", "scheduled"),
        *("interim-note", "completed", "closed"),
    ]
    assert [moment["version"] for moment in moments] == list(range(1, 11))
    newest = (await client.get(f"{API}/t1/timeline?limit=2")).json()["moments"]
    assert [moment["what"] for moment in newest] == ["completed", "closed"]


async def test_the_acknowledged_report_closes_the_referral(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    await act(client, 1, "accept")
    await act(client, 2, "complete", report="QuestionnaireResponse/q1")
    standing = (await referrals.read(engine.pool, ["t1"]))["t1"]
    assert (standing.waits_for, standing.closed_at) == ("closing", None)
    verifier.caller = COORDINATOR
    assert (await act(client, 3, "acknowledge-report")).status_code == 200
    standing = (await referrals.read(engine.pool, ["t1"]))["t1"]
    assert standing.waits_for is None
    assert standing.closed_at is not None
    assert (await told(engine))[-1] == ("referral.closed.v1", "Task/t1")
    assert (await act(client, 4, "acknowledge-report")).status_code == 409


@pytest.mark.parametrize(
    ("caller", "action", "inputs", "status", "where"),
    [
        (REQUESTER, "accept", {}, 403, []),
        (STRANGER, "accept", {}, 403, []),
        (OWNER, "recall", {"reason": "x"}, 403, []),
        (OWNER, "complete", {"report": "DiagnosticReport/r"}, 409, ["Task.status", "Task.businessStatus"]),
        (REQUESTER, "recall", {"reason": "x"}, 409, ["Task.status", "Task.businessStatus"]),
        (OWNER, "decline", {}, 422, ["body.reason"]),
        (OWNER, "decline", {"reason": " "}, 422, ["body.reason"]),
        (OWNER, "decline", {"reason": 2001 * "x"}, 422, ["body.reason"]),
        (OWNER, "decline", {"reason": "x", "report": "DiagnosticReport/r"}, 422, ["body.report"]),
        (OWNER, "accept", {"surprise": 1}, 422, ["body"]),
        (OWNER, "accept", {"owner": "Practitioner/nobody!"}, 422, ["body.owner"]),
        (OWNER, "accept", {"owner": "Appointment/a1"}, 422, ["body.owner"]),
        (OWNER, "accept", {"owner": "Practitioner/absent"}, 403, ["Task.owner"]),
        (REQUESTER, "assign", {"owner": "Practitioner/absent"}, 422, ["Task.owner"]),
        (OWNER, "accept", {"comment": "a\x00"}, 422, ["Task.note[0].text"]),
        (OWNER, "nonsense", {}, 422, ["path.action"]),
    ],
)
async def test_an_action_that_is_not_available_says_why(
    client: httpx.AsyncClient,
    verifier: FixedVerifier,
    engine: Engine,
    caller: Caller,
    action: str,
    inputs: dict[str, Any],
    status: int,
    where: list[str],
) -> None:
    await send(client, verifier)
    verifier.caller = caller
    answer = await act(client, 1, action, **inputs)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    (issue,) = answer.json()["issues"]
    assert issue["expression"] == where
    if status == 409:
        assert "received 2.0" in issue["text"]
        assert all(code in issue["text"] for code in await offered(client))
    assert await told(engine) == [("referral.requested.v1", "Task/t1")]


async def test_people_name_the_version_that_they_have_seen(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    assert (await act(client, None, "accept")).status_code == 428
    assert (await act(client, 5, "complete")).status_code == 412, "before what is said about a state that has changed"
    answer = await client.post(f"{API}/t1/actions/accept", headers={"If-Match": "1"})
    assert answer.status_code == 400
    verifier.caller = BACK_END
    assert (await act(client, None, "accept")).status_code == 200


async def test_the_answer_to_an_action_is_what_came_of_it_whoever_comes_right_after(
    client: httpx.AsyncClient, verifier: FixedVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(client, verifier)
    act_of_ours = rest.once

    async def overtaken(*arguments: Any, **more: Any) -> Outcome:
        outcome = await act_of_ours(*arguments, **more)
        verifier.caller = BACK_END
        assert (await client.delete("Task/t1")).status_code == 204
        return outcome

    monkeypatch.setattr(rest, "once", overtaken)
    verifier.caller = OWNER
    answer = await act(client, 1, "accept")
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.json()["referral"]["status"] == "accepted"


async def test_a_reason_goes_when_it_explains_no_longer(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await send(client, verifier, statusReason=None)
    verifier.caller = OWNER
    await act(client, 1, "accept")
    await act(client, 2, "schedule")
    answer = await act(client, 3, "hold", reason="The patient travels.")
    held = answer.json()["referral"]
    assert (held["status"], held["business_status"], held["reason"]) == ("on-hold", "5.1.1", "The patient travels.")
    assert (await act(client, 4, "resume")).json()["referral"]["reason"] is None


async def test_the_reason_of_a_cancellation_request_is_the_reason_of_the_cancellation(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await send(client, verifier, statusReason=None)
    await act(client, 1, "request-cancellation", reason="Moved away.")
    verifier.caller = OWNER
    answer = await act(client, 2, "confirm-cancellation")
    assert answer.json()["referral"]["reason"] == "Moved away."


@pytest.mark.parametrize(("action", "status"), [("claim", "received"), ("accept", "accepted")])
async def test_an_open_referral_is_made_ones_own(
    client: httpx.AsyncClient, verifier: FixedVerifier, action: str, status: str
) -> None:
    verifier.caller = REQUESTER
    assert (await put(client, task(owner=None))).status_code == 201
    verifier.caller = STRANGER
    assert set(await offered(client)) == {"accept", "claim"}
    answer = await act(client, 1, action)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["referral"]["owner"], answer.json()["referral"]["status"]) == ("Practitioner/far", status)


async def test_questions_go_back_and_are_answered(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    answer = await act(client, 1, "return-with-questions", questions="Is there a recent MRI?")
    assert answer.status_code == 200, answer.text
    assert answer.json()["referral"]["returned_at"] is not None
    assert answer.json()["referral"]["status"] == "received"
    assert (await act(client, 2, "return-with-questions", questions="And?")).status_code == 409
    verifier.caller = REQUESTER
    (listed,) = (await client.get(API, params={"list": "returned"})).json()["referrals"]
    assert (listed["task"], listed["returned_at"] is not None) == ("Task/t1", True)
    answer = await act(client, 2, "answer", answer="Of March, attached.")
    assert answer.status_code == 200, answer.text
    assert answer.json()["referral"]["returned_at"] is None
    assert (await client.get(API, params={"list": "returned"})).json()["referrals"] == []
    notes = (await client.get("Task/t1")).json()["note"]
    assert [note["authorReference"]["reference"] for note in notes] == ["Practitioner/moss", "Practitioner/lind"]
    assert [type_ for type_, _ in await told(engine)] == [
        *("referral.requested.v1", "referral.returned.v1", "referral.answered.v1")
    ]


async def test_a_referral_is_offered_to_somebody_else(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    verifier.caller = REQUESTER
    assert (await put(client, task("requested"))).status_code == 201
    body = {"owner": "Organization/elsewhere", "reason": "No place before summer.", "comment": "Can you?"}
    answer = await act(client, 1, "reroute", **body)
    assert answer.status_code == 200, answer.text
    anew = answer.json()["referral"]
    assert answer.headers["etag"] == 'W/"1"'
    assert (anew["status"], anew["owner"], anew["replaces"]) == ("requested", "Organization/elsewhere", "Task/t1")
    before = (await client.get(f"{API}/t1")).json()["referral"]
    assert (before["status"], before["reason"], before["replaced_by"]) == (
        "cancelled",
        "No place before summer.",
        anew["task"],
    )
    assert (await act(client, 2, "reroute", **body)).status_code == 409, "it was offered already"
    assert sorted(await told(engine)) == sorted(
        [
            ("referral.requested.v1", "Task/t1"),
            ("referral.requested.v1", anew["task"]),
            ("referral.cancelled.v1", "Task/t1"),
        ]
    )


async def test_a_referral_that_cannot_be_offered_to_somebody_else_stays_as_it_is(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    verifier.caller = REQUESTER
    await put(client, task("requested"))
    answer = await act(client, 1, "reroute", owner="Organization/absent", reason="x")
    assert answer.status_code == 422, answer.text
    referral = (await client.get(f"{API}/t1")).json()["referral"]
    assert (referral["version"], referral["status"]) == (1, "requested")
    assert await told(engine) == [("referral.requested.v1", "Task/t1")]


async def test_after_a_decline_somebody_else_is_asked(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    await act(client, 1, "decline", reason="We treat adults only.")
    verifier.caller = COORDINATOR
    answer = await act(client, 2, "reroute", owner="Organization/elsewhere")
    assert answer.status_code == 200, answer.text
    anew = answer.json()["referral"]
    assert (anew["status"], anew["business_status"], anew["reason"]) == ("requested", "2.0", None)
    before = (await client.get(f"{API}/t1")).json()["referral"]
    assert (before["status"], before["reason"]) == ("rejected", "We treat adults only.")


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
        answer = await client.post(f"{API}/{path}/actions/send", headers={"If-Match": 'W/"1"'})
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
        ("patient=bo%20gus", "query.patient", "of the type Patient"),
        ("patient=Practitioner/bogus", "query.patient", "of the type Patient"),
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
