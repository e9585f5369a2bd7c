"""A transaction over several services that one owner refuses stores nothing anywhere."""

import asyncpg
import pytest

from consilium.assembly import SERVICES
from shared.fhir.json import Resource
from shared.ids import uuid7
from shared.process.migrating import migrate
from shared.security.caller import Caller, Role
from shared.store.embedded import SETTINGS, embedded_postgres
from tests.conftest import create_database
from tests.factories.resources import bundle, entry, patient
from tests.factories.spanning import DOCTOR, LETTER, ORDER, PATIENT, PLAN, REFERRAL, whole_story
from tests.factories.town import Town, town

NOTHING = {"referrals": 0, "careplans": 0, "notifications": 0}


def spoilt(full_url: str) -> Resource:
    """``whole_story`` with a status that is none, in one entry."""
    story = whole_story()
    for one in story["entry"]:
        if one["fullUrl"] == full_url:
            element = "gender" if full_url in (PATIENT, DOCTOR) else "status"
            one["resource"][element] = "bogus"
    return story


@pytest.mark.parametrize(
    ("full_url", "position"), [(PATIENT, 0), (ORDER, 1), (LETTER, 2), (PLAN, 3), (REFERRAL, 4), (DOCTOR, 5)]
)
async def test_one_bad_entry_refuses_all_and_is_named_as_it_stood(three: Town, full_url: str, position: int) -> None:
    answer = await three.post(spoilt(full_url))
    assert answer.status_code == 422
    named = answer.json()["issue"][0]["expression"][0]
    assert named.startswith(f"Bundle.entry[{position}].resource.")
    assert await three.stored() == NOTHING
    assert await three.prepared() == 0
    assert not any((await three.events()).values())


@pytest.mark.parametrize("url", ["Practitioner/d1", "Patient/p1"])
async def test_a_stale_if_match_anywhere_refuses_all(three: Town, url: str) -> None:
    type_, _, id_ = url.partition("/")
    await three.client.put(f"/fhir/{url}", json={"resourceType": type_, "id": id_})
    story = whole_story()
    story["entry"].append(entry("PUT", url, {"resourceType": type_, "id": id_, "active": True}, ifMatch='W/"7"'))
    answer = await three.post(story)
    assert answer.status_code == 412
    assert sum((await three.stored()).values()) == 1
    assert await three.prepared() == 0


async def test_a_reference_to_nothing_refuses_all(three: Town) -> None:
    story = whole_story()
    story["entry"][3]["resource"]["subject"] = {"reference": "Patient/none"}
    answer = await three.post(story)
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[3].resource.CarePlan.subject"]
    assert await three.stored() == NOTHING
    assert await three.prepared() == 0


async def test_every_part_is_judged_as_the_callers_own(three: Town) -> None:
    """A patient writes no Subscription, in whatever company it comes."""
    three.verifier.caller = Caller("robin", Role.PATIENT, None, "Patient/p1")
    subscription = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "test",
        "criteria": "Task",
        "channel": {"type": "rest-hook"},
    }
    answer = await three.post(
        bundle(
            "transaction",
            entry("POST", "Practitioner", {"resourceType": "Practitioner"}),
            entry("POST", "Subscription", subscription),
        )
    )
    assert answer.status_code == 403
    assert await three.stored() == NOTHING


async def test_two_services_entries_with_one_full_url_are_refused(three: Town) -> None:
    answer = await three.post(
        bundle(
            "transaction",
            entry("POST", "Practitioner", {"resourceType": "Practitioner"}, PATIENT),
            entry("POST", "Patient", patient(), PATIENT),
        )
    )
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].fullUrl"]
    assert await three.stored() == NOTHING


async def test_a_read_beside_the_writes_of_one_service_does_not_shift_what_a_refusal_names(three: Town) -> None:
    bad = patient(gender="bogus")
    answer = await three.post(bundle("transaction", entry("GET", "Task?status=ready"), entry("POST", "Patient", bad)))
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.Patient.gender"]


@pytest.mark.parametrize("step", ["plan", "prepare", "commit", "finish", "outcome", "forget", "waiting"])
async def test_the_edge_forwards_no_step(three: Town, step: str) -> None:
    for path in (f"/internal/transactions/{step}", f"/fhir/../internal/transactions/{step}"):
        assert (await three.client.post(path, json={})).status_code in (404, 405)
    assert [line.steps for line in three.lines.values()] == [[], [], []]


