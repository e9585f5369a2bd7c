"""XML through the whole of it: Provenance, of which the gateway looks at the target to find its service."""

import httpx

from shared.fhir.json import Resource
from shared.fhir.xml import from_xml, to_xml
from tests.e2e.referring import furnish, send
from tests.factories.system import EHR, System

XML = {"content-type": "application/fhir+xml", "accept": "application/fhir+xml"}


def _told(answer: httpx.Response, status: int) -> Resource:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    return from_xml(answer.content)


async def test_provenance_in_xml_goes_to_its_target_and_is_searched_over_all_services(plain_system: System) -> None:
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        sent = await send(site, patient)
        assert sent is not None
        ehr = site.by(EHR)
        provenance = {
            "resourceType": "Provenance",
            "target": [{"reference": sent.task}],
            "recorded": "2026-02-03T10:00:00Z",
            "agent": [{"who": {"display": "a device"}}],
        }
        made = _told(await ehr.post("/fhir/Provenance", content=to_xml(provenance), headers=XML), 201)
        assert made["id"].startswith("referrals.")
        everywhere = _told(await ehr.get("/fhir/Provenance?_format=xml&_count=50"), 200)
        assert {one["resource"]["resourceType"] for one in everywhere["entry"]} == {"Provenance"}
        named = _told(await ehr.get(f"/fhir/Provenance/{made['id']}?_format=xml"), 200)
        assert named == made
        assert _told(await ehr.get("/fhir/Provenance?_sort=recorded", headers=XML), 400)["issue"]


async def test_pages_over_all_services_stay_in_xml(plain_system: System) -> None:
    async with plain_system.site() as site:
        (patient,) = await furnish(site)
        assert await send(site, patient) is not None
        ehr = site.by(EHR)
        for path in ("Provenance", "_history"):
            pages, url = 0, f"/fhir/{path}?_count=2&_format=xml"
            while url:
                page = _told(await ehr.get(url), 200)
                pages += 1
                url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
            assert pages > 2
        by_post = await ehr.post("/fhir/Provenance/_search", data={"_count": "2", "_format": "xml"})
        assert _told(by_post, 200)["entry"]
