"""Duplicates and ways back to the sender, by ``POST /api/referrals/check``."""

import httpx
import pytest

from tests.factories.directory import service
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import (
    COORDINATOR,
    OWNER,
    REQUESTER,
    concept,
    order,
    practitioner_role,
    reference,
    task,
)
from tests.integration.referrals.asking import furnish, put, send
from tests.integration.referrals.matching import CLINIC, asked, store


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def test_duplicates_are_shown_with_what_is_the_same(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    reason = [concept("http://hl7.org/fhir/sid/icd-10-cm", "F45.41")]
    psychiatrist = concept("http://snomed.info/sct", "308477009")
    await store(
        client,
        verifier,
        order(id="o1", reasonCode=reason),
        order(id="o2", reasonCode=reason, code=psychiatrist),
        order(id="o3", reasonCode=[concept("urn:x", "y")]),
        order(id="o4", subject=reference("Patient/p2")),
    )
    for number in (1, 2, 3):
        await send(client, verifier, id=f"t{number}", focus=reference(f"ServiceRequest/o{number}"))
    await send(client, verifier, id="t4", focus=reference("ServiceRequest/o4"), **{"for": reference("Patient/p2")})
    verifier.caller = COORDINATOR
    found = await asked(client, "check", referral="t1")
    assert [(each["task"], each["same"], each["reason"], each["open"]) for each in found["duplicates"]] == [
        ("Task/t2", "discipline", "same", True)
    ]
    assert (await asked(client, referral="t1"))["warnings"] == found
    code = {"system": "urn:x", "code": "y"}
    described = await asked(client, "check", patient="Patient/p1", specialties=["psychology"], reasons=[code])
    assert [each["task"] for each in described["duplicates"]] == ["Task/t3"]
    vague = await asked(client, "check", patient="Patient/p1", specialties=["psychology"])
    assert {each["task"]: each["reason"] for each in vague["duplicates"]} == dict.fromkeys(
        ("Task/t1", "Task/t2", "Task/t3"), "unknown"
    )
    assert (await asked(client, "check", specialties=["psychology"]))["duplicates"] == []


async def test_a_way_back_to_the_sender_is_shown_and_excludes_nobody(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    works_here = practitioner_role("r-a", "Practitioner/lind", "Organization/pain-clinic")
    await store(client, verifier, works_here, service("back", providedBy=CLINIC), service("on"))
    await send(client, verifier)
    verifier.caller = COORDINATOR
    # moss, who was sent it, passes it on: to whom it came from, or to another
    found = await asked(client, specialties=["psychology"], part_of="t1", owner="Practitioner/lind")
    assert found["warnings"]["loops"] == [{"sender": "Practitioner/lind", "through": "Task/t1", "tie": "same"}]
    by_name = {each["service"]["reference"]: each["loops"] for each in found["matches"]}
    assert by_name["HealthcareService/on"] == []
    assert by_name["HealthcareService/back"] == [
        {"sender": "Practitioner/lind", "through": "Task/t1", "tie": "organization"}
    ]
    verifier.caller = OWNER
    part = task(id="t2", requester=reference("Practitioner/moss"), owner=reference("Organization/pain-clinic"))
    part |= {"partOf": [reference("Task/t1")]}
    assert (await put(client, part)).status_code == 201
    checked = await asked(client, "check", referral="t2")
    assert [each["tie"] for each in checked["loops"]] == ["organization"]
    assert checked["duplicates"] == [], "what it is part of is no duplicate"
    assert [each["task"] for each in checked["returns"]] == []


async def test_an_open_referral_the_other_way_is_shown_without_a_link(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await send(client, verifier)
    verifier.caller = OWNER
    found = await asked(client, "check", patient="Patient/p1", specialties=["pain-medicine"], owner="Practitioner/lind")
    assert found == {"duplicates": [], "loops": [], "returns": [{"task": "Task/t1", "tie": "same"}]}
    verifier.caller = REQUESTER
    again = await asked(client, "check", patient="Patient/p1", specialties=["pain-medicine"], owner="Practitioner/far")
    assert again["returns"] == []