async def test_where_the_server_prepares_nothing_it_is_refused_with_the_settings_name(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("unprepared")
    folder.chmod(0o755)
    settings = SETTINGS | {"fsync": "off", "max_prepared_transactions": "0"}
    with embedded_postgres(folder / "data", settings=settings) as url:
        names = ("referrals", "careplans", "notifications")
        databases = {name: await create_database(url, f"{name}_{uuid7()[-12:]}") for name in names}
        await migrate(SERVICES, databases)
        async with town(databases) as running:
            answer = await running.post(whole_story())
            assert answer.status_code == 422
            issue = answer.json()["issue"][0]
            assert issue["code"] == "not-supported"
            assert "max_prepared_transactions" in issue["diagnostics"]
            assert await running.stored() == NOTHING
            alone = await running.post(bundle("transaction", entry("POST", "Patient", patient())))
            assert alone.status_code == 200


async def test_as_many_as_the_server_prepares_is_no_reason_to_store_half(three: Town) -> None:
    """Every place is taken: it is refused for now, and whole."""
    referrals = three.engines["referrals"].pool
    taken: list[str] = []
    async with referrals.acquire() as connection:
        try:
            while True:
                name = f"taken-{uuid7()}"
                await connection.execute("BEGIN; SELECT pg_advisory_xact_lock(1 + txid_current())")
                try:
                    await connection.execute(f"PREPARE TRANSACTION '{name}'")
                except asyncpg.OutOfMemoryError:
                    break
                taken.append(name)
            answer = await three.post(whole_story())
            assert answer.status_code == 503
            assert await three.stored() == NOTHING
        finally:
            for name in taken:
                await connection.execute(f"ROLLBACK PREPARED '{name}'")
    assert await three.prepared() == 0
    assert (await three.post(whole_story())).status_code == 200


@pytest.mark.parametrize("type_", ["Patient", "Practitioner"], ids=["that commits", "that prepares"])
async def test_what_is_referred_to_in_its_own_service_is_not_deleted(three: Town, type_: str) -> None:
    about = {"Patient": {"resourceType": "Basic", "code": {"text": "note"}, "subject": {"reference": "Patient/x"}}}
    role = {"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/x"}}
    for one in ({"resourceType": type_, "id": "x"}, about.get(type_, role) | {"id": "y"}):
        answer = await three.client.put(f"/fhir/{one['resourceType']}/{one['id']}", json=one)
        assert answer.status_code == 201, answer.text
    others = [entry("POST", other, {"resourceType": other}) for other in ("Practitioner", "Patient")]
    answer = await three.post(bundle("transaction", *others, entry("DELETE", f"{type_}/x")))
    assert answer.status_code == 409
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[2]"]
    assert sum((await three.stored()).values()) == 2
    assert await three.prepared() == 0


async def test_a_refusal_in_a_batch_over_services_names_its_entry(three: Town) -> None:
    entries = entry("GET", "Patient"), entry("GET", "Task"), entry("POST", "Patient")
    answer = await three.post(bundle("batch", *entries))
    refused = answer.json()["entry"][2]["response"]
    assert refused["outcome"]["issue"][0]["expression"] == ["Bundle.entry[2].resource"]


@pytest.mark.parametrize(
    "url",
    [
        *("metadata", "_history", "/_history?_count=1", "Provenance", "Provenance?_count=1"),
        *("Patient/p1/$everything", "CarePlan/c1/$everything?_since=2026", "Composition/c1/$document"),
    ],
)
async def test_what_all_services_tell_together_is_in_no_bundle(three: Town, url: str) -> None:
    answer = await three.post(bundle("batch", entry("GET", "Patient"), entry("GET", url)))
    found, refused = (one["response"] for one in answer.json()["entry"])
    assert (found["status"][:3], refused["status"][:3]) == ("200", "400")
    (issue,) = refused["outcome"]["issue"]
    assert (issue["code"], issue["expression"]) == ("not-supported", ["Bundle.entry[1].request.url"])
    assert (await three.post(bundle("transaction", entry("GET", url)))).status_code == 400


async def test_a_search_by_post_for_what_all_have_is_in_no_bundle(three: Town) -> None:
    (told,) = (await three.post(bundle("batch", entry("POST", "Provenance/_search?_count=1")))).json()["entry"]
    assert told["response"]["status"] == "400 Bad Request"
