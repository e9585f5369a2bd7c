"""Token parameters (http://hl7.org/fhir/R4/search.html#token)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"


def _observation(id_: str, *codings: Resource, text: str | None = None) -> Resource:
    code: Resource = {"coding": list(codings)} if codings else {}
    return {
        "resourceType": "Observation",
        "id": id_,
        "status": "final",
        "code": code | ({"text": text} if text else {}),
    }


OBSERVATIONS = [
    _observation("weight", {"system": LOINC, "code": "29463-7", "display": "Body weight"}, text="Weight today"),
    _observation("height", {"system": LOINC, "code": "8302-2", "display": "Body height"}),
    _observation("local", {"code": "29463-7"}, text="body mass"),
    _observation("both", {"system": LOINC, "code": "8302-2"}, {"system": SNOMED, "code": "Height"}),
    _observation("words", text="Only words"),
]
MEDICAL_RECORD = {"coding": [{"system": "urn:types", "code": "MR"}], "text": "Medical record number"}
PATIENTS: list[Resource] = [
    {
        "resourceType": "Patient",
        "id": "known",
        "active": True,
        "identifier": [
            {"system": "urn:mrn", "value": "Ab1", "type": MEDICAL_RECORD},
            {"system": "urn:ssn", "value": "77"},
        ],
        "telecom": [{"system": "phone", "value": "555"}],
    },
    {
        "resourceType": "Patient",
        "id": "other",
        "active": False,
        "identifier": [{"value": "77", "type": MEDICAL_RECORD}],
        "deceasedBoolean": False,
    },
    {"resourceType": "Patient", "id": "bare", "deceasedDateTime": "2024-02"},
]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("code=29463-7", "local weight"),
        (f"code={LOINC}|29463-7", "weight"),
        ("code=|29463-7", "local"),
        (f"code={SNOMED}|", "both"),
        (f"code={SNOMED}|HEIGHT", "both"),
        (f"code={SNOMED}|8302-2", ""),
        (f"code=29463-7,{LOINC}|8302-2", "both height local weight"),
        ("status=final", "both height local weight words"),
        ("status=http://hl7.org/fhir/observation-status|final&code=height", "both"),
        ("status=amended,http://hl7.org/fhir/observation-status|&code=height", "both"),
        ("status:not=http://hl7.org/fhir/observation-status|", ""),
        ("code:missing=true", ""),
        ("category:missing=true&code=height", "both"),
    ],
)
async def test_codes_with_and_without_their_system(fhir: httpx.AsyncClient, criteria: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#token: code, system|code, |code, system|."""
    await put(fhir, OBSERVATIONS)
    assert sorted(await found(fhir, f"Observation?{criteria}")) == expected.split()


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("code:not=29463-7", "both height words"),
        (f"code:not={LOINC}|8302-2", "local weight words"),
        ("code:not=29463-7,8302-2", "words"),
        ("category:not=vital-signs", "both height local weight words"),
    ],
)
async def test_not_finds_also_what_has_no_value(fhir: httpx.AsyncClient, criteria: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#modifiers: ``:not`` reverses the match, resources without a value included."""
    await put(fhir, OBSERVATIONS)
    assert sorted(await found(fhir, f"Observation?{criteria}")) == sorted(expected.split())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Observation?code:text=body", "height local weight"),
        ("Observation?code:text=BODY W", "weight"),
        ("Observation?code:text=weight", "weight"),
        ("Observation?code:text=words", ""),
        ("Observation?code:text=only,body h", "height words"),
        ("Observation?code:text=29463-7", ""),
        ("Patient?identifier:text=medical", "known other"),
    ],
)
async def test_text_searches_what_people_read(fhir: httpx.AsyncClient, query: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/valueset-search-modifier-code.html: CodeableConcept.text, Coding.display,
    Identifier.type.text, processed as a string."""
    await put(fhir, [*OBSERVATIONS, *PATIENTS])
    assert sorted(await found(fhir, query)) == expected.split()


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("identifier=77", "known other"),
        ("identifier=urn:ssn|77", "known"),
        ("identifier=|77", "other"),
        ("identifier=urn:mrn|", "known"),
        ("identifier=ab1", ""),
        ("identifier:of-type=urn:types|MR|77", "other"),
        ("identifier:of-type=urn:types|MR|Ab1", "known"),
        ("identifier:of-type=urn:types|MR|Ab1,urn:types|MR|77", "known other"),
        ("identifier:of-type=urn:types|SS|77", ""),
        ("identifier:not=77", "bare"),
        ("identifier:missing=true", "bare"),
        ("phone=555", "known"),
        ("telecom=phone|555", "known"),
        ("telecom=email|555", ""),
        ("active=true", "known"),
        ("active:not=true", "bare other"),
        ("deceased=true", "bare"),
        ("deceased=false", "known other"),
    ],
)
async def test_identifiers_contact_points_and_booleans(fhir: httpx.AsyncClient, criteria: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#token: the table of types; ``:of-type`` is type system|type code|value."""
    await put(fhir, PATIENTS)
    assert sorted(await found(fhir, f"Patient?{criteria}")) == expected.split()


@pytest.mark.parametrize(
    "query",
    [
        "Observation?code:bogus=1",
        "Observation?code:exact=1",
        "Observation?code:of-type=a|b|c",
        "Observation?status:text=final",
        "Observation?status:of-type=a|b|c",
        "Patient?identifier:in=http://hl7.org/fhir/ValueSet/administrative-gender",
        "Patient?active:in=http://hl7.org/fhir/ValueSet/administrative-gender",
        "Patient?active:below=urn:x|1",
        "Patient?telecom:text=555",
        "Patient?_id:text=x",
        "Patient?identifier:contains=7",
    ],
)
async def test_a_modifier_that_a_token_does_not_take_is_refused(fhir: httpx.AsyncClient, query: str) -> None:
    """http://hl7.org/fhir/R4/search.html#modifiers: servers SHALL reject a modifier that they do not support."""
    assert await refused(fhir, query) == "not-supported"


@pytest.mark.parametrize(
    "criteria",
    [
        "identifier=a|b|c",
        "identifier=|",
        "identifier:of-type=MR|77",
        "identifier:of-type=|MR|77",
        "identifier:of-type=a|b|",
        "identifier=a,,b",
        "identifier=",
        "active:missing=maybe",
    ],
)
async def test_a_malformed_token_is_refused(fhir: httpx.AsyncClient, criteria: str) -> None:
    """http://hl7.org/fhir/R4/search.html#token."""
    assert await refused(fhir, f"Patient?{criteria}") == "value"
