"""A referral to somebody who is reached at another system goes there, once, and no more of it than needed."""

import asyncio
from typing import Any

import httpx
import pytest

from services.referrals.app.exchange import take_due, visit_other_side
from services.referrals.store.exchanges import LEASE
from tests.factories.engine import FixedVerifier
from tests.factories.partner import Answer, Asked, Elsewhere
from tests.factories.referrals import BACK_END, REQUESTER, order, practitioner_role, reference, task
from tests.integration.referrals.asking import put, send, told
from tests.integration.referrals.exchange.conftest import BASE, Exchanging, endpoint, reached


def placer(type_: str, id: str) -> dict[str, Any]:
    return {"system": f"{BASE}/{type_}", "value": id}


async def test_order_and_task_are_created_there_with_our_identifiers(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    await send(client, verifier, note=[{"text": "Seen by me alone."}], description="Back pain")
    assert await exchanging.round() == 1
    (placed,), (asked,) = elsewhere.all("ServiceRequest"), elsewhere.all("Task")
    assert placed["identifier"][0].items() >= placer("ServiceRequest", "o1").items()
    assert asked["identifier"][0].items() >= placer("Task", "t1").items()
    assert asked["focus"] == reference(f"ServiceRequest/{placed['id']}")
    assert asked["for"] == placed["subject"] == {"type": "Patient", "identifier": asked["for"]["identifier"]}
    assert asked["for"]["identifier"].items() >= placer("Patient", "p1").items()
    assert (asked["status"], asked["businessStatus"]["coding"][0]["code"]) == ("received", "2.0")
    assert "note" not in asked
    assert {each.headers.get("if-none-exist", "").partition("=")[0] for each in elsewhere.asked} == {"identifier"}
    row = await exchanging.row()
    assert (row.state, row.remote_task, row.trouble) == ("going-on", f"Task/{asked['id']}", None)


async def test_nothing_goes_out_for_whoever_is_not_reached_elsewhere(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging
) -> None:
    await send(client, verifier, owner=reference("Organization/elsewhere"))
    assert (await put(client, task("draft", id="t2", statusReason=None))).status_code == 201
    assert await exchanging.round() == 0


async def test_a_draft_goes_out_when_it_is_sent_and_a_role_is_reached_where_its_organization_is(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    verifier.caller = REQUESTER
    drafted = task("draft", statusReason=None, owner=reference("PractitionerRole/r-b"))
    assert (await put(client, drafted)).status_code == 201
    assert (await put(client, drafted | {"status": "requested"}, 1)).status_code == 200
    assert await exchanging.round() == 1
    assert [each["status"] for each in elsewhere.all("Task")] == ["requested"]


async def test_a_worker_that_is_lost_after_they_stored_it_leaves_no_twin(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    await send(client, verifier)
    stored, never = asyncio.Event(), asyncio.Event()

    async def hang(asked: Asked) -> Answer | None:
        if asked.path != "/fhir/Task":
            return None
        answer = elsewhere.answer(asked)
        stored.set()
        await never.wait()
        return answer

    elsewhere.instead = hang
    (held,) = await take_due(exchanging.engine, limit=5)
    lost = asyncio.create_task(visit_other_side(exchanging.engine, held, exchanging.client, BASE, exchanging.pace))
    await asyncio.wait_for(stored.wait(), 10)
    lost.cancel()
    await asyncio.wait([lost])
    elsewhere.instead = None
    assert await exchanging.round() == 0
    assert await exchanging.after(seconds=LEASE.total_seconds() + 1) == 1
    assert (len(elsewhere.all("Task")), len(elsewhere.all("ServiceRequest"))) == (1, 1)
    assert (await exchanging.row()).state == "going-on"
    never.set()


async def test_of_two_visits_of_one_referral_the_one_that_lost_its_lease_writes_nothing(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging
) -> None:
    await send(client, verifier)
    (held,) = await take_due(exchanging.engine, limit=5)
    await exchanging.after(seconds=LEASE.total_seconds() + 1)
    before = await exchanging.row()
    await visit_other_side(exchanging.engine, held, exchanging.client, BASE, exchanging.pace)
    assert await exchanging.row() == before


async def test_what_was_taken_back_before_anybody_saw_it_is_not_sent(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    await send(client, verifier)
    asked = task("requested", id="t2", statusReason=None)
    assert (await put(client, asked)).status_code == 201
    assert (await put(client, asked | {"status": "cancelled", "statusReason": {"text": "No."}}, 1)).status_code == 200
    await exchanging.round()
    assert len(elsewhere.all("Task")) == 1
    assert (await exchanging.row("t2")).state == "ended"


async def test_somebody_else_being_asked_takes_it_back_there(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    await send(client, verifier)
    await exchanging.round()
    verifier.caller = REQUESTER
    rerouted = task("received", "2.0", owner=reference("Organization/elsewhere"), statusReason=None)
    assert (await put(client, rerouted, 1)).status_code == 200
    assert await exchanging.round() == 1
    (there,) = elsewhere.all("Task")
    assert (there["status"], there["businessStatus"]["coding"][0]["code"]) == ("in-progress", "5.2")
    assert (await exchanging.row()).state == "ended"


async def test_a_task_that_is_deleted_here_was_a_mistake_there(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    await send(client, verifier)
    await exchanging.round()
    verifier.caller = BACK_END
    assert (await client.delete("Task/t1")).status_code == 204
    assert await exchanging.round() == 1
    assert [each["status"] for each in elsewhere.all("Task")] == ["entered-in-error"]


async def test_an_address_that_is_no_partners_gets_nothing_and_people_hear_of_it(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    verifier.caller = BACK_END
    for resource in (endpoint(f"{exchanging.address}/other", "other"), reached("elsewhere", "other")):
        assert (await put(client, resource)).status_code in (200, 201)
    await send(client, verifier, owner=reference("Organization/elsewhere"))
    await exchanging.round()
    assert elsewhere.asked == []
    row = await exchanging.row()
    assert (row.state, row.trouble) == ("given-up", "partner-unknown")
    assert ("referral-exchange.given-up.v1", "Task/t1") in await told(exchanging.engine)
    moments = (await client.get("http://test/api/referrals/t1/timeline")).json()["moments"]
    assert [(each["what"], each["reason"]) for each in moments][-1] == ("exchange-given-up", "partner-unknown")


async def test_a_changed_order_is_changed_there(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, elsewhere: Elsewhere
) -> None:
    await send(client, verifier)
    await exchanging.round()
    verifier.caller = REQUESTER
    assert (await put(client, order(priority="urgent"), 1)).status_code == 200
    await exchanging.after(minutes=1)
    assert [each["priority"] for each in elsewhere.all("ServiceRequest")] == ["urgent"]


@pytest.mark.parametrize("first", ["role", "organization"])
async def test_an_endpoint_of_the_owners_own_counts_before_that_of_the_organization(
    client: httpx.AsyncClient, verifier: FixedVerifier, exchanging: Exchanging, first: str
) -> None:
    verifier.caller = BACK_END
    assert (await put(client, endpoint("https://own.example/fhir", "own"))).status_code == 201
    role = practitioner_role("r-b", "Practitioner/moss", "Organization/mind-centre")
    if first == "role":
        role["endpoint"] = [reference("Endpoint/own")]
    assert (await put(client, role)).status_code == 200
    await send(client, verifier)
    assert (await exchanging.row()).endpoint == ("Endpoint/own" if first == "role" else "Endpoint/there")
