"""A transaction over several services stores all of it (http://hl7.org/fhir/R4/http.html#transaction)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.fhir.json import Resource, dumps, loads
from tests.eventually import eventually
from tests.factories.resources import bundle, care_plan, entry, patient
from tests.factories.spanning import DOCTOR, ORDER, PATIENT, STORED, TOLD, whole_story
from tests.factories.town import Town

NPI = "http://hl7.org/fhir/sid/us-npi"


def doctor(number: str = "17", **more: Any) -> Resource:
    """A practitioner with a number."""
    return {"resourceType": "Practitioner", "identifier": [{"system": NPI, "value": number}]} | more


def where(answer: Any, position: int) -> str:
    """``Type/id`` of an entry's answer."""
    location: str = answer.json()["entry"][position]["response"]["location"]
    return "/".join(location.partition("/_history")[0].split("/")[-2:])


async def none_of(count: Callable[[], Awaitable[int]]) -> bool:
    """Whether there are none any more."""
    return await count() == 0


async def test_everything_is_stored_and_refers_to_each_other_over_services(three: Town) -> None:
    answer = await three.post(whole_story())
    assert answer.status_code == 200, answer.text
    assert [one["response"]["status"] for one in answer.json()["entry"]] == ["201 Created"] * 6
    at = [where(answer, position) for position in range(6)]
    patient_, order_, letter_, plan, referral, doctor_ = [
        (await three.client.get(f"/fhir/{place}")).json() for place in at
    ]
    assert patient_["generalPractitioner"] == [{"reference": at[5]}]
    assert order_["subject"] == {"reference": at[0]}
    assert order_["basedOn"] == [{"reference": at[3]}]
    assert plan["activity"] == [{"reference": {"reference": at[1]}}]
    assert letter_["about"] == [{"reference": at[1]}]
    assert referral["for"] == {"reference": at[0]}
    assert doctor_["resourceType"] == "Practitioner"
    assert await three.stored() == STORED
    assert await three.prepared() == 0
    await eventually(lambda: none_of(three.decisions))


async def test_a_single_owner_is_not_asked_in_steps(three: Town) -> None:
    answer = await three.post(bundle("transaction", entry("POST", "Patient", patient())))
    assert answer.status_code == 200
    assert [line.steps for line in three.lines.values()] == [[], [], []]


async def test_the_last_owner_commits_and_the_others_prepare(three: Town) -> None:
    await three.post(whole_story())
    assert three.lines["referrals"].steps == ["plan", "prepare", "finish"]
    assert three.lines["notifications"].steps == ["plan", "prepare", "finish"]
    await eventually(lambda: none_of(three.decisions))
    assert three.lines["careplans"].steps == ["plan", "commit", "forget"]


async def test_what_a_condition_finds_is_what_the_other_services_refer_to(three: Town) -> None:
    """http://hl7.org/fhir/R4/http.html#trules: references to an entry that is not created go to what was found."""
    there = (await three.client.post("/fhir/Practitioner", json=doctor())).json()
    answer = await three.post(
        bundle(
            "transaction",
            entry("POST", "Practitioner", doctor(), DOCTOR, ifNoneExist=f"identifier={NPI}|17"),
            entry("POST", "Patient", patient(generalPractitioner=[{"reference": DOCTOR}]), PATIENT),
        )
    )
    assert [one["response"]["status"] for one in answer.json()["entry"]] == ["200 OK", "201 Created"]
    stored = (await three.client.get(f"/fhir/{where(answer, 1)}")).json()
    assert stored["generalPractitioner"] == [{"reference": f"Practitioner/{there['id']}"}]
    assert (await three.stored())["referrals"] == 1


async def test_where_a_condition_finds_nothing_it_is_created_and_referred_to(three: Town) -> None:
    answer = await three.post(
        bundle(
            "transaction",
            entry("POST", "Patient", patient(generalPractitioner=[{"reference": DOCTOR}]), PATIENT),
            entry("POST", "Practitioner", doctor(), DOCTOR, ifNoneExist=f"identifier={NPI}|17"),
        )
    )
    stored = (await three.client.get(f"/fhir/{where(answer, 0)}")).json()
    assert stored["generalPractitioner"] == [{"reference": where(answer, 1)}]


async def test_updates_deletions_and_ids_of_the_client_are_stored_together(three: Town) -> None:
    for resource in (doctor(id="d1"), doctor("18", id="d2"), patient(id="p1")):
        await three.client.put(f"/fhir/{resource['resourceType']}/{resource['id']}", json=resource)
    answer = await three.post(
        bundle(
            "transaction",
            entry("PUT", "Patient/p1", patient(id="p1", generalPractitioner=[{"reference": "Practitioner/d1"}])),
            entry("DELETE", "Practitioner/d2"),
            entry("PUT", "Practitioner/d1", doctor(id="d1", active=True), ifMatch='W/"1"'),
        )
    )
    statuses = [one["response"]["status"] for one in answer.json()["entry"]]
    assert statuses == ["200 OK", "204 No Content", "200 OK"]
    assert (await three.client.get("/fhir/Practitioner/d1")).json()["active"] is True
    assert (await three.client.get("/fhir/Practitioner/d2")).status_code == 410


