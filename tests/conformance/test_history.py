"""history of an instance (http://hl7.org/fhir/R4/http.html#history)."""

import asyncpg
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


async def test_versions_that_are_large_come_on_more_pages(fhir: httpx.AsyncClient, database_url: str) -> None:
    await fhir.put("Basic/large", json={"resourceType": "Basic", "id": "large", "code": {"text": "x"}})
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO resource_history (type, id, version, last_updated, method, body)"
        " SELECT type, id, version + n, last_updated, 'PUT',"
        """ convert_to('{"resourceType":"Basic","code":{"text":"' || repeat('x', 12000000) || '"}}', 'UTF8')"""
        " FROM resource_history, generate_series(1, 6) n WHERE id = 'large'"
    )
    await connection.close()
    seen: list[str] = []
    url, pages = "Basic/large/_history?_count=100", 0
    while url:
        bundle = (await fhir.get(url)).json()
        seen += [entry["response"]["etag"] for entry in bundle["entry"]]
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
        pages += 1
    assert seen == [f'W/"{version}"' for version in range(7, 0, -1)]
    assert pages == 3
