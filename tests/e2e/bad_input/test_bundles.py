"""Bundles that are none, and entries that cannot be taken: the others still can in a batch, none in a transaction."""

import json
from typing import Any

import pytest

from tests.e2e.bad_input.refusals import DEEP, FHIR, refused
from tests.factories.edge import Edge
from tests.factories.resources import bundle, entry, observation, patient


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
    "a patch that is none": (
        entry("PATCH", "Patient/p1", {"resourceType": "Parameters", "parameter": [{"name": "other"}]}),
        "400",
    ),
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
