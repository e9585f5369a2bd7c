"""Referrals that other systems post here: as SDOH-CC and BSeR have them, with people named by identifiers."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.factories.engine import FixedVerifier
from tests.factories.referrals import BACK_END, OWNER, STRANGER, business, order, reference, task
from tests.integration.referrals.asking import furnish, put

Resource = dict[str, Any]
NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}
PATIENT = {"type": "Patient", "identifier": {"system": "urn:oid:1.2.3", "value": "p-17"}}
PLACED = {"system": "https://source.example/fhir/Task", "value": "t-17"}
CONTAINED = {"resourceType": "Patient", "id": "patient", "name": [{"family": "Doe"}], "birthDate": "1970-01-01"}
SDOH = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-TaskForReferralManagement"
BSER = "http://hl7.org/fhir/us/bser/StructureDefinition/referral-task"


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)
    known = {"resourceType": "Organization", "id": "mind-centre", "name": "mind-centre", "identifier": [NPI]}
    assert (await put(client, known)).status_code == 200


async def post(client: httpx.AsyncClient, resource: Resource, identifier: Resource | None = None) -> httpx.Response:
    sent = {key: value for key, value in resource.items() if key != "id"}
    headers = {"Prefer": "return=representation"}
    if identifier is not None:
        sent["identifier"] = [identifier]
        headers["If-None-Exist"] = f"identifier={identifier['system']}|{identifier['value']}"
    return await client.post(sent["resourceType"], json=sent, headers=headers)


async def sent(client: httpx.AsyncClient, asked: Resource, **ordered: Any) -> Resource:
    """Order and Task, posted by a back end; the Task as it is stored."""
    placed = await post(client, order(**({"subject": asked["for"]} | ordered)))
    assert placed.status_code == 201, placed.text
    answer = await post(client, asked | {"focus": reference(f"ServiceRequest/{placed.json()['id']}")}, PLACED)
    assert answer.status_code == 201, answer.text
    stored: Resource = answer.json()
    return stored


async def answered(client: httpx.AsyncClient, stored: Resource, status: str, bser: str | None = None) -> httpx.Response:
    changed = stored | {"status": status, "owner": reference("Organization/mind-centre")}
    if status == "rejected":
        changed["statusReason"] = {"text": "No capacity."}
    if bser is not None:
        changed["businessStatus"] = business(bser)
    return await put(client, changed, int(stored["meta"]["versionId"]))


async def test_an_sdoh_cc_task_without_an_owner_is_accepted_by_whoever_takes_it(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    asked = task("requested", owner=None, statusReason=None, meta={"profile": [SDOH]}) | {"for": PATIENT}
    stored = await sent(client, asked)
    verifier.caller = OWNER
    taken = await answered(client, stored, "accepted")
    assert taken.status_code == 200, taken.text
    assert taken.json()["for"] == PATIENT


async def test_a_bser_task_with_a_contained_patient_is_accepted(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    asked = task("received", "2.0", statusReason=None, meta={"profile": [BSER]}, contained=[CONTAINED])
    stored = await sent(client, asked | {"for": reference("#patient")}, contained=[CONTAINED])
    verifier.caller = OWNER
    taken = await answered(client, stored, "accepted", "3.0")
    assert taken.status_code == 200, taken.text


@pytest.mark.parametrize("status", ["accepted", "rejected"])
async def test_an_owner_named_by_identifier_is_whoever_bears_it_here(
    client: httpx.AsyncClient, verifier: FixedVerifier, status: str
) -> None:
    stored = await sent(client, task("requested", statusReason=None, owner={"identifier": NPI}) | {"for": PATIENT})
    verifier.caller = OWNER
    taken = await answered(client, stored, status)
    assert taken.status_code == 200, taken.text
    assert taken.json()["owner"]["reference"] == "Organization/mind-centre"


async def test_nobody_else_takes_what_was_meant_for_a_bearer_of_the_identifier(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    stored = await sent(client, task("requested", statusReason=None, owner={"identifier": NPI}) | {"for": PATIENT})
    verifier.caller = STRANGER
    own = stored | {"status": "accepted", "owner": reference("Organization/elsewhere") | {"identifier": NPI}}
    assert (await put(client, own, 1)).status_code == 403
    named = {"resourceType": "Organization", "id": "elsewhere", "name": "elsewhere", "identifier": [NPI]}
    assert (await put(client, named)).status_code == 403


async def test_the_same_task_posted_again_and_at_once_is_one(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    verifier.caller = BACK_END
    asked = task("requested", statusReason=None)
    answers = await asyncio.gather(*(post(client, asked, PLACED) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_references_to_what_the_sender_holds_are_kept_as_their_urls(client: httpx.AsyncClient) -> None:
    theirs = {
        element: reference(f"https://source.example/fhir/{held}")
        for element, held in (
            ("focus", "ServiceRequest/food"),
            ("for", "Patient/pat-53234"),
            ("requester", "PractitionerRole/jan-water"),
            ("owner", "Organization/platform"),
        )
    }
    answer = await post(client, task("accepted", statusReason=None, meta={"profile": [SDOH]}) | theirs, PLACED)
    assert answer.status_code == 201, answer.text
    assert {element: answer.json()[element] for element in theirs} == theirs
