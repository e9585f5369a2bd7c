"""A PUT of the Task passes the same rules as everything else, and what is refused leaves nothing behind."""

import httpx
import pytest

from services.referrals.domain.transitions import HARMONIZED
from shared.engine import Engine
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.security.caller import Caller
from shared.unit_of_work import unit_of_work
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    OWNER,
    PATIENT,
    REQUESTER,
    STRANGER,
    practitioner_role,
    reference,
    task,
)
from tests.integration.referrals.asking import furnish, put, send, told

SENT = {"owner": reference("PractitionerRole/r-b")}


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def test_a_referral_goes_round_the_loop_and_tells_each_step_once(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await send(client, verifier)
    steps = [
        ("accepted", "3.0", OWNER, {}),
        ("in-progress", "5.1.1", OWNER, {}),
        ("in-progress", "5.2", REQUESTER, {}),
        ("completed", "7.0", OWNER, {"output": [{"type": {"text": "x"}, "valueReference": {"display": "report"}}]}),
    ]
    for version, (status, business, caller, more) in enumerate(steps, start=1):
        verifier.caller = caller
        answer = await put(client, task(status, business, **SENT, **more), version)
        assert answer.status_code == 200, answer.text
    assert await told(engine) == [
        ("referral.requested.v1", "Task/t1"),
        ("referral.accepted.v1", "Task/t1"),
        ("referral.scheduled.v1", "Task/t1"),
        ("referral.cancellation-requested.v1", "Task/t1"),
        ("referral.completed.v1", "Task/t1"),
    ]


async def test_a_referral_that_was_deleted_is_not_put_again(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await send(client, verifier)
    verifier.caller = REQUESTER
    assert (await put(client, task("entered-in-error", "2.0", **SENT), 1)).status_code == 200
    assert (await client.delete("Task/t1")).status_code == 204
    for caller in (REQUESTER, STRANGER):
        verifier.caller = caller
        again = task("received", "2.0", requester=reference(caller.fhir_user or ""), owner=SENT["owner"])
        assert (await client.put("Task/t1", json=again)).status_code == 409


@pytest.mark.parametrize(
    ("caller", "status", "business", "code"),
    [
        (OWNER, "completed", "7.0", 409),
        (OWNER, "in-progress", "5.1.1", 409),
        (REQUESTER, "accepted", "3.0", 403),
        (COORDINATOR, "accepted", "3.0", 403),
        (STRANGER, "accepted", "3.0", 403),
        (PATIENT, "accepted", "3.0", 403),
        (OWNER, "accepted", "9.9", 422),
        (OWNER, "bogus", None, 422),
    ],
)
async def test_what_is_refused_is_not_stored(
    caller: Caller,
    status: str,
    business: str | None,
    code: int,
    client: httpx.AsyncClient,
    verifier: FixedVerifier,
    engine: Engine,
) -> None:
    await send(client, verifier)
    before = await client.get("Task/t1")
    verifier.caller = caller
    answer = await put(client, task(status, business, **SENT), 1)
    assert answer.status_code == code, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert (await client.get("Task/t1")).content == before.content
    assert await told(engine) == [("referral.requested.v1", "Task/t1")]


async def test_a_decline_needs_its_reason(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    answer = await put(client, task("rejected", "4.0", statusReason=None, **SENT), 1)
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Task.statusReason.text"]


async def test_people_must_say_which_version_they_saw(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    assert (await put(client, task("accepted", "3.0", **SENT))).status_code == 428
    assert (await put(client, task("accepted", "3.0", **SENT), 7)).status_code == 412


async def test_nobody_takes_a_referral_by_rewriting_the_role_it_was_sent_to(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await send(client, verifier)
    verifier.caller = STRANGER
    assert (await put(client, practitioner_role("r-b", "Practitioner/far"))).status_code == 403


async def test_a_transaction_may_bring_a_role_an_order_and_a_referral_at_once(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    verifier.caller = Caller("ehr", BACK_END.role, None, None, "Organization/pain-clinic")
    role = practitioner_role("new", "Practitioner/lind", "Organization/pain-clinic")
    order_ = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "requester": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "308447003"}]},
    }
    referral = task(
        owner=None,
        requester={"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"},
        focus={"reference": "urn:uuid:00000000-0000-4000-8000-000000000002"},
    )
    resources = [role, order_, referral]
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:00000000-0000-4000-8000-00000000000{number}",
                "resource": {key: value for key, value in resource.items() if key != "id"},
                "request": {"method": "POST", "url": resource["resourceType"]},
            }
            for number, resource in enumerate(resources, start=1)
        ],
    }
    answer = await client.post("", json=bundle)
    assert answer.status_code == 200, answer.text
    assert [type_ for type_, _ in await told(engine)] == ["referral.requested.v1"]
    found = await engine.pool.fetchval("SELECT body FROM resource WHERE type = 'Task'")
    assert b'"code":"physical-therapy"' in found


