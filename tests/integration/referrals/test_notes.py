"""``/api/referrals/[id]/notes``: added by who takes part, in any state, without a version that was seen."""

import asyncio

import httpx
import pytest

from services.referrals.domain.notes import MOST_NOTES
from shared.engine import Engine
from shared.security.caller import Caller, Role
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
from tests.integration.referrals.asking import API, furnish, put, send, told

URL = f"{API}/t1/notes"


@pytest.fixture(autouse=True)
async def sent(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)
    await send(client, verifier)


async def say(client: httpx.AsyncClient, text: str = "We will call.", **headers: str) -> httpx.Response:
    return await client.post(URL, json={"text": text}, headers={k.replace("_", "-"): v for k, v in headers.items()})


async def test_a_note_is_added_with_its_author_and_time(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    for version, caller in enumerate((REQUESTER, OWNER, COORDINATOR), start=2):
        verifier.caller = caller
        answer = await say(client, f"Word of {caller.subject}.")
        assert (answer.status_code, answer.headers["etag"]) == (201, f'W/"{version}"'), answer.text
    answer = await client.get(URL)
    assert (answer.headers["etag"], answer.json()["task"], answer.json()["version"]) == ('W/"4"', "Task/t1", 4)
    notes = answer.json()["notes"]
    assert [(note["author"], note["text"]) for note in notes] == [
        ("Practitioner/lind", "Word of dr-lind."),
        ("Practitioner/moss", "Word of dr-moss."),
        ("Practitioner/co", "Word of co."),
    ]
    stored = (await client.get("Task/t1")).json()
    assert [note["time"] for note in notes] == [note["time"] for note in stored["note"]]
    assert all(note["time"].endswith("Z") for note in notes)
    assert [type_ for type_, _ in await told(engine)] == ["referral.requested.v1", *3 * ["referral.updated.v1"]]
    moments = (await client.get(f"{API}/t1/timeline")).json()["moments"]
    assert [(moment["what"], moment["who"]) for moment in moments][1:] == [
        *(("updated", who) for who in ("Practitioner/lind", "Practitioner/moss", "Practitioner/co"))
    ]


@pytest.mark.parametrize(
    ("caller", "author"),
    [
        (Caller("desk-3", Role.COORDINATOR), "desk-3"),
        (Caller("urn/a:b/c", Role.COORDINATOR), "urn/a:b/c"),
        (Caller("x", Role.COORDINATOR, None, "Practitioner/new", "Organization/elsewhere"), "Practitioner/new"),
        (Caller("x", Role.COORDINATOR, None, "PractitionerRole/r-b"), "PractitionerRole/r-b"),
        (Caller("x", Role.COORDINATOR, None, None, "Organization/elsewhere"), "Organization/elsewhere"),
    ],
)
async def test_who_is_in_no_directory_is_named_all_the_same(
    client: httpx.AsyncClient, verifier: FixedVerifier, caller: Caller, author: str
) -> None:
    verifier.caller = caller
    answer = await say(client)
    assert answer.status_code == 201, answer.text
    assert [note["author"] for note in answer.json()["notes"]] == [author]


async def test_a_comment_by_who_is_in_no_directory_is_taken(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = Caller("dr-new", Role.CLINICIAN, None, "Practitioner/new", "Organization/mind-centre")
    headers = {"If-Match": 'W/"1"'}
    answer = await client.post(f"{API}/t1/actions/accept", json={"comment": "We will call."}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert (await client.get(URL)).json()["notes"][0]["author"] == "Practitioner/new"


@pytest.mark.parametrize("caller", [STRANGER, PATIENT])
async def test_who_takes_no_part_adds_nothing(
    client: httpx.AsyncClient, verifier: FixedVerifier, caller: Caller
) -> None:
    verifier.caller = caller
    assert (await say(client)).status_code == 403
    answer = await client.get(URL)
    assert (answer.status_code, answer.json()["notes"]) == (200, [])


async def test_to_whom_it_is_only_offered_adds_nothing(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = REQUESTER
    recipient = {"recipient": [reference("Organization/elsewhere"), reference("Organization/mind-centre")]}
    assert (await put(client, task(id="t2", owner=None, restriction=recipient))).status_code == 201
    verifier.caller = STRANGER
    answer = await client.post(f"{API}/t2/notes", json={"text": "Hello."})
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "The caller is neither requester nor owner of this referral.",
    )


async def test_a_patient_sees_the_notes_of_their_referral_and_of_no_other(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    assert (await say(client)).status_code == 201
    verifier.caller = BACK_END
    await put(client, order(id="o3", subject=reference("Patient/p2")))
    await send(client, verifier, id="other", focus=reference("ServiceRequest/o3"), **{"for": reference("Patient/p2")})
    verifier.caller = PATIENT
    assert len((await client.get(URL)).json()["notes"]) == 1
    for answer in (
        await client.get(f"{API}/other/notes"),
        await client.post(f"{API}/other/notes", json={"text": "x"}),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize("status", ["rejected", "cancelled", "failed", "completed", "entered-in-error"])
async def test_a_referral_that_has_ended_takes_notes_and_stays_as_it_ended(
    client: httpx.AsyncClient, verifier: FixedVerifier, status: str
) -> None:
    verifier.caller = BACK_END
    assert (await put(client, task(status, id="t2"))).status_code == 201
    verifier.caller = REQUESTER
    answer = await client.post(f"{API}/t2/notes", json={"text": "The family doctor knows."})
    assert answer.status_code == 201, answer.text
    after = (await client.get(f"{API}/t2")).json()["referral"]
    assert (after["status"], after["version"]) == (status, 2)


@pytest.mark.parametrize("state", [("in-progress", "5.1"), ("in-progress", "5.1.1"), ("in-progress", "5.1.4")])
async def test_a_note_is_no_visit(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine, state: tuple[str, str]
) -> None:
    verifier.caller = BACK_END
    await put(client, task(*state, id="t2"))
    verifier.caller = OWNER
    assert (await client.post(f"{API}/t2/notes", json={"text": "x"})).status_code == 201
    assert (await told(engine))[-1] == ("referral.updated.v1", "Task/t2")


async def test_notes_of_many_at_once_are_all_there(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = COORDINATOR
    answers = await asyncio.gather(*(say(client, f"Word {number}.") for number in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    notes = (await client.get(URL)).json()["notes"]
    assert {note["text"] for note in notes} == {f"Word {number}." for number in range(10)}


async def test_if_match_is_not_asked_for_and_counts_where_it_is_sent(client: httpx.AsyncClient) -> None:
    assert (await say(client, If_Match='W/"9"')).status_code == 412
    assert (await say(client, If_Match="9")).status_code == 400
    assert (await say(client, If_Match='W/"1"')).status_code == 201
    assert (await say(client)).status_code == 201


async def test_a_note_that_comes_again_is_there_once(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(say(client, Idempotency_Key="n-1") for _ in range(12)))
    assert [answer.status_code for answer in answers] == 12 * [201]
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 11
    assert (await say(client, "Another.", Idempotency_Key="n-1")).status_code == 422
    await say(client, "One more.")
    again = await say(client, Idempotency_Key="n-1")
    assert (again.status_code, again.headers["etag"], len(again.json()["notes"])) == (201, 'W/"3"', 2)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "body.text"),
        ({"text": None}, "body.text"),
        ({"text": ""}, "body.text"),
        ({"text": " \n "}, "body.text"),
        ({"text": 2001 * "x"}, "body.text"),
        ({"text": "x", "author": "Practitioner/lind"}, "body"),
        ({"text": "a\x00"}, "Task.note[0].text"),
    ],
)
async def test_what_is_no_note_is_refused(client: httpx.AsyncClient, body: dict[str, object], where: str) -> None:
    answer = await client.post(URL, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["issues"][0]["expression"] == [where]
    assert (await client.get("Task/t1")).json()["meta"]["versionId"] == "1"


async def test_there_are_not_too_many_notes(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = BACK_END
    full = task("requested", id="t2", note=[{"text": "x"} for _ in range(MOST_NOTES - 1)])
    assert (await put(client, full)).status_code == 201
    assert (await client.post(f"{API}/t2/notes", json={"text": "x"})).status_code == 201
    answer = await client.post(f"{API}/t2/notes", json={"text": "x"})
    assert (answer.status_code, answer.json()["issues"][0]["expression"]) == (409, ["Task.note"])


async def test_notes_of_what_is_no_referral_are_not_found(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    verifier.caller = BACK_END
    await put(client, task("draft", id="call", code={"text": "call back"}))
    for id_ in ("call", "absent"):
        assert (await client.get(f"{API}/{id_}/notes")).status_code == 404
        assert (await client.post(f"{API}/{id_}/notes", json={"text": "x"})).status_code == 404
    await client.delete("Task/call")
    assert (await client.post(f"{API}/call/notes", json={"text": "x"})).status_code == 410
