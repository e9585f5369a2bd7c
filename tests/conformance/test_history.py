"""history of an instance (http://hl7.org/fhir/R4/http.html#history)."""

import httpx

from tests.factories.resources import patient


async def test_every_version_newest_first_with_how_it_came(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    await fhir.put("Patient/robin", json=patient(id="robin", gender="male"))
    await fhir.delete("Patient/robin")
    bundle = (await fhir.get("Patient/robin/_history")).json()
    assert (bundle["type"], bundle["total"]) == ("history", 3)
    assert [e["request"]["method"] for e in bundle["entry"]] == ["DELETE", "PUT", "PUT"]
    assert [e["response"]["etag"] for e in bundle["entry"]] == ['W/"3"', 'W/"2"', 'W/"1"']
    assert [e.get("resource", {}).get("gender") for e in bundle["entry"]] == [None, "male", "female"]
    assert {e["fullUrl"] for e in bundle["entry"]} == {"http://test/fhir/Patient/robin"}


async def test_pages_follow_the_next_link_to_the_end(fhir: httpx.AsyncClient) -> None:
    for _ in range(5):
        await fhir.put("Patient/robin", json=patient(id="robin"))
    url, seen = "Patient/robin/_history?_count=2", []
    while url:
        page = (await fhir.get(url)).json()
        seen += [e["response"]["etag"] for e in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    assert seen == [f'W/"{n}"' for n in (5, 4, 3, 2, 1)]


async def test_the_history_of_nothing_is_404_and_a_bad_count_400(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.get("Patient/unknown/_history")).status_code == 404
    await fhir.put("Patient/robin", json=patient(id="robin"))
    assert (await fhir.get("Patient/robin/_history?_count=many")).status_code == 400