async def test_no_unit_of_work_goes_round_the_rules(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await send(client, verifier)
    legal = {(row.target.status, row.target.business) for row in HARMONIZED if row.source.status == "received"}
    targets = {(row.target.status, row.target.business) for row in HARMONIZED}
    refusals = (Conflict, Forbidden, Unprocessable)
    for status, business in sorted(targets - legal):
        for caller in (REQUESTER, OWNER, COORDINATOR, BACK_END, STRANGER):
            if (status, business) == ("received", "2.0"):
                continue
            async with unit_of_work(engine, caller) as work:
                with pytest.raises(refusals):
                    await work.update(task(status, business, **SENT))
    assert await told(engine) == [("referral.requested.v1", "Task/t1")]


async def test_a_referral_by_full_addresses_is_a_referral_under_the_same_rules(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    own = "http://test/fhir/"
    absolute = {
        "focus": reference(f"{own}ServiceRequest/o1"),
        "requester": reference(f"{own}Practitioner/lind"),
        "owner": reference(f"{own}PractitionerRole/r-b"),
    }
    verifier.caller = REQUESTER
    mistaken = await put(client, task("received", "2.0", **absolute | {"for": reference(f"{own}Patient/p2")}))
    assert mistaken.status_code == 422
    assert mistaken.json()["issue"][0]["expression"] == ["Task.for"]
    addressed = absolute | {"for": reference(f"{own}Patient/p1")}
    assert (await put(client, task("received", "2.0", **addressed))).status_code == 201
    assert await told(engine) == [("referral.requested.v1", "Task/t1")]
    verifier.caller = STRANGER
    assert (await put(client, task("accepted", "3.0", **addressed), 1)).status_code == 403
    verifier.caller = OWNER
    accepted = await put(client, task("accepted", "3.0", **addressed), 1)
    assert accepted.status_code == 200
    assert accepted.json()["focus"] == reference("ServiceRequest/o1")
    dangling = await put(client, task("accepted", "3.0", output=[_output(f"{own}Appointment/none")], **addressed), 2)
    assert dangling.status_code == 422


@pytest.mark.parametrize(
    "spelling",
    [
        "http://localhost:8080/fhir/ServiceRequest/o1",
        "http://127.0.0.1:8080/fhir/ServiceRequest/o1",
        "https://LOCALHOST:8080/fhir/ServiceRequest/o1",
        "HTTP://[::1]:8080/fhir/ServiceRequest/o1",
        "http://localhost:8080/fhir//ServiceRequest/./o1/",
        "http://localhost:8080/fhir/ServiceRequest/o1/_history/1",
    ],
)
async def test_no_spelling_of_an_order_opens_a_referral_of_it_for_a_stranger(
    spelling: str, client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    client.headers["host"] = "localhost:8080"
    verifier.caller = STRANGER
    more = {"requester": reference("Practitioner/far"), "owner": reference("Organization/elsewhere")}
    opened = task("requested", focus=reference(spelling), **more)
    assert (await put(client, opened)).status_code == 403
    entry = {"resource": opened, "request": {"method": "PUT", "url": "Task/t1"}}
    for kind in ("batch", "transaction"):
        answer = await client.post("", json={"resourceType": "Bundle", "type": kind, "entry": [entry]})
        told_ = answer.json()["entry"][0]["response"]["status"] if kind == "batch" else str(answer.status_code)
        assert told_.startswith("403")
    assert (await client.get("Task/t1")).status_code == 404
    assert await told(engine) == []


@pytest.mark.parametrize(
    "malformed",
    [
        "ServiceRequest/o1?a",
        "ServiceRequest/o1#a",
        "ServiceRequest/o1/",
        "/ServiceRequest/o1",
        "./ServiceRequest/o1",
        " ServiceRequest/o1",
        "ServiceRequest?_id=o1",
        "http://test/fhir/ServiceRequest/o1?a",
    ],
)
async def test_what_is_nearly_a_reference_to_an_order_opens_nothing(
    malformed: str, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    verifier.caller = STRANGER
    opened = task("requested", focus=reference(malformed), requester=reference("Practitioner/far"))
    assert (await put(client, opened)).status_code in (403, 422)
    assert (await client.get("Task/t1")).status_code == 404


def _output(to: str) -> dict[str, object]:
    return {"type": {"text": "visit"}, "valueReference": reference(to)}
