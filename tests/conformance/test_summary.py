"""``_summary`` (http://hl7.org/fhir/R4/search.html#summary), on searches and on reads (http.html#parameters)."""

from typing import Any

import httpx
import pytest

from tests.factories.resources import bundle, care_plan, entry, observation, patient

Resource = dict[str, Any]
TAG = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Rest, then walk.</div>'}


def _plan(subject: str, **more: Any) -> Resource:
    activity = [{"detail": {"status": "not-started", "description": "Walk"}}]
    return care_plan(subject, text=TEXT, title="Pain plan", activity=activity, note=[{"text": "slowly"}]) | more


async def _stored(fhir: httpx.AsyncClient) -> str:
    """The address of a plan."""
    subject = (await fhir.post("Patient", json=patient())).json()["id"]
    plan = (await fhir.post("CarePlan", json=_plan(f"Patient/{subject}"))).json()
    return f"CarePlan/{plan['id']}"


async def _read(fhir: httpx.AsyncClient, address: str) -> Resource:
    answer = await fhir.get(address)
    assert answer.status_code == 200, answer.text
    found: Resource = answer.json()
    return found


async def test_true_gives_the_elements_of_the_summary_at_any_depth(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#summary: those marked as summary in the base definition."""
    address = await _stored(fhir)
    part = await _read(fhir, f"{address}?_summary=true")
    assert set(part) == {"resourceType", "id", "meta", "status", "intent", "title", "subject", "period", "category"}
    assert part["meta"]["tag"] == [TAG]

    answer = await fhir.post(
        "Patient",
        json=patient(
            photo=[{"contentType": "image/png", "data": "aGVsbG8="}],
            name=[{"family": "A", "extension": [{"url": "http://example.org/e", "valueString": "x"}]}],
        ),
    )
    part = await _read(fhir, f"Patient/{answer.json()['id']}?_summary=true")
    assert "photo" not in part
    assert part["name"] == [{"family": "A"}]


async def test_required_elements_and_modifiers_are_in_every_summary(fhir: httpx.AsyncClient) -> None:
    """#summary: mandatory elements are kept; a modifier extension changes the meaning of what is kept."""
    modifier = [{"url": "http://example.org/not", "valueBoolean": True}]
    source = {
        "resourceType": "Linkage",
        "active": True,
        "item": [
            {"type": "source", "resource": {"display": "one"}},
            {"type": "alternate", "resource": {"display": "b"}},
        ],
        "modifierExtension": modifier,
        "text": TEXT,
    }
    address = f"Linkage/{(await fhir.post('Linkage', json=source)).json()['id']}"
    for summary in ("true", "text"):
        part = await _read(fhir, f"{address}?_summary={summary}")
        assert part["item"] == source["item"]
        assert part["modifierExtension"] == modifier


async def test_text_gives_the_narrative_and_what_is_required(fhir: httpx.AsyncClient) -> None:
    part = await _read(fhir, f"{await _stored(fhir)}?_summary=text")
    assert set(part) == {"resourceType", "id", "meta", "text", "status", "intent", "subject"}
    assert part["text"] == TEXT


async def test_data_gives_all_but_the_narrative(fhir: httpx.AsyncClient) -> None:
    address = await _stored(fhir)
    whole, part = await _read(fhir, address), await _read(fhir, f"{address}?_summary=data")
    assert part["meta"].pop("tag") == [TAG]
    assert part == {name: value for name, value in whole.items() if name != "text"}


async def test_false_gives_the_stored_bytes(fhir: httpx.AsyncClient) -> None:
    address = await _stored(fhir)
    assert (await fhir.get(f"{address}?_summary=false")).content == (await fhir.get(address)).content


async def test_what_is_stored_and_its_etag_stay_the_same(fhir: httpx.AsyncClient) -> None:
    address = await _stored(fhir)
    before = await fhir.get(address)
    part = await fhir.get(f"{address}?_summary=true")
    assert part.headers["etag"] == before.headers["etag"] == 'W/"1"'
    unchanged = await fhir.get(f"{address}?_summary=true", headers={"if-none-match": 'W/"1"'})
    assert unchanged.status_code == 304
    assert (await fhir.get(address)).content == before.content


async def test_decimals_keep_their_digits_in_a_summary(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/json.html#decimal"""
    subject = f"Patient/{(await fhir.post('Patient', json=patient())).json()['id']}"
    body = observation(subject)
    text = httpx.Request("POST", "http://x", json=body).content.replace(b"6.3", b"6.30")
    made = await fhir.post("Observation", content=text, headers={"content-type": "application/fhir+json"})
    part = await fhir.get(f"Observation/{made.json()['id']}?_summary=true")
    assert b'"value":6.30' in part.content


@pytest.mark.parametrize("summary", ["true", "text", "data"])
async def test_a_search_gives_parts_and_says_so_in_its_self_link(fhir: httpx.AsyncClient, summary: str) -> None:
    address = await _stored(fhir)
    found = await _read(fhir, f"CarePlan?status=active&_summary={summary}")
    [match] = found["entry"]
    assert match["resource"] == await _read(fhir, f"{address}?_summary={summary}")
    assert found["link"][0]["url"].endswith(f"CarePlan?status=active&_summary={summary}")


async def test_includes_are_summarized_too_but_not_with_text(fhir: httpx.AsyncClient) -> None:
    """#summary: _include and _revinclude cannot be mixed with _summary=text."""
    await _stored(fhir)
    found = await _read(fhir, "CarePlan?_include=CarePlan:subject&_summary=true")
    assert [each["resource"]["meta"].get("tag") for each in found["entry"]] == [[TAG], [TAG]]
    for name, value in (("_include", "CarePlan:subject"), ("_revinclude", "Provenance:target")):
        answer = await fhir.get(f"CarePlan?{name}={value}&_summary=text")
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["code"] == "not-supported"


async def test_count_gives_the_total_alone(fhir: httpx.AsyncClient) -> None:
    """#summary: as _count=0."""
    await _stored(fhir)
    for query in ("_summary=count", "_count=0"):
        found = await _read(fhir, f"CarePlan?{query}")
        assert found["total"] == 1
        assert "entry" not in found
        assert [link["relation"] for link in found["link"]] == ["self"]


async def test_a_history_gives_parts_of_versions(fhir: httpx.AsyncClient) -> None:
    address = await _stored(fhir)
    whole = await _read(fhir, address)
    assert (await fhir.put(address, json=whole | {"title": "Second"})).status_code == 200
    found = await _read(fhir, f"{address}/_history?_summary=true&_count=1")
    [newest] = found["entry"]
    assert (newest["resource"]["title"], newest["resource"]["meta"]["tag"]) == ("Second", [TAG])
    assert "activity" not in newest["resource"]
    following = next(link["url"] for link in found["link"] if link["relation"] == "next")
    [oldest] = (await _read(fhir, following))["entry"]
    assert "activity" not in oldest["resource"]
    counted = await _read(fhir, f"{address}/_history?_summary=count")
    assert counted["total"] == 2
    assert "entry" not in counted


async def test_a_past_version_is_summarized(fhir: httpx.AsyncClient) -> None:
    part = await _read(fhir, f"{await _stored(fhir)}/_history/1?_summary=text")
    assert set(part) == {"resourceType", "id", "meta", "text", "status", "intent", "subject"}


async def test_an_entry_of_a_batch_is_summarized(fhir: httpx.AsyncClient) -> None:
    asked = bundle("batch", entry("GET", f"{await _stored(fhir)}?_summary=text"))
    [found] = (await fhir.post("", json=asked)).json()["entry"]
    assert found["resource"]["meta"]["tag"] == [TAG]


@pytest.mark.parametrize("value", ["bogus", "", "TRUE", "count"])
async def test_a_value_that_it_does_not_take_is_400(fhir: httpx.AsyncClient, value: str) -> None:
    address = await _stored(fhir)
    assert (await fhir.get(f"{address}?_summary={value}")).status_code == 400
    if value != "count":
        assert (await fhir.get(f"CarePlan?_summary={value}")).status_code == 400
        assert (await fhir.get(f"{address}/_history?_summary={value}")).status_code == 400


async def test_a_part_is_never_stored(fhir: httpx.AsyncClient) -> None:
    """#elements: the tag ensures that the incomplete resource is not used to overwrite a complete one."""
    address = await _stored(fhir)
    before = (await fhir.get(address)).content
    part = await _read(fhir, f"{address}?_summary=true")
    answer = await fhir.put(address, json=part)
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["CarePlan.meta.tag[0]"]
    in_bundle = await fhir.post("", json=bundle("transaction", entry("PUT", address, part)))
    assert in_bundle.status_code == 422
    assert (await fhir.post("CarePlan", json=part)).status_code == 422
    assert (await fhir.get(address)).content == before
    assert (await _read(fhir, "CarePlan?_summary=count"))["total"] == 1
