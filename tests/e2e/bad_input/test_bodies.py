"""Bodies through the gateway that cannot be taken: no resource, too long, of another media type, against a rule."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.fhir.json import dumps
from tests.e2e.bad_input.refusals import DEEP, FHIR, refused
from tests.factories.edge import Edge
from tests.factories.resources import care_plan, observation, patient

TYPES = ("Patient", "Task", "Communication")
"""One of each service."""

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


@pytest.mark.parametrize("url", ["/fhir", "/fhir/Patient", "/fhir/Task", "/api/plans"])
async def test_a_body_over_the_limit_is_413(quiet: Edge, url: str) -> None:
    size = 34_000_000 if url == "/fhir" else 20_000_000
    await refused(quiet, "POST", url, 413, content=b" " * size, headers=FHIR)

    async def without_length() -> AsyncIterator[bytes]:
        for _ in range(size // 1_000_000):
            yield b" " * 1_000_000

    await refused(quiet, "POST", url, 413, content=without_length(), headers=FHIR)


@pytest.mark.parametrize("type_", TYPES)
async def test_another_media_type_is_415(quiet: Edge, type_: str) -> None:
    for media in (
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
