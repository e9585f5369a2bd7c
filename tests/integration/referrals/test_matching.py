"""``POST /api/referrals/match`` on a real database."""

import httpx
import pytest

from shared.copies.keeping import copy_of
from shared.engine import Engine
from shared.fhir.json import dumps
from shared.fhir.search.access import Access
from shared.fhir.search.filters import AnyOf, Filter, Ids
from tests.factories.directory import AGE_GROUPS, at, extension, location, role, service
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import (
    COORDINATOR,
    OWNER,
    PATIENT,
    concept,
    order,
    practitioner_role,
    reference,
)
from tests.integration.referrals.asking import API, furnish, send
from tests.integration.referrals.matching import CENTRE, Resource, asked, codes, named, statements, store


@pytest.fixture(autouse=True)
async def directory(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await furnish(client, verifier)


async def test_services_are_ranked_with_reasons_and_excluded_ones_are_told_apart(
    client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    await store(
        client,
        verifier,
        location("near", 42.36, -71.06),
        location("far", 40.71, -74.01),
        service("near", languages=["es"], location=at("near"), providedBy=CENTRE),
        service("far", languages=["es-MX"], location=at("far")),
        service("video", modalities=["telehealth"]),
        service("closed", active=False),
        service("children", eligibility=[{"code": concept(AGE_GROUPS, "children")}]),
        service("private", extension=[extension("payer", valueReference=reference("Organization/elsewhere"))]),
        service("away", notAvailable=[{"description": "x", "during": {"start": "2020"}}]),
        service("massage", "complementary"),
        service("uncoded", None, type=[{"text": "psychologist"}]),
    )
    verifier.caller = COORDINATOR
    near = {"latitude": 42.36, "longitude": -71.06}
    found = await asked(
        client, service_request="o1", languages=["es"], near=near, age=44, payer="Organization/pain-clinic"
    )
    assert found["specialties"] == ["psychology"]
    assert named(found["matches"]) == ["near", "video", "far"]
    first = found["matches"][0]
    assert {"language", "distance", "wait-unknown", "not-seen-before"} == codes(first)
    assert (first["service"]["distance_km"], first["service"]["organization"]) == (0, "Organization/mind-centre")
    assert found["matches"][2]["service"]["distance_km"] == pytest.approx(306, abs=2)
    assert {
        each["service"]["reference"]: [one["constraint"] for one in each["because"]] for each in found["excluded"]
    } == {
        "HealthcareService/away": ["not-available"],
        "HealthcareService/children": ["age"],
        "HealthcareService/closed": ["inactive"],
        "HealthcareService/private": ["payer"],
    }
    strict = await asked(
        client, service_request="o1", near=near, max_distance_km=20, languages=["es"], must=["language"]
    )
    assert "far" in named(strict["excluded"])
    limited = await client.post(f"{API}/match?limit=1", json={"service_request": "o1"})
    assert (len(limited.json()["matches"]), limited.json()["more"]) == (1, 4)


async def test_who_saw_the_patient_before_is_preferred(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await store(
        client,
        verifier,
        practitioner_role("r-b", "Practitioner/moss", "Organization/mind-centre")
        | {"specialty": [concept("http://nucc.org/provider-taxonomy", "103T00000X")]},
        service("beside", providedBy=CENTRE),
        service("a-stranger"),
    )
    await send(client, verifier)
    verifier.caller = OWNER
    for version, action in enumerate(("accept", "schedule"), start=1):
        answer = await client.post(f"{API}/t1/actions/{action}", headers={"If-Match": f'W/"{version}"'})
        assert answer.status_code == 200, answer.text
    verifier.caller = COORDINATOR
    before = await asked(client, service_request="o1")
    assert all("not-seen-before" in codes(each) for each in before["matches"])
    verifier.caller = OWNER
    url, done = f"{API}/t1/actions/complete", {"report": "DocumentReference/d1"}
    assert (await client.post(url, json=done, headers={"If-Match": 'W/"3"'})).status_code == 200
    verifier.caller = COORDINATOR
    after = await asked(client, service_request="o1")
    assert named(after["matches"]) == ["r-b", "beside", "a-stranger"]
    assert [codes(each) & {"seen-before", "seen-in-organization", "not-seen-before"} for each in after["matches"]] == [
        {"seen-before"},
        {"seen-in-organization"},
        {"not-seen-before"},
    ]
    nobody = await asked(client, specialties=["psychology"], patient="Patient/p2")
    assert all("not-seen-before" in codes(each) for each in nobody["matches"])


async def test_a_patient_asks_about_themselves_only(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    await store(client, verifier, service(), order(id="o2", subject=reference("Patient/p2")))
    await send(client, verifier)
    await send(client, verifier, id="t2", focus=reference("ServiceRequest/o2"), **{"for": reference("Patient/p2")})
    verifier.caller = PATIENT
    assert named((await asked(client, referral="t1"))["matches"]) == ["s1"]
    for body in (
        {"referral": "t2"},
        {"service_request": "o2"},
        {"patient": "Patient/p2", "specialties": ["psychology"]},
    ):
        for path in ("match", "check"):
            answer = await client.post(f"{API}/{path}", json=body)
            assert (answer.status_code, "p2" in answer.text) == (404, False)
    part = {"specialties": ["psychology"], "part_of": "t2", "owner": "Practitioner/lind"}
    answer = await client.post(f"{API}/check", json=part)
    assert (answer.status_code, answer.json()["issues"][0]["expression"]) == (422, ["body.part_of"])
    assert (await asked(client, "check", **(part | {"part_of": "t1"})))["loops"] != []


async def test_what_the_caller_may_not_see_is_not_there(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    await store(client, verifier, service("shown"), service("hidden"))
    await send(client, verifier)
    await send(client, verifier, id="t2")
    verifier.caller = COORDINATOR
    assert [each["task"] for each in (await asked(client, "check", referral="t1"))["duplicates"]] == ["Task/t2"]

    def only(type_: str) -> Filter | None:
        hidden = {"HealthcareService": ("shown",), "Task": ("t1",)}.get(type_)
        return None if hidden is None else AnyOf((Ids(hidden),))

    object.__setattr__(engine, "access", lambda caller: Access(only))
    found = await asked(client, referral="t1")
    assert named(found["matches"]) == ["shown"]
    assert found["warnings"]["duplicates"] == []
    answer = await client.get(f"{API}/directory", params={"specialty": "psychology"})
    assert [each["reference"] for each in answer.json()["services"]] == ["HealthcareService/shown"]
    assert (await client.post(f"{API}/match", json={"referral": "t2"})).status_code == 404


async def test_how_often_the_database_is_asked_does_not_depend_on_how_many_services_there_are(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    async def cost(path: str) -> int:
        verifier.caller = COORDINATOR
        async with statements(engine) as told:
            if path == "directory":
                answer = await client.get(f"{API}/directory?limit=200")
            else:
                answer = await client.post(f"{API}/{path}", json={"referral": "t1"})
            assert answer.status_code == 200
        return len(told)

    def some(first: int, last: int) -> list[Resource]:
        made: list[Resource] = []
        for number in range(first, last):
            made += [
                location(f"l{number}", number, number),
                service(f"s{number}", location=at(f"l{number}"), providedBy=CENTRE),
                role(f"r{number}", healthcareService=[reference(f"HealthcareService/s{number}")]),
                {"resourceType": "Schedule", "id": f"c{number}", "actor": [reference(f"HealthcareService/s{number}")]},
            ]
        return made

    await store(client, verifier, *some(0, 2))
    await send(client, verifier)
    few = {path: await cost(path) for path in ("match", "check", "directory")}
    await store(client, verifier, *some(2, 30))
    assert {path: await cost(path) for path in few} == few
    assert few["match"] <= 15


async def test_a_patients_copy_says_age_and_language(
    client: httpx.AsyncClient, verifier: FixedVerifier, engine: Engine
) -> None:
    copied = {
        "resourceType": "Patient",
        "id": "p1",
        "meta": {"versionId": "1", "lastUpdated": "2026-03-01T00:00:00Z"},
        "birthDate": "2020-01-01",
        "communication": [{"language": concept("urn:ietf:bcp:47", "fr")}],
    }
    await engine.copier.write(copy_of(dumps(copied)))
    await store(
        client,
        verifier,
        service("adults", eligibility=[{"code": concept(AGE_GROUPS, "adults")}]),
        service("a-en", languages=["en"]),
        service("b-fr", languages=["fr"]),
    )
    verifier.caller = COORDINATOR
    found = await asked(client, service_request="o1")
    assert named(found["matches"]) == ["b-fr", "a-en"]
    assert named(found["excluded"]) == ["adults"]
    older = await asked(client, service_request="o1", age=44, languages=["en"])
    assert named(older["matches"])[0] == "a-en"
