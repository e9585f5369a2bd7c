"""Whatever the other side answers: a code, another attempt, and in the end people hear of it."""

import json
import logging

import httpx
import pytest

from services.referrals.app.exchange_settling import TOLD
from services.referrals.domain.exchange_pace import Trouble
from services.referrals.partners.client import PartnerClient, Reach, open_client
from services.referrals.partners.known import Partner
from services.referrals.partners.trouble import MOST, PartnerTrouble
from services.referrals.store import exchanges
from tests.factories.engine import FixedVerifier
from tests.factories.partner import Answer, Asked, Elsewhere
from tests.factories.referrals import REQUESTER, business, reference, task
from tests.integration.referrals.asking import put, send, told
from tests.integration.referrals.exchange.conftest import Exchanging

OK = {"content-type": "application/fhir+json"}
TASK = {"resourceType": "Task", "id": "x1", "meta": {"versionId": "7"}, "status": "accepted", "intent": "order"}


def answering(elsewhere: Elsewhere, status: int, body: bytes, **headers: str) -> None:
    async def answer(asked: Asked) -> Answer | None:
        return status, body, OK | headers

    elsewhere.instead = answer


def odd(**elements: object) -> bytes:
    return json.dumps(TASK | elements).encode()


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"<html>", Trouble.NOT_FHIR),
        (200, b"[1]", Trouble.NOT_FHIR),
        (200, b"", Trouble.NOT_FHIR),
        (200, b"\xff\xfe", Trouble.NOT_FHIR),
        (200, b"[" * 100_000, Trouble.NOT_FHIR),
        (200, b'{"a":' * 900 + b"1" + b"}" * 900, Trouble.NOT_FHIR),
        (200, b" " * (MOST + 1), Trouble.TOO_LARGE),
        (200, odd(resourceType="Patient"), Trouble.NOT_FHIR),
        (200, odd(id="../../x"), Trouble.NOT_FHIR),
        (200, odd(meta=None), Trouble.NOT_FHIR),
        (200, odd(meta={"versionId": 7}), Trouble.NOT_FHIR),
        (200, odd(status=["accepted"]), Trouble.NOT_FHIR),
        (200, odd(status="nonsense"), Trouble.NOT_VALID),
        (200, odd(businessStatus=business("9.9")), Trouble.NOT_FHIR),
        (200, odd(output="none"), Trouble.NOT_VALID),
        (200, odd(output=[{"valueReference": {"reference": ["x"]}}]), Trouble.NOT_VALID),
        (200, odd(note=[None]), Trouble.NOT_VALID),
        (200, odd(statusReason=[]), Trouble.NOT_VALID),
        (302, b"", Trouble.REDIRECT),
        (304, b"", Trouble.REDIRECT),
        (401, b"", Trouble.CREDENTIALS),
        (403, b"", Trouble.CREDENTIALS),
        (404, b"", Trouble.GONE),
        (410, b"", Trouble.GONE),
        (429, b"", Trouble.HTTP_STATUS),
        (500, b"secret of Mrs. Doe", Trouble.HTTP_STATUS),
    ],
)
async def test_an_odd_answer_is_a_code_and_changes_nothing(
    client: httpx.AsyncClient,
    verifier: FixedVerifier,
    exchanging: Exchanging,
    elsewhere: Elsewhere,
    caplog: pytest.LogCaptureFixture,
    status: int,
    body: bytes,
    code: Trouble,
) -> None:
    await send(client, verifier)
    await exchanging.round()
    answering(elsewhere, status, body, location="https://evil.example/")
    with caplog.at_level(logging.DEBUG):
        assert await exchanging.after(hours=1) == 1
    row = await exchanging.row()
    assert (row.trouble, row.failures, row.state) == (code, 1, "going-on")
    assert (await client.get("Task/t1")).json()["meta"]["versionId"] == "1"
    said = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("services"))
    assert code.value in said
    assert not any(text in said for text in ("Doe", "t1", "x1", exchanging.address))
    elsewhere.instead = None
    elsewhere.change("Task/x1", status="accepted", businessStatus=business("3.0"))
    await exchanging.after(hours=2)
    row = await exchanging.row()
    assert (row.trouble, row.failures, row.agreed) == (None, 0, "accepted 3.0")