async def test_a_conditional_reference_to_another_service_is_resolved(three: Town) -> None:
    there = (await three.client.post("/fhir/Practitioner", json=doctor())).json()
    to = {"reference": f"Practitioner?identifier={NPI}|17"}
    answer = await three.post(
        bundle(
            "transaction",
            entry("POST", "Patient", patient(generalPractitioner=[to]), PATIENT),
            entry("POST", "Practitioner", doctor("18"), DOCTOR),
        )
    )
    stored = (await three.client.get(f"/fhir/{where(answer, 0)}")).json()
    assert stored["generalPractitioner"] == [{"reference": f"Practitioner/{there['id']}"}]


async def test_what_it_reads_is_answered_after_everything_is_stored(three: Town) -> None:
    """http://hl7.org/fhir/R4/http.html#trules: GET comes last, whatever the order of the entries."""
    answer = await three.post(
        bundle(
            "transaction",
            entry("GET", "ServiceRequest?status=active"),
            *whole_story()["entry"],
            entry("GET", "Practitioner/none"),
            entry("POST", "CarePlan/_search"),
        )
    )
    entries = answer.json()["entry"]
    assert len(entries) == 9
    assert len(entries[0]["resource"]["entry"]) == 1
    assert entries[7]["response"]["status"].startswith("404")
    assert len(entries[8]["resource"]["entry"]) == 1


async def test_representations_come_where_they_are_preferred(three: Town) -> None:
    answer = await three.client.post("/fhir", json=whole_story(), headers={"prefer": "return=representation"})
    types = [one["resource"]["resourceType"] for one in answer.json()["entry"]]
    assert types == ["Patient", "ServiceRequest", "Communication", "CarePlan", "Task", "Practitioner"]


async def test_its_events_are_told_once(three: Town) -> None:
    await three.post(whole_story())
    assert await three.events() == TOLD


async def test_a_relative_reference_to_a_posted_entry_follows_its_full_url(three: Town) -> None:
    """http://hl7.org/fhir/R4/bundle.html#references."""
    answer = await three.post(
        bundle(
            "transaction",
            entry("POST", "Practitioner", doctor(), "http://ehr.example/fhir/Practitioner/9"),
            entry(
                "POST",
                "Patient",
                patient(generalPractitioner=[{"reference": "Practitioner/9"}]),
                "http://ehr.example/fhir/Patient/3",
            ),
            entry("POST", "CarePlan", care_plan("http://ehr.example/fhir/Patient/3")),
        )
    )
    at = [where(answer, position) for position in range(3)]
    assert (await three.client.get(f"/fhir/{at[1]}")).json()["generalPractitioner"] == [{"reference": at[0]}]
    assert (await three.client.get(f"/fhir/{at[2]}")).json()["subject"] == {"reference": at[1]}


async def test_an_order_may_be_referred_to_by_what_is_stored_before_it(three: Town) -> None:
    answer = await three.post(
        bundle(
            "transaction",
            *[one for one in whole_story()["entry"] if one["fullUrl"] != ORDER],
            *[one for one in whole_story()["entry"] if one["fullUrl"] == ORDER],
        )
    )
    assert answer.status_code == 200
    assert await three.stored() == STORED


SENT = {
    "resourceType": "Provenance",
    "recorded": "2026-02-03T10:00:00Z",
    "agent": [{"who": {"display": "the EHR's interface engine"}}],
}


async def test_what_an_ehr_says_of_where_its_data_come_from_is_kept_beside_each_part(three: Town) -> None:
    """http://hl7.org/fhir/R4/provenance.html#header"""
    headers = {"X-Provenance": dumps(SENT).decode()}
    answer = await three.client.post("/fhir", json=whole_story(), headers=headers)
    assert answer.status_code == 200, answer.text
    made = {one["response"]["location"].partition("/fhir/")[2] for one in answer.json()["entry"]}
    kept: list[Resource] = []
    for engine in three.engines.values():
        rows = await engine.pool.fetch("SELECT body FROM resource WHERE type = 'Provenance'")
        here = [one for one in (loads(row["body"]) for row in rows) if one["agent"] == SENT["agent"]]
        assert len(here) == 1
        kept += here
    targets = [target["reference"] for one in kept for target in one["target"]]
    assert sorted(targets) == sorted(made)


@pytest.mark.parametrize("header", ["no json", "[]", '{"resourceType":"Provenance"}', '{"resourceType":"Patient"}'])
async def test_a_header_that_is_no_provenance_stores_nothing(three: Town, header: str) -> None:
    answer = await three.client.post("/fhir", json=whole_story(), headers={"X-Provenance": header})
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert await three.stored() == dict.fromkeys(STORED, 0)
    assert await three.prepared() == 0
    if answer.status_code == 400:
        assert not any("prepare" in line.steps for line in three.lines.values())
