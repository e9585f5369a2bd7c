"""Bad input through the gateway: the right status, an OperationOutcome or a problem, and nothing stored."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shared.fhir.json import dumps
from tests.factories.edge import Edge, edge, fresh_databases
from tests.factories.resources import bundle, care_plan, entry, observation, patient

FHIR = {"content-type": "application/fhir+json"}
REST = {"content-type": "application/json"}
DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
TYPES = ("Patient", "Task", "Communication")
"""One of each service."""


@pytest.fixture(scope="module")
async def quiet(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """A system without workers, so that nothing but requests changes what is stored."""
    async with fresh_databases(postgres, templates) as databases, edge(databases, background=False) as running:
        for resource in (
            patient(id="p1"),
            care_plan("Patient/p1", id="c1"),
            {"resourceType": "Organization", "id": "o1", "name": "x"},
        ):
            assert (await running.put(resource)).status_code == 201
        yield running


async def refused(edge: Edge, method: str, url: str, status: int | set[int], **more: Any) -> httpx.Response:
    """The refusal of a request; fails when anything was stored or the body is not what the address speaks."""
    before = await edge.rows()
    answer = await edge.ask(method, url, **more)
    assert answer.status_code in ({status} if isinstance(status, int) else status), answer.text
    told(answer, url)
    assert await edge.rows() == before
    return answer


def told(answer: httpx.Response, url: str) -> None:
    """The body of an error: an OperationOutcome below ``/fhir``, a problem elsewhere."""
    if answer.request.method == "HEAD":
        assert answer.content == b""
    elif url.startswith("/fhir"):
        assert answer.headers["content-type"].startswith("application/fhir+json")
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome"
        assert outcome["issue"][0]["severity"] in ("error", "fatal")
        assert outcome["issue"][0]["diagnostics"]
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


BODIES: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "blank": (b"   ", 400),
    "truncated": (b'{"resourceType":"%s","id":"', 400),
    "a list": (b"[]", 400),
    "null": (b"null", 400),
    "a number": (b"1", 400),
    "a string": (b'"%s"', 400),
    "twice": (b'{"resourceType":"%s"}{"resourceType":"%s"}', 400),
    "not UTF-8": (b'{"resourceType":"%s","language":"\xff"}', 400),
    "UTF-16": ('{"resourceType":"Patient"}'.encode("utf-16"), 400),
    "a lone surrogate": (b'{"resourceType":"%s","language":"\\ud800"}', 400),
    "a NUL": (b'{"resourceType":"%s","language":"a\\u0000"}', 422),
    "deep": (b'{"resourceType":"%s","extension":[' + DEEP + b"]}", 400),
    "another type": (b'{"resourceType":"Basic"}', 400),
    "no type": (b"{}", 400),
    "type of another type": (b'{"resourceType":7}', 400),
    "an unknown element": (b'{"resourceType":"%s","nonsense":1}', 422),
    "wrong JSON type": (b'{"resourceType":"%s","meta":[]}', 422),
    "not a number": (b'{"resourceType":"%s","language":NaN}', 400),
    "a huge number": (b'{"resourceType":"%s","implicitRules":1e999999999}', 422),
    "a long number": (b'{"resourceType":"%s","implicitRules":' + b"9" * 100_000 + b"}", 400),
}


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_cannot_be_taken(quiet: Edge, type_: str, name: str) -> None:
    raw, status = BODIES[name]
    body = raw.replace(b"%s", type_.encode())
    await refused(quiet, "POST", f"/fhir/{type_}", status, content=body, headers=FHIR)
    with_id = body.replace(b"{", b'{"id":"x1",', 1) if body.startswith(b'{"resourceType"') else body
    await refused(quiet, "PUT", f"/fhir/{type_}/x1", status, content=with_id, headers=FHIR)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (DEEP, 400),
        (b'{"resourceType":"Patient"}', 400),
        (b'{"resourceType":"Bundle"}', 400),
        (b'{"resourceType":"Bundle","type":"collection"}', 400),
        (b'{"resourceType":"Bundle","type":["batch"]}', 400),
        (b'{"resourceType":"Bundle","type":"batch","entry":{}}', 400),
        (b'{"resourceType":"Bundle","type":"transaction","entry":"x"}', 400),
        (b'{"resourceType":"Bundle","type":"transaction","entry":[1]}', 400),
        (b'{"resourceType":"Bundle","type":"transaction","entry":[{}]}', 400),
    ],
)
async def test_a_bundle_that_is_none(quiet: Edge, body: bytes, status: int) -> None:
    await refused(quiet, "POST", "/fhir", status, content=body, headers=FHIR)
    await refused(quiet, "POST", "/fhir/", status, content=body, headers=FHIR)


ENTRIES: dict[str, tuple[dict[str, Any], str]] = {
    "no request": ({}, "400"),
    "request of another type": ({"request": 7}, "400"),
    "no method": ({"request": {"url": "Patient"}}, "400"),
    "an unknown method": (entry("BREW", "Patient"), "400"),
    "a method that is not served": (entry("PATCH", "Patient/p1", {"resourceType": "Parameters"}), "4"),
    "no URL": ({"request": {"method": "GET"}}, "400"),
    "an empty URL": (entry("GET", ""), "400"),
    "a URL of another server": (entry("GET", "https://example.org/fhir/Patient/1"), "404"),
    "an unknown type": (entry("GET", "Nonsense/1"), "404"),
    "a URL that leads out": (entry("GET", "../api/referrals"), "404"),
    "a POST with an id": (entry("POST", "Patient/p9", patient()), "4"),
    "a PUT without an id": (entry("PUT", "Patient", patient()), "4"),
    "a PUT with another id": (entry("PUT", "Patient/p9", patient(id="p8")), "400"),
    "a PUT without a resource": (entry("PUT", "Patient/p9"), "400"),
    "a resource of another type": (entry("POST", "Patient", {"resourceType": "Basic"}), "400"),
    "a resource that is none": ({"request": {"method": "POST", "url": "Patient"}, "resource": [1]}, "400"),
    "a bogus code": (entry("POST", "Patient", patient(gender="bogus")), "422"),
    "an absent target": (entry("POST", "Observation", observation("Patient/absent")), "422"),
    "a malformed ETag": (entry("PUT", "Patient/p1", patient(id="p1"), ifMatch="7"), "400"),
    "a stale ETag": (entry("PUT", "Patient/p1", patient(id="p1"), ifMatch='W/"9"'), "412"),
}


@pytest.mark.parametrize("name", ENTRIES)
async def test_an_entry_that_cannot_be_taken(quiet: Edge, name: str) -> None:
    bad, status = ENTRIES[name]
    before = await quiet.rows()
    answer = await quiet.ask("POST", "/fhir", json=bundle("batch", bad, entry("GET", "Patient/p1")))
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["entry"]
    assert first["response"]["status"].startswith(status), first
    assert first["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert second["response"]["status"].startswith("200")
    assert await quiet.rows() == before
    good = entry("POST", "Patient", patient())
    whole = await refused(quiet, "POST", "/fhir", set(range(400, 430)), json=bundle("transaction", good, bad))
    assert str(whole.status_code).startswith(status[:1])


async def test_ten_thousand_entries_are_answered(quiet: Edge) -> None:
    many = bundle("batch", *(entry("GET", f"Patient/absent-{number}") for number in range(10_000)))
    answer = await quiet.ask("POST", "/fhir", content=json.dumps(many), headers=FHIR, timeout=60)
    assert answer.status_code == 200
    assert {one["response"]["status"][:3] for one in answer.json()["entry"]} == {"404"}


@pytest.mark.parametrize("url", ["/fhir", "/fhir/Patient", "/fhir/Task", "/api/plans"])
async def test_a_body_over_the_limit_is_413(quiet: Edge, url: str) -> None:
    size = 34_000_000 if url == "/fhir" else 20_000_000
    await refused(quiet, "POST", url, 413, content=b" " * size, headers=FHIR)

    async def without_length() -> AsyncIterator[bytes]:
        for _ in range(size // 1_000_000):
            yield b" " * 1_000_000

    await refused(quiet, "POST", url, 413, content=without_length(), headers=FHIR)


@pytest.mark.parametrize(
    ("method", "url", "status", "headers"),
    [
        ("GET", "/fhir/Patient/absent", 404, {}),
        ("GET", "/fhir/Patient/p1/_history/99", 404, {}),
        ("GET", "/fhir/Patient/p1/_history/x", 404, {}),
        ("GET", "/fhir/Patient/p1/nonsense", 404, {}),
        ("GET", "/fhir/Patient/p1/_history/1/more", 404, {}),
        ("GET", "/fhir/Nonsense", 404, {}),
        ("GET", "/fhir/Nonsense/1", 404, {}),
        ("GET", "/fhir/patient/p1", 404, {}),
        ("GET", "/fhir//Patient/p1", 404, {}),
        ("GET", "/fhir/Patient//p1", 404, {}),
        ("GET", "/fhir/Patient/%00", 404, {}),
        ("GET", "/fhir/Patient/%ff%fe", 404, {}),
        ("GET", "/fhir/Patient/..%2f..%2fapi", 404, {}),
        ("GET", "/fhir/Patient/" + "x" * 65, 404, {}),
        ("GET", "/fhir/Patient/" + "x" * 60_000, 404, {}),
        ("GET", "/fhir/$nonsense", 404, {}),
        ("GET", "/fhir/Patient/p1/$nonsense", 404, {}),
        ("GET", "/nonsense", 404, {}),
        ("GET", "/", 404, {}),
        ("GET", "/api", 404, {}),
        ("GET", "/api/nonsense", 404, {}),
        ("GET", "/api/plans/p1/nonsense", 404, {}),
        ("GET", "/fhir", 405, {}),
        ("DELETE", "/fhir", 405, {}),
        ("POST", "/fhir/metadata", 405, {}),
        ("DELETE", "/fhir/Patient", 405, {}),
        ("PUT", "/fhir/Patient", 405, {}),
        ("PATCH", "/fhir/Patient/p1", 405, {}),
        ("POST", "/fhir/Patient/p1", 405, {}),
        ("OPTIONS", "/fhir/Patient/p1", 405, {}),
        ("TRACE", "/fhir/Patient", 405, {}),
        ("BREW", "/fhir/Patient", 405, {}),
        ("GET", "/fhir/Patient/_search", 405, {}),
        ("DELETE", "/fhir/Patient/p1/_history", 405, {}),
        ("DELETE", "/api/plans", 405, {}),
        ("HEAD", "/fhir/Patient/absent", 404, {}),
        ("GET", "/fhir/Patient/p1", 406, {"accept": "text/plain"}),
        ("GET", "/fhir/metadata", 406, {"accept": "text/html"}),
        ("GET", "/fhir/Patient?_format=xml", 406, {}),
        ("POST", "/fhir/Patient", 406, {"accept": "text/plain"}),
        ("GET", "/fhir/Patient/p1", 400, {"if-none-match": "nonsense"}),
        ("DELETE", "/fhir/Patient/p1", 400, {"if-match": "1"}),
        ("DELETE", "/fhir/Patient/p1", 412, {"if-match": 'W/"99"'}),
        ("DELETE", "/fhir/Patient/p1", 409, {}),
        ("GET", "/fhir/Patient/p1/_history?_count=x", 400, {}),
    ],
)
async def test_a_request_for_what_is_not_there(
    quiet: Edge, method: str, url: str, status: int, headers: dict[str, str]
) -> None:
    answer = await refused(quiet, method, url, status, headers=headers)
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_count=-1", 400),
        ("_count=x", 400),
        ("_count=1e3", 400),
        ("_count=%D9%A1", 400),
        ("_cursor=nonsense", 400),
        ("_cursor=%00", 400),
        ("birthdate=yesterday", 400),
        ("birthdate=2020-13-45", 400),
        ("birthdate=99999", 400),
        ("birthdate=zz2020", 400),
        ("_lastUpdated=ge", 400),
        ("name=%00", 400),
        ("name=%ff", 400),
        ("name=%ed%a0%80", 400),
        ("gender:bogus=x", 400),
        ("_sort=bogus", 400),
        ("_include=bogus", 400),
        ("_total=bogus", 400),
        ("_summary=bogus", 400),
        ("_has:Observation=x", 400),
        ("general-practitioner.bogus=x", 400),
        ("&".join(f"name={number}" for number in range(1000)), 400),
    ],
)
async def test_a_search_that_cannot_be_understood(quiet: Edge, query: str, status: int) -> None:
    await refused(quiet, "GET", f"/fhir/Patient?{query}", status)
    form = {"content-type": "application/x-www-form-urlencoded"}
    await refused(quiet, "POST", "/fhir/Patient/_search", status, content=query, headers=form)


@pytest.mark.parametrize(
    "query", ["_count=0", "_count=1000000000000", "bogus=1", "name=" + "x" * 50_000, "name=%27;DROP%20TABLE%20resource"]
)
async def test_a_search_that_can(quiet: Edge, query: str) -> None:
    answer = await quiet.ask("GET", f"/fhir/Patient?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["type"] == "searchset"
    assert "bogus" not in answer.text


async def test_an_unknown_parameter_is_refused_on_demand(quiet: Edge) -> None:
    await refused(quiet, "GET", "/fhir/Patient?bogus=1", 400, headers={"prefer": "handling=strict"})


@pytest.mark.parametrize("type_", TYPES)
async def test_another_media_type_is_415(quiet: Edge, type_: str) -> None:
    for media in (
        "application/xml",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ):
        body = dumps({"resourceType": type_})
        await refused(quiet, "POST", f"/fhir/{type_}", 415, content=body, headers={"content-type": media})
        await refused(quiet, "POST", "/fhir", 415, content=b"{}", headers={"content-type": media})
    await refused(quiet, "POST", f"/fhir/{type_}/_search", 415, content=b"a=1", headers=FHIR)


@pytest.mark.parametrize(
    "resource",
    [
        patient(gender="bogus"),
        patient(managingOrganization={"reference": "Patient/p1"}),
        patient(link=[{"other": {"reference": "Patient/absent"}, "type": "seealso"}]),
        patient(managingOrganization={"reference": "Nonsense/1"}),
        patient(birthDate="2020-02-30"),
        care_plan("Patient/p1", status="bogus"),
        care_plan("Organization/o1"),
        care_plan("Patient/absent"),
        observation("Patient/p1", status="bogus"),
        observation("Patient/p1", valueQuantity={"value": "six"}),
        {"resourceType": "CarePlan"},
        {"resourceType": "Task", "status": "requested"},
        {"resourceType": "Communication", "status": "bogus"},
    ],
)
async def test_content_that_breaks_a_rule_is_422(quiet: Edge, resource: dict[str, Any]) -> None:
    await refused(quiet, "POST", f"/fhir/{resource['resourceType']}", 422, json=resource)


@pytest.mark.parametrize(
    ("method", "url", "status", "body"),
    [
        ("POST", "/api/plans", 400, b"{"),
        ("POST", "/api/plans", {400, 422}, b""),
        ("POST", "/api/plans", {400, 422}, DEEP),
        ("POST", "/api/plans", {400, 422}, b'{"patient":"\xff"}'),
        ("POST", "/api/plans", 422, b"[]"),
        ("POST", "/api/plans", 422, b"{}"),
        ("POST", "/api/plans", 422, b'{"patient":7}'),
        ("POST", "/api/plans", 422, b'{"patient":"Patient/a\\u0000"}'),
        ("POST", "/api/plans", 422, b'{"patient":"Patient/\\ud800"}'),
        ("POST", "/api/plans", 422, b'{"patient":"Patient/absent"}'),
        ("GET", "/api/plans", 422, None),
        ("GET", "/api/plans?patient=%00", 422, None),
        ("GET", "/api/plans/absent", 404, None),
        ("GET", "/api/plans/%00", 422, None),
        ("GET", "/api/referrals/absent", 404, None),
        ("GET", "/api/referrals?limit=0", 422, None),
        ("GET", "/api/referrals?limit=x", 422, None),
        ("GET", "/api/referrals?status=B%00gus", 422, None),
        ("GET", "/api/referrals?cursor=nonsense", 400, None),
        ("GET", "/api/referrals?cursor=%00", 400, None),
        ("POST", "/api/referrals/absent/steps", 404, b'{"status":"accepted"}'),
        ("POST", "/api/referrals/absent/steps", 422, b'{"status":"accepted","nonsense":1}'),
        ("POST", "/api/referrals/absent/steps", 422, b'{"status":7}'),
        ("PUT", "/api/notifications/preferences", 422, b"{}"),
        ("GET", "/api/notifications/messages?before=x", 422, None),
        ("GET", "/api/notifications/messages?before=99999999999999999999", 422, None),
        ("DELETE", "/api/notifications/preferences", 422, None),
    ],
)
async def test_rest_refuses_with_a_problem(
    quiet: Edge, method: str, url: str, status: int | set[int], body: bytes | None
) -> None:
    await refused(quiet, method, url, status, content=body, headers=REST)