async def test_what_fails_for_too_long_is_given_up_aloud_and_tried_again_when_the_task_changes(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    before = TOLD._values["exchange-given-up",]
    await send(client, verifier)
    answering(elsewhere, 503, b"")
    await exchanging.round()
    rounds = 1
    while (await exchanging.row()).state == "waiting":
        await exchanging.after(hours=2)
        rounds += 1
    assert rounds == 13
    assert (await told(exchanging.engine)).count(("referral-exchange.given-up.v1", "Task/t1")) == 1
    assert TOLD._values["exchange-given-up",] == before + 1
    assert await exchanging.after(days=30) == 0
    elsewhere.instead = None
    verifier.caller = REQUESTER
    again = task("received", "2.0", owner=reference("PractitionerRole/r-b"), statusReason=None, priority="urgent")
    assert (await put(client, again, 1)).status_code == 200
    await exchanging.round()
    assert [each["priority"] for each in elsewhere.all("Task")] == ["urgent"]


async def test_what_is_refused_before_it_was_stored_is_given_up_at_once(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    await send(client, verifier)
    answering(elsewhere, 422, b"")
    await exchanging.round()
    row = await exchanging.row()
    assert (row.state, row.trouble) == ("given-up", "refused")


async def test_a_change_while_a_visit_is_under_way_is_due_afterwards(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    await send(client, verifier)
    await exchanging.round()
    elsewhere.change("Task/x1", status="accepted", businessStatus=business("3.0"))

    async def meanwhile(asked: Asked) -> Answer | None:
        elsewhere.instead = None
        verifier.caller = REQUESTER
        changed = task("received", "2.0", owner=reference("PractitionerRole/r-b"), priority="asap")
        assert (await put(client, changed, 1)).status_code == 200
        return None

    elsewhere.instead = meanwhile
    await exchanging.after(hours=1)
    assert (await exchanging.row()).agreed == "received 2.0"
    assert await exchanging.round() == 1
    assert (await exchanging.row()).agreed == "accepted 3.0"
    assert elsewhere.stored["Task/x1"]["priority"] == "asap"
    [row] = await exchanges.of(exchanging.engine.pool, ["t1"])
    assert row.version == row.looked == 3


async def asked_with(partner: Partner, reach: Reach, address: str) -> Trouble:
    async with open_client({address: partner}, reach) as client:
        return await _refused(client, address)


async def _refused(client: PartnerClient, address: str) -> Trouble:
    with pytest.raises(PartnerTrouble) as caught:
        await client.read(address, "Task/x1")
    return caught.value.code


async def test_private_addresses_and_plain_http_are_not_asked_unless_that_is_allowed(
    exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    address = exchanging.address
    assert await asked_with(Partner(), Reach(allow_http=True), address) is Trouble.EGRESS
    assert await asked_with(Partner(), Reach(allow_private=True), address) is Trouble.EGRESS
    assert await asked_with(Partner(), Reach(), "https://localhost/fhir") is Trouble.EGRESS
    assert elsewhere.asked == []


async def test_what_the_other_sides_rules_are_against_is_a_refusal_and_not_tried_in_a_circle(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    await send(client, verifier)
    await exchanging.round()

    async def against_it(asked: Asked) -> Answer | None:
        return (409, b"", {}) if asked.method == "PUT" else None

    elsewhere.instead = against_it
    elsewhere.asked.clear()
    verifier.caller = REQUESTER
    wanted = task("in-progress", "5.2", owner=reference("PractitionerRole/r-b"))
    assert (await put(client, wanted, 1)).status_code == 200
    await exchanging.round()
    assert [each.method for each in elsewhere.asked] == ["GET", "PUT", "GET"]
    assert (await exchanging.row()).trouble == "refused"


async def test_an_order_that_arrived_without_its_task_is_revoked_when_the_referral_is_taken_back(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    async def no_tasks(asked: Asked) -> Answer | None:
        return (503, b"", {}) if asked.path == "/fhir/Task" else None

    elsewhere.instead = no_tasks
    asked = task("requested", statusReason=None)
    verifier.caller = REQUESTER
    assert (await put(client, asked)).status_code == 201
    await exchanging.round()
    assert [each["status"] for each in elsewhere.all("ServiceRequest")] == ["active"]
    assert (await put(client, asked | {"status": "cancelled", "statusReason": {"text": "No."}}, 1)).status_code == 200
    await exchanging.round()
    assert [each["status"] for each in elsewhere.all("ServiceRequest")] == ["revoked"]
    for _ in range(4):
        await exchanging.after(days=10)
    assert ((await exchanging.row()).state, elsewhere.all("Task")) == ("ended", [])
