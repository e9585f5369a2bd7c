"""Provenance over all services: it lives beside what it speaks of, and is found from the one base."""

from typing import Any

import httpx

from tests.e2e.referring import furnish, located, send
from tests.factories.resources import bundle, entry
from tests.factories.system import EHR, System


def _found(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [one["resource"] for one in answer.json().get("entry", [])]


def _sent(target: str) -> dict[str, Any]:
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": "2026-02-03T10:00:00Z",
        "agent": [{"who": {"display": "a device"}}],
    }


async def test_it_is_found_by_its_target_whoever_owns_that(plain_system: System) -> None:
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        sent = await send(site, patient)
        assert sent is not None
        ehr = site.by(EHR)
        for target, service in ((patient, "careplans"), (sent.task, "referrals"), (sent.order, "referrals")):
            found = _found(await ehr.get("/fhir/Provenance", params={"target": target}))
            assert found, target
            assert {one["id"].partition(".")[0] for one in found} == {service}
            (first, *_) = found
            assert (await ehr.get(f"/fhir/Provenance/{first['id']}")).json() == first
        told = {"_id": sent.task.partition("/")[2], "_revinclude": "Provenance:target"}
        types = [one["resourceType"] for one in _found(await ehr.get("/fhir/Task", params=told))]
        assert types == ["Task", "Provenance"]


async def test_what_an_ehr_posts_goes_to_its_target(plain_system: System) -> None:
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        sent = await send(site, patient)
        assert sent is not None
        ehr = site.by(EHR)
        made = await ehr.post("/fhir/Provenance", json=_sent(sent.task))
        assert made.status_code == 201, made.text
        where = f"/fhir/Provenance/{made.json()['id']}"
        assert made.json()["id"].startswith("referrals.")
        assert (await ehr.get(where)).status_code == 200
        named = _sent(sent.task) | {"id": "of-the-ehr"}
        assert (await ehr.put("/fhir/Provenance/of-the-ehr", json=named)).status_code == 201
        assert (await ehr.put("/fhir/Provenance/of-the-ehr", json=named)).status_code == 200
        assert (await ehr.get("/fhir/Provenance/of-the-ehr/_history/2")).status_code == 200
        assert (await ehr.delete("/fhir/Provenance/of-the-ehr")).status_code == 204
        assert (await ehr.get("/fhir/Provenance/of-the-ehr")).status_code == 410
        assert (await ehr.get("/fhir/Provenance/nowhere")).status_code == 404


async def test_a_search_without_target_pages_through_all_services(plain_system: System) -> None:
    async with plain_system.site() as site:
        patients = await furnish(site, 3)
        for patient in patients:
            await send(site, patient)
        ehr, seen = site.by(EHR), list[str]()
        url: str | None = "/fhir/Provenance?_count=4&_total=accurate"
        total = 0
        while url is not None:
            answer = await ehr.get(url)
            page = _found(answer)
            assert len(page) <= 4
            seen += [one["id"] for one in page]
            total = answer.json().get("total", total)
            links = {link["relation"]: link["url"] for link in answer.json()["link"]}
            url = links.get("next")
        assert len(seen) == len(set(seen)) == total
        assert {id_.partition(".")[0] for id_ in seen} == {"careplans", "referrals"}
        assert (await ehr.get("/fhir/Provenance", params={"_sort": "recorded"})).status_code == 400
        assert (await ehr.get("/fhir/Provenance", params={"_service": "nobody"})).status_code == 400


async def test_a_search_by_post_finds_the_same(plain_system: System) -> None:
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        sent = await send(site, patient)
        assert sent is not None
        ehr = site.by(EHR)
        for query in ({"target": sent.task}, {"_count": "100"}):
            got = await ehr.get("/fhir/Provenance", params=query)
            posted = await ehr.post("/fhir/Provenance/_search", data=query)
            assert [one["id"] for one in _found(posted)] == [one["id"] for one in _found(got)]
            assert posted.json()["link"] == got.json()["link"], "each parameter counts once"


async def test_a_bundle_puts_it_beside_its_target(plain_system: System) -> None:
    """By the target, also where that is an entry of the same transaction; and it is read by the id that it got."""
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        ehr = site.by(EHR)
        order = {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "subject": {"reference": patient},
            "code": {"text": "x"},
        }
        made = bundle(
            "transaction",
            entry("POST", "Provenance", _sent("urn:uuid:6f0a2c9e-6a52-4c0e-9a3d-0d6c8f3f7a01")),
            entry("POST", "ServiceRequest", order, "urn:uuid:6f0a2c9e-6a52-4c0e-9a3d-0d6c8f3f7a01"),
        )
        answer = await ehr.post("/fhir", json=made)
        assert answer.status_code == 200, answer.text
        provenance, ordered = (located(one) for one in answer.json()["entry"])
        assert provenance.startswith("Provenance/referrals.")
        told = (await ehr.get(f"/fhir/{provenance}")).json()
        assert told["target"] == [{"reference": ordered}]
        reads = bundle("batch", entry("GET", provenance), entry("GET", f"Provenance?target={ordered}"))
        found = (await ehr.post("/fhir", json=reads)).json()["entry"]
        assert found[0]["resource"] == told
        assert told["id"] in {one["resource"]["id"] for one in found[1]["resource"]["entry"]}
