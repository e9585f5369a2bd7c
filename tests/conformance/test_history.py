"""history of an instance, a type and the whole (http://hl7.org/fhir/R4/http.html#history)."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from tests.factories.resources import patient

Bundle = dict[str, Any]


async def pages(fhir: httpx.AsyncClient, url: str) -> AsyncIterator[Bundle]:
    """Every page from ``url`` on."""
    while url:
        response = await fhir.get(url)
        assert response.status_code == 200, response.text
        page = response.json()
        yield page
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")


def told(bundle: Bundle) -> list[str]:
    """``Type/id/version`` of every entry."""
    return [
        entry["fullUrl"].removeprefix("http://test/fhir/")
        + "/"
        + entry["response"]["etag"].removeprefix("W/").strip('"')
        for entry in bundle.get("entry", ())
    ]


async def walked(fhir: httpx.AsyncClient, url: str) -> list[str]:
    """``told`` of all pages."""
    return [version async for page in pages(fhir, url) for version in told(page)]


async def basic(fhir: httpx.AsyncClient, id_: str, text: str = "x") -> None:
    response = await fhir.put(f"Basic/{id_}", json={"resourceType": "Basic", "id": id_, "code": {"text": text}})
    assert response.status_code in (200, 201)


async def dated(url: str, moments: dict[int, str]) -> None:
    """Let the versions have been made at these moments."""
    connection = await asyncpg.connect(url)
    for version, moment in moments.items():
        await connection.execute(
            "UPDATE resource_history SET last_updated = $1::text::timestamptz WHERE version = $2", moment, version
        )
    await connection.close()


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


async def test_a_type_and_the_whole_tell_what_happened_to_all_resources_in_them(fhir: httpx.AsyncClient) -> None:
    await basic(fhir, "one")
    await fhir.put("Patient/robin", json=patient(id="robin"))
    await basic(fhir, "two")
    await basic(fhir, "one", "again")
    await fhir.delete("Basic/two")
    of_type = (await fhir.get("Basic/_history")).json()
    assert told(of_type) == ["Basic/two/2", "Basic/one/2", "Basic/two/1", "Basic/one/1"]
    assert [entry["request"]["method"] for entry in of_type["entry"]] == ["DELETE", "PUT", "PUT", "PUT"]
    assert [entry["request"]["url"] for entry in of_type["entry"]] == [
        "Basic/two",
        "Basic/one",
        "Basic/two",
        "Basic/one",
    ]
    assert "resource" not in of_type["entry"][0]
    whole = (await fhir.get("_history")).json()
    assert told(whole) == ["Basic/two/2", "Basic/one/2", "Basic/two/1", "Patient/robin/1", "Basic/one/1"]
    assert whole["type"] == "history"
    assert [entry["response"]["status"] for entry in whole["entry"]] == ["204", "200", "201", "201", "201"]


@pytest.mark.parametrize("level", ["Basic/one", "Basic", ""])
async def test_pages_follow_the_next_link_to_the_end(fhir: httpx.AsyncClient, level: str) -> None:
    for _ in range(5):
        await basic(fhir, "one")
    found = [page async for page in pages(fhir, f"{level}/_history?_count=2".lstrip("/"))]
    assert [told(page) for page in found] == [
        ["Basic/one/5", "Basic/one/4"],
        ["Basic/one/3", "Basic/one/2"],
        ["Basic/one/1"],
    ]


@pytest.mark.parametrize("level", ["Basic/one", "Basic", ""])
async def test_head_answers_as_get_without_a_body(fhir: httpx.AsyncClient, level: str) -> None:
    await basic(fhir, "one")
    response = await fhir.head(f"{level}/_history".lstrip("/"))
    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["content-length"]) > 100


@pytest.mark.parametrize("level", ["Basic/one", "Basic", ""])
async def test_since_takes_what_was_made_at_or_after_it(fhir: httpx.AsyncClient, database_url: str, level: str) -> None:
    for _ in range(3):
        await basic(fhir, "one")
    second = "2026-02-03T10:00:00.123Z"
    await dated(database_url, {1: "2026-02-03T10:00:00.122Z", 2: second})
    url = f"{level}/_history".lstrip("/")
    since = (await fhir.get(url, params={"_since": second})).json()
    assert told(since) == ["Basic/one/3", "Basic/one/2"]
    assert since.get("total", 2) == 2
    assert f"_since={second}" in since["link"][0]["url"]
    assert told((await fhir.get(url, params={"_since": "2999"})).json()) == []


@pytest.mark.parametrize("level", ["Basic/one", "Basic", ""])
async def test_at_takes_what_was_current_at_some_point_of_the_period(
    fhir: httpx.AsyncClient, database_url: str, level: str
) -> None:
    """http://hl7.org/fhir/R4/http.html#history, parameter _at: also made before and replaced in or after it."""
    for _ in range(4):
        await basic(fhir, "one")
    days = ("2025-01-10", "2025-02-10", "2025-02-20", "2025-03-10")
    await dated(database_url, {version: f"{day}T12:00Z" for version, day in enumerate(days, start=1)})

    async def at(text: str) -> list[str]:
        return [version[-1] for version in await walked(fhir, f"{level}/_history?_count=2&_at={text}".lstrip("/"))]

    assert await at("2025-02") == ["3", "2", "1"]
    assert await at("2025-02-15") == ["2"]
    assert await at("2025-02-15T10:00:00Z") == ["2"]
    assert await at("2025-01-10T12:00:00Z") == ["1"]
    assert await at("2024") == []
    assert await at("2026") == ["4"]
    assert await at("2025") == ["4", "3", "2", "1"]


