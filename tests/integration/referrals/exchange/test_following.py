"""What the other side does is followed here by legal steps, in the owner's name; what cannot be, everybody sees."""

from typing import Any

import httpx
import pytest

from services.referrals.domain.exchange_news import MARK
from shared.fhir.json import loads
from shared.store import resources
from tests.factories.engine import FixedVerifier
from tests.factories.partner import Answer, Asked, Elsewhere
from tests.factories.referrals import BACK_END, REQUESTER, business, order, reference, task
from tests.integration.referrals.asking import put, send, told
from tests.integration.referrals.exchange.conftest import Exchanging

HOUR = 3600
REPORT = {"type": {"text": "Report"}, "valueReference": {"reference": "DocumentReference/d1"}}


@pytest.fixture
async def sent(client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging) -> Exchanging:
    """A referral that the other side has."""
    await send(client, verifier)
    await exchanging.round()
    return exchanging


async def here(exchanging: Exchanging) -> dict[str, Any]:
    stored = await resources.read(exchanging.engine.pool, "Task", "t1")
    assert stored is not None
    found: dict[str, Any] = loads(stored.body)
    return found


async def happened(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    moments = (await client.get("http://test/api/referrals/t1/timeline")).json()["moments"]
    return [(each["what"], each["who"]) for each in moments]


async def test_a_remote_task_that_jumped_ahead_is_followed_step_by_step_by_its_owner(
    client: httpx.AsyncClient, sent: Exchanging, elsewhere: Elsewhere
) -> None:
    elsewhere.change("Task/x1", status="completed", businessStatus=business("7.0"), output=[REPORT])
    await sent.after(seconds=HOUR)
    task = await here(sent)
    assert (task["status"], task["output"][0]["valueReference"]["reference"]) == (
        "completed",
        f"{sent.address}/DocumentReference/d1",
    )
    owner = "Practitioner/moss"
    assert (await happened(client))[1:] == [("accepted", owner), ("completed", owner)]
    assert (await client.get("ServiceRequest/o1")).json()["status"] == "completed"


async def test_what_is_the_requesters_is_never_taken_over(sent: Exchanging, elsewhere: Elsewhere) -> None:
    before = await here(sent)
    elsewhere.change(
        "Task/x1",
        status="accepted",
        businessStatus=business("3.0"),
        description="Something else",
        requester=reference("Organization/other"),
        owner=reference("Organization/other"),
        priority="stat",
        note=[{"text": "We call the patient."}],
    )
    elsewhere.stored["Task/x1"]["for"] = reference("Patient/other")
    await sent.after(seconds=HOUR)
    after = await here(sent)
    assert (after["status"], after["note"]) == ("accepted", [{"text": "We call the patient."}])
    for element in ("description", "requester", "owner", "for", "priority"):
        assert after.get(element) == before.get(element)


async def test_a_poll_that_finds_nothing_new_reads_no_body_and_comes_less_often(
    sent: Exchanging, elsewhere: Elsewhere
) -> None:
    await sent.after(seconds=HOUR)
    elsewhere.asked.clear()
    for _ in range(3):
        before = await sent.row()
        await sent.after(seconds=HOUR)
        after = await sent.row()
        assert after.looks == before.looks + 1
    assert [(each.method, each.headers["if-none-match"]) for each in elsewhere.asked] == [("GET", 'W/"1"')] * 3


async def test_an_order_that_is_revoked_here_asks_for_cancellation_there(
    client: httpx.AsyncClient, verifier: FixedVerifier, sent: Exchanging, elsewhere: Elsewhere
) -> None:
    verifier.caller = REQUESTER
    assert (await put(client, order(status="revoked"), 1)).status_code == 200
    await sent.round()
    there = elsewhere.stored["Task/x1"]
    assert (there["status"], there["statusReason"]) == ("in-progress", {"text": "The order was revoked."})
    elsewhere.change("Task/x1", status="cancelled", businessStatus=business("6.0"))
    await sent.after(seconds=HOUR)
    assert (await here(sent))["status"] == "cancelled"
    assert await conflicts(sent) == 0


async def conflicts(exchanging: Exchanging) -> int:
    return (await told(exchanging.engine)).count(("referral-exchange.conflict.v1", "Task/t1"))


async def test_a_cancellation_that_meets_a_completed_task_is_a_conflict_that_everybody_sees(
    client: httpx.AsyncClient, verifier: FixedVerifier, sent: Exchanging, elsewhere: Elsewhere
) -> None:
    elsewhere.change("Task/x1", status="rejected", businessStatus=business("4.0"), statusReason={"text": "Full."})
    verifier.caller = REQUESTER
    wanted = task("in-progress", "5.2", owner=reference("PractitionerRole/r-b"))
    assert (await put(client, wanted, 1)).status_code == 200
    await sent.round()
    task_here = await here(sent)
    assert (task_here["status"], task_here["statusReason"]) == ("rejected", {"text": "Full."})
    assert MARK in task_here["meta"]["tag"]
    assert await conflicts(sent) == 1
    assert ("exchange-conflict", "consilium:exchange") in await happened(client)
    assert elsewhere.stored["Task/x1"]["status"] == "rejected"


async def test_nobody_but_the_exchange_takes_the_word_of_another_system(
    client: httpx.AsyncClient, verifier: FixedVerifier, sent: Exchanging
) -> None:
    verifier.caller = BACK_END
    marked = task("rejected", "5.2", owner=reference("PractitionerRole/r-b"), meta={"tag": [MARK]})
    assert (await put(client, marked, 1)).status_code == 409


async def test_both_sides_moving_at_once_lose_nothing(
    client: httpx.AsyncClient, verifier: FixedVerifier, sent: Exchanging, elsewhere: Elsewhere
) -> None:
    """They accept between our read and our write: If-Match fails, and the cancellation is asked of what it is now."""

    async def accepts(asked: Asked) -> Answer | None:
        if asked.method == "PUT":
            elsewhere.instead = None
            elsewhere.change("Task/x1", status="accepted", businessStatus=business("3.0"))
        return None

    elsewhere.instead = accepts
    verifier.caller = REQUESTER
    wanted = task("in-progress", "5.2", owner=reference("PractitionerRole/r-b"))
    assert (await put(client, wanted, 1)).status_code == 200
    await sent.round()
    there = elsewhere.stored["Task/x1"]
    assert (there["status"], there["businessStatus"]["coding"][0]["code"]) == ("in-progress", "5.2")
    assert there["meta"]["versionId"] == "3"
    assert (await here(sent))["status"] == "in-progress"
    assert await conflicts(sent) == 0


async def test_what_is_written_down_here_before_they_say_it_waits_for_them(
    client: httpx.AsyncClient, verifier: FixedVerifier, sent: Exchanging, elsewhere: Elsewhere
) -> None:
    verifier.caller = BACK_END
    heard = task("accepted", "3.0", owner=reference("PractitionerRole/r-b"), statusReason=None)
    assert (await put(client, heard, 1)).status_code == 200
    await sent.round()
    assert (await sent.row()).trouble == "ahead-of-the-other-side"
    assert (await here(sent))["status"] == "accepted"
    elsewhere.change("Task/x1", status="accepted", businessStatus=business("3.0"))
    await sent.after(seconds=HOUR)
    row = await sent.row()
    assert (row.trouble, row.agreed) == (None, "accepted 3.0")


async def test_a_correction_after_the_end_is_still_heard(
    client: httpx.AsyncClient, sent: Exchanging, elsewhere: Elsewhere
) -> None:
    elsewhere.change("Task/x1", status="completed", businessStatus=business("7.0"))
    await sent.after(seconds=HOUR)
    elsewhere.change("Task/x1", output=[REPORT])
    await sent.after(hours=2)
    assert (await here(sent))["output"][0]["type"] == {"text": "Report"}
    for _ in range(4):
        await sent.after(days=10)
    assert (await sent.row()).next_at is None
