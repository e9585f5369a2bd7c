"""Reference parameters (http://hl7.org/fhir/R4/search.html#reference)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

_MRN: Resource = {"system": "urn:mrn", "value": "7"}


def _observation(id_: str, subject: Resource | None, **more: object) -> Resource:
    observation: Resource = {"resourceType": "Observation", "id": id_, "status": "final", "code": {"text": "x"}}
    return observation | ({"subject": subject} if subject else {}) | more


RESOURCES: list[Resource] = [
    {"resourceType": "Patient", "id": "p"},
    {"resourceType": "Group", "id": "p", "type": "person", "actual": True},
    _observation("patient", {"reference": "Patient/p"}),
    _observation("version", {"reference": "Patient/p/_history/1"}),
    _observation("group", {"reference": "Group/p"}),
    _observation("foreign", {"reference": "http://elsewhere/fhir/Patient/p"}),
    _observation("foreign-group", {"reference": "http://elsewhere/fhir/Group/p"}),
    _observation("logical", {"type": "Patient", "identifier": _MRN}),
    _observation("logical-group", {"type": "Group", "identifier": _MRN}),
    _observation("untold", {"identifier": {"value": "7"}}),
    _observation("nobody", None),
]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("subject=p", "group patient version"),
        ("subject=Patient/p", "patient version"),
        ("subject=Patient/p/_history/1", "patient version"),
        ("subject={base}/Patient/p", "patient version"),
        ("subject:Patient=p", "patient version"),
        ("subject:Group=p", "group"),
        ("subject:Group=Patient/p", ""),
        ("subject=Patient/p,Group/p", "group patient version"),
        ("subject=http://elsewhere/fhir/Patient/p", "foreign"),
        ("subject:Patient=http://elsewhere/fhir/Patient/p", "foreign"),
        ("subject:Group=http://elsewhere/fhir/Patient/p", ""),
        ("subject=http://elsewhere/fhir/Patient/none", ""),
        ("subject=none", ""),
        ("patient=p", "patient version"),
        ("patient=Patient/p", "patient version"),
        ("patient=Group/p", ""),
        ("patient:Group=p", ""),
        ("patient=http://elsewhere/fhir/Patient/p", "foreign"),
        ("patient=http://elsewhere/fhir/Group/p", ""),
        ("subject:missing=true", "nobody"),
        ("patient:missing=false", "foreign logical patient version"),
    ],
)
async def test_by_id_by_type_and_id_and_by_url(fhir: httpx.AsyncClient, criteria: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#reference: [id], [type]/[id], [url], ``:[type]``."""
    await put(fhir, RESOURCES)
    query = criteria.format(base=str(fhir.base_url).rstrip("/"))
    assert sorted(await found(fhir, f"Observation?{query}")) == expected.split()


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("subject:identifier=7", "logical logical-group untold"),
        ("subject:identifier=urn:mrn|7", "logical logical-group"),
        ("subject:identifier=|7", "untold"),
        ("subject:identifier=urn:other|7", ""),
        ("patient:identifier=7", "logical untold"),
        ("patient:identifier=urn:mrn|7", "logical"),
    ],
)
async def test_by_the_identifier_in_the_reference(fhir: httpx.AsyncClient, criteria: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#reference: ``:identifier`` looks at Reference.identifier."""
    await put(fhir, RESOURCES)
    assert sorted(await found(fhir, f"Observation?{criteria}")) == expected.split()


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("instantiates-canonical=http://a/plan", "one two"),
        ("instantiates-canonical=http://a/plan|2", "two"),
        ("instantiates-canonical=http://a/plan|1", ""),
        ("instantiates-canonical:missing=true", ""),
    ],
)
async def test_by_canonical_url(fhir: httpx.AsyncClient, criteria: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/references.html#canonical: without a version, any version."""
    plan: Resource = {"resourceType": "CarePlan", "status": "active", "intent": "plan"}
    plan |= {"subject": {"reference": "Patient/p"}}
    named = {"one": "http://a/plan", "two": "http://a/plan|2"}
    await put(fhir, [RESOURCES[0], *(plan | {"id": id_, "instantiatesCanonical": [u]} for id_, u in named.items())])
    assert sorted(await found(fhir, f"CarePlan?{criteria.replace('|', '%5C%7C')}")) == expected.split()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Observation?subject=", "value"),
        ("Observation?subject:identifier=a|b|c", "value"),
        ("Observation?subject:identifier=urn:mrn|", "value"),
        ("Observation?focus=1", "value"),
        ("Observation?subject:exact=Patient/p", "not-supported"),
        ("Observation?subject:Bogus=p", "not-supported"),
    ],
)
async def test_what_names_nothing_is_refused(fhir: httpx.AsyncClient, query: str, code: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors; an id alone needs a type where any is allowed."""
    assert await refused(fhir, query) == code


async def test_a_version_in_a_search_is_ignored_and_that_is_told(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#versions"""
    await put(fhir, [{"resourceType": "Patient", "id": "v"}, _plan_of("v")])
    told = (await fhir.get("CarePlan?subject=Patient/v/_history/7")).json()
    *matches, warning = told["entry"]
    assert [entry["resource"]["id"] for entry in matches] == ["of-v"]
    assert warning["search"] == {"mode": "outcome"}
    assert warning["resource"]["issue"][0]["severity"] == "warning"
    plain = (await fhir.get("CarePlan?subject=Patient/v")).json()
    assert [entry["search"]["mode"] for entry in plain["entry"]] == ["match"]


def _plan_of(patient: str) -> Resource:
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "CarePlan", "id": f"of-{patient}", "status": "active", "intent": "plan", "subject": subject}