@pytest.mark.parametrize("level", ["Basic/one", "Basic", ""])
@pytest.mark.parametrize(
    "query", ["_count=many", "_since=yesterday", "_at=ge2025", "_at=2025-13", "_list=List/1", "_sort=_id", "_cursor=x"]
)
async def test_what_a_history_cannot_do_is_refused(fhir: httpx.AsyncClient, level: str, query: str) -> None:
    await basic(fhir, "one")
    response = await fhir.get(f"{level}/_history?{query}".lstrip("/"))
    assert response.status_code == 400
    assert response.json()["resourceType"] == "OperationOutcome"


async def test_a_token_of_another_level_is_refused(fhir: httpx.AsyncClient) -> None:
    for _ in range(3):
        await basic(fhir, "one")
    links = [page["link"][-1]["url"] async for page in pages(fhir, "_history?_count=2")]
    cursor = links[0].partition("_cursor=")[2]
    assert (await fhir.get(f"Basic/one/_history?_cursor={cursor}")).status_code == 400
    assert (await fhir.get(f"_history?_cursor={cursor}")).status_code == 200


@pytest.mark.parametrize("level", ["Basic/one", "Basic", ""])
async def test_unknown_parameters_are_ignored_unless_strict(fhir: httpx.AsyncClient, level: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors"""
    await basic(fhir, "one")
    url = f"{level}/_history?colour=red&_sort=-_lastUpdated&_format=json".lstrip("/")
    lenient = await fhir.get(url)
    assert lenient.status_code == 200
    assert "colour" not in lenient.text
    assert (await fhir.get(url, headers={"prefer": "handling=strict"})).status_code == 400


async def test_the_history_of_nothing_is_404_and_of_a_type_empty(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.get("Patient/unknown/_history")).status_code == 404
    assert (await fhir.get("Cauldron/_history")).status_code == 404
    assert "entry" not in (await fhir.get("Patient/_history")).json()
    assert "entry" not in (await fhir.get("_history")).json()


@pytest.mark.parametrize("level", ["Basic/one", "Basic", ""])
async def test_no_entries_where_none_are_asked_for(fhir: httpx.AsyncClient, level: str) -> None:
    await basic(fhir, "one")
    bundle = (await fhir.get(f"{level}/_history?_count=0".lstrip("/"))).json()
    assert "entry" not in bundle
    assert [link["relation"] for link in bundle["link"]] in (["self"], ["self", "first"])


@pytest.mark.parametrize(("method", "url"), [("POST", "_history"), ("PUT", "Basic/_history"), ("DELETE", "_history")])
async def test_a_history_is_only_read(fhir: httpx.AsyncClient, method: str, url: str) -> None:
    response = await fhir.request(method, url, json={"resourceType": "Basic"})
    assert response.status_code in (400, 405)


@pytest.mark.parametrize("level", ["Basic/large", "Basic", ""])
async def test_versions_that_are_large_come_on_more_pages(
    fhir: httpx.AsyncClient, database_url: str, level: str
) -> None:
    await fhir.put("Basic/large", json={"resourceType": "Basic", "id": "large", "code": {"text": "x"}})
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "INSERT INTO resource_history (type, id, version, last_updated, method, body)"
        " SELECT type, id, version + n, last_updated, 'PUT',"
        """ convert_to('{"resourceType":"Basic","code":{"text":"' || repeat('x', 12000000) || '"}}', 'UTF8')"""
        " FROM resource_history, generate_series(1, 6) n WHERE id = 'large'"
    )
    await connection.close()
    found = [page async for page in pages(fhir, f"{level}/_history?_count=100".lstrip("/"))]
    assert [version[-1] for page in found for version in told(page)] == list("7654321")
    assert len(found) == 3


async def test_a_part_of_each_version_is_given_where_asked_for(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#elements"""
    await fhir.put("Patient/robin", json=patient(id="robin"))
    for url in (
        "Patient/_history?_elements=name",
        "_history?_elements=Patient.name",
        "Patient/robin/_history?_elements=name",
    ):
        [entry] = (await fhir.get(url)).json()["entry"]
        assert set(entry["resource"]) == {"resourceType", "id", "meta", "name"}, url
    assert (await fhir.get("_history?_elements=name")).status_code == 400
    assert (await fhir.get("_history?_summary=count")).status_code == 400


async def test_the_first_page_can_be_had_again_as_it_was(fhir: httpx.AsyncClient) -> None:
    for number in range(3):
        await basic(fhir, f"b{number}")
    page = (await fhir.get("_history?_count=2")).json()
    await basic(fhir, "later")
    first = next(link["url"] for link in page["link"] if link["relation"] == "first")
    assert told((await fhir.get(first)).json()) == told(page) == ["Basic/b2/1", "Basic/b1/1"]
