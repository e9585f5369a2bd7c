"""A referral that comes as a message (BSeR, 360X) takes the same path as one that comes as a transaction."""

from typing import Any

import pytest

from tests.e2e.evidence import Evidence
from tests.e2e.referring import furnish
from tests.eventually import eventually
from tests.factories.messages import SENDER, message
from tests.factories.system import COORDINATOR, EHR, System


@pytest.mark.parametrize("address", ["/fhir", "/fhir/$process-message"])
async def test_a_referral_message_becomes_an_activity_of_the_plan(
    plain_system: System, evidence: Evidence, address: str
) -> None:
    """http://hl7.org/fhir/R4/messageheader-operation-process-message.html"""
    async with plain_system.site() as site, site.working():
        await furnish(site)
        answer = await site.by(EHR).post(address, json=message("1"))
        assert answer.status_code == 200, answer.text
        header = answer.json()["entry"][0]["resource"]
        assert header["response"] == {"identifier": "header-1", "code": "ok"}
        assert header["destination"] == [{"endpoint": SENDER}]
        (task,) = await evidence.resources("referrals", "Task")
        (order,) = await evidence.resources("referrals", "ServiceRequest")
        assert task["focus"] == {"reference": f"ServiceRequest/{order['id']}"}
        assert task["owner"] == {"reference": f"{SENDER}/PractitionerRole/elsewhere"}
        known = await site.by(EHR).get("/fhir/Patient", params={"identifier": "urn:oid:9.9.9|robin"})
        (person,) = (one["resource"]["id"] for one in known.json()["entry"])
        assert task["for"] == {"reference": f"Patient/{person}"}
        query = {"patient": person}
        await eventually(lambda: _planned(site, query, f"ServiceRequest/{order['id']}"))


async def _planned(site: Any, query: dict[str, str], order: str) -> bool:
    plans = (await site.by(COORDINATOR).get("/fhir/CarePlan", params=query)).json().get("entry", [])
    activities = [one for plan in plans for one in plan["resource"].get("activity", ())]
    return order in {one.get("reference", {}).get("reference") for one in activities}


async def test_a_message_that_comes_again_has_no_second_effect(plain_system: System, evidence: Evidence) -> None:
    async with plain_system.site() as site:
        await furnish(site)
        for _ in range(2):
            answer = await site.by(EHR).post("/fhir", json=message("1"))
            assert answer.status_code == 200, answer.text
            assert answer.json()["entry"][0]["resource"]["response"] == {"identifier": "header-1", "code": "ok"}
        (task,) = await evidence.resources("referrals", "Task")
        assert task["meta"]["versionId"] == "1"


async def test_the_next_message_is_the_next_step_and_one_person_stays_one(
    plain_system: System, evidence: Evidence
) -> None:
    async with plain_system.site() as site:
        await furnish(site)
        reason = {"text": "the patient moved away"}
        for number, (status, more) in enumerate((("requested", {}), ("cancelled", {"statusReason": reason}))):
            answer = await site.by(EHR).post("/fhir", json=message(str(number), status, **more))
            assert answer.status_code == 200, answer.text
        (task,) = await evidence.resources("referrals", "Task")
        assert (task["status"], task["meta"]["versionId"]) == ("cancelled", "2")
        known = await site.by(EHR).get("/fhir/Patient", params={"identifier": "urn:oid:9.9.9|robin"})
        assert len(known.json()["entry"]) == 1


async def test_a_message_that_breaks_a_rule_stores_nothing(plain_system: System, evidence: Evidence) -> None:
    async with plain_system.site() as site:
        await furnish(site)
        patients = len(await evidence.resources("careplans", "Patient"))
        answer = await site.by(EHR).post("/fhir", json=message("1", "rejected"))
        assert answer.status_code in (409, 422), answer.text
        (issue, *_) = answer.json()["issue"]
        assert issue["expression"][0].startswith("Bundle.entry[3].resource")
        assert len(await evidence.resources("careplans", "Patient")) == patients
        assert not await evidence.resources("careplans", "MessageHeader")
        assert not await evidence.resources("referrals", "Task")


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Parameters", "parameter": []},
        {"resourceType": "Parameters", "parameter": [{"name": "async", "valueBoolean": True}]},
        {"resourceType": "Parameters", "parameter": 1},
        {"resourceType": "Parameters", "parameter": [7, {"name": "content", "resource": message("1")}]},
        {"resourceType": "Bundle", "type": "batch"},
        {"resourceType": "Bundle", "type": "message"},
        [],
    ],
)
async def test_what_is_no_message_is_400(plain_system: System, body: Any) -> None:
    async with plain_system.site() as site:
        answer = await site.by(EHR).post("/fhir/$process-message", json=body)
        assert answer.status_code == 400, answer.text
        assert answer.json()["resourceType"] == "OperationOutcome"
        wrapped = {"resourceType": "Parameters", "parameter": [{"name": "content", "resource": message("1")}]}
        assert (await site.by(EHR).post("/fhir/$process-message", json=wrapped)).status_code == 200
        assert (await site.by(EHR).get("/fhir/$process-message")).status_code == 405
