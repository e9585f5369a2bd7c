"""Prefer (http://hl7.org/fhir/R4/http.html#ops, http://hl7.org/fhir/R4/search.html#errors)."""

import httpx
import pytest

from tests.factories.patches import json_patch
from tests.factories.resources import bundle, entry, patient

RETURNS = pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ({}, "Patient"),
        ({"prefer": "return=minimal"}, None),
        ({"prefer": "return=representation"}, "Patient"),
        ({"prefer": "return=OperationOutcome"}, "OperationOutcome"),
        ({"prefer": 'handling=strict; return="minimal"'}, None),
        ({"prefer": "return=nonsense"}, "Patient"),
    ],
)


def _type(answer: httpx.Response) -> str | None:
    return answer.json()["resourceType"] if answer.content else None


@RETURNS
async def test_return_on_create_update_and_patch(
    fhir: httpx.AsyncClient, prefer: dict[str, str], expected: str | None
) -> None:
    created = await fhir.post("Patient", json=patient(), headers=prefer)
    url = created.headers["location"].removeprefix("http://test/fhir/").partition("/_history")[0]
    patch = json_patch({"op": "replace", "path": "/gender", "value": "male"})
    answers = [
        created,
        await fhir.put(url, json=patient(id=url.partition("/")[2]), headers=prefer),
        await fhir.put(f"Patient?_id={url.partition('/')[2]}", json=patient(), headers=prefer),
        await fhir.patch(url, content=patch["content"], headers=patch["headers"] | prefer),
    ]
    assert [_type(answer) for answer in answers] == [expected] * 4
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200]
    assert all("etag" in answer.headers and "location" in answer.headers for answer in answers)


@pytest.mark.parametrize(
    ("value", "status", "expected"),
    [("OperationOutcome", 200, "OperationOutcome"), ("minimal", 204, None), ("representation", 204, None)],
)
async def test_return_on_delete(fhir: httpx.AsyncClient, value: str, status: int, expected: str | None) -> None:
    """There is no representation of what is gone."""
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answer = await fhir.delete("Patient/robin", headers={"prefer": f"return={value}"})
    assert (answer.status_code, _type(answer)) == (status, expected)


@pytest.mark.parametrize("kind", ["transaction", "batch"])
@pytest.mark.parametrize(
    ("value", "member"), [("minimal", None), ("representation", "resource"), ("OperationOutcome", "outcome")]
)
async def test_a_bundles_preference_is_that_of_each_entry(
    fhir: httpx.AsyncClient, kind: str, value: str, member: str | None
) -> None:
    answer = await fhir.post(
        "",
        json=bundle(kind, entry("POST", "Patient", patient()), entry("PUT", "Patient/robin", patient(id="robin"))),
        headers={"prefer": f"return={value}"},
    )
    for told in answer.json()["entry"]:
        found = set(told) | set(told["response"])
        assert ("resource" in found) == (member == "resource")
        assert ("outcome" in found) == (member == "outcome")


@pytest.mark.parametrize(("handling", "status"), [("strict", 400), ("lenient", 200)])
async def test_handling_of_unknown_search_parameters(fhir: httpx.AsyncClient, handling: str, status: int) -> None:
    headers = {"prefer": f"handling={handling}"}
    assert (await fhir.get("Patient?nonsense=1", headers=headers)).status_code == status
    both = bundle("batch", entry("GET", "Patient?nonsense=1"))
    answer = await fhir.post("", json=both, headers=headers)
    assert answer.json()["entry"][0]["response"]["status"].startswith(str(status))
