"""URI parameters (http://hl7.org/fhir/R4/search.html#uri), and ``_profile``, ``_source`` of ``meta``."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

VALUE_SETS: list[Resource] = [
    {"resourceType": "ValueSet", "id": id_, "status": "active", "url": url}
    for id_, url in (
        ("a", "http://acme/fhir/ValueSet/1"),
        ("b", "http://acme/fhir/ValueSet/123"),
        ("c", "urn:oid:1.2.3"),
    )
]
PATIENTS: list[Resource] = [
    {
        "resourceType": "Patient",
        "id": "core",
        "meta": {"profile": ["http://p/us/core/patient|7.0.0"], "source": "http://ehr/a"},
    },
    {"resourceType": "Patient", "id": "other", "meta": {"profile": ["http://p/us/corepatient"]}},
    {"resourceType": "Patient", "id": "none"},
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ValueSet?url=http://acme/fhir/ValueSet/1", "a"),
        ("ValueSet?url=http://acme/fhir/valueset/1", ""),
        ("ValueSet?url=http://acme/fhir/ValueSet/1,urn:oid:1.2.3", "a c"),
        ("ValueSet?url:below=http://acme/fhir/ValueSet", "a b"),
        ("ValueSet?url:below=http://acme/fhir/ValueSet/", "a b"),
        ("ValueSet?url:below=http://acme/fhir/ValueSet/1", "a"),
        ("ValueSet?url:below=http://acme/fhir/Value", ""),
        ("ValueSet?url:below=urn:oid:1.2.3", "c"),
        ("ValueSet?url:above=http://acme/fhir/ValueSet/1/_history/5", "a"),
        ("ValueSet?url:above=http://acme/fhir/ValueSet/12", ""),
        ("ValueSet?url:missing=true", ""),
        ("Patient?_profile=http://p/us/core/patient", "core"),
        ("Patient?_profile=http://p/us/core/patient|7.0.0", "core"),
        ("Patient?_profile=http://p/us/core/patient|6.1.0", ""),
        ("Patient?_profile:below=http://p/us/core", "core"),
        ("Patient?_profile:below=http://p", "core other"),
        ("Patient?_profile:missing=true", "none"),
        ("Patient?_source=http://ehr/a", "core"),
        ("Patient?_source:below=http://ehr", "core"),
    ],
)
async def test_a_url_a_branch_and_what_is_above(fhir: httpx.AsyncClient, query: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#uri: exact and case-sensitive; ``:below`` and ``:above`` go by path."""
    await put(fhir, [*VALUE_SETS, *PATIENTS])
    assert sorted(await found(fhir, query)) == expected.split()


@pytest.mark.parametrize("modifier", ["contains", "exact", "not", "text"])
async def test_another_modifier_is_refused(fhir: httpx.AsyncClient, modifier: str) -> None:
    """http://hl7.org/fhir/R4/search.html#modifiers."""
    assert await refused(fhir, f"ValueSet?url:{modifier}=http://acme") == "not-supported"
