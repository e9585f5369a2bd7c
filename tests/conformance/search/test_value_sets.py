"""Tokens by value set and by hierarchy: ``:in :not-in :above :below`` (http://hl7.org/fhir/R4/search.html#token)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

ANIMALS = "http://example.org/animals"
SET = "http://example.org/ValueSet/"


def _value_set(name: str, **more: object) -> Resource:
    return {"resourceType": "ValueSet", "id": name, "url": SET + name, "status": "active"} | more


def _include(*parts: Resource) -> Resource:
    return {"include": list(parts)}


def _codes(*codes: str) -> Resource:
    return {"system": ANIMALS, "concept": [{"code": code} for code in codes]}


SETS = [
    _value_set("pets", version="2", compose=_include(_codes("cat", "dog"))),
    _value_set(
        "expanded",
        expansion={
            "timestamp": "2024-01-01",
            "contains": [
                {
                    "system": ANIMALS,
                    "code": "mammal",
                    "abstract": True,
                    "contains": [{"system": ANIMALS, "code": "cat"}],
                }
            ],
        },
    ),
    _value_set("all-animals", compose=_include({"system": ANIMALS})),
    _value_set("not-cats", compose=_include({"valueSet": [SET + "pets"]}) | {"exclude": [_codes("cat")]}),
    _value_set("common", compose=_include({"valueSet": [SET + "pets", SET + "expanded"]})),
    _value_set(
        "mammals",
        compose=_include({"system": ANIMALS, "filter": [{"property": "concept", "op": "is-a", "value": "mammal"}]}),
    ),
    _value_set(
        "below-mammals",
        compose=_include(
            {"system": ANIMALS, "filter": [{"property": "concept", "op": "descendent-of", "value": "mammal"}]}
        ),
    ),
    _value_set(
        "regex", compose=_include({"system": ANIMALS, "filter": [{"property": "code", "op": "regex", "value": "c.*"}]})
    ),
    _value_set("minus", compose=_include({"system": ANIMALS}) | {"exclude": [_codes("cat")]}),
    _value_set("round", compose=_include({"valueSet": [SET + "round"]})),
    _value_set("empty"),
    _value_set("far", compose=_include({"valueSet": ["http://example.org/ValueSet/nowhere"]})),
]
CODE_SYSTEMS: list[Resource] = [
    {
        "resourceType": "CodeSystem",
        "id": "animals",
        "url": ANIMALS,
        "status": "active",
        "content": "complete",
        "hierarchyMeaning": "is-a",
        "concept": [
            {"code": "mammal", "concept": [{"code": "cat", "concept": [{"code": "kitten"}]}, {"code": "dog"}]},
            {"code": "bird"},
            {"code": "wren", "property": [{"code": "parent", "valueCode": "bird"}]},
        ],
    },
    {
        "resourceType": "CodeSystem",
        "id": "part",
        "url": "http://example.org/part",
        "status": "active",
        "content": "fragment",
        "concept": [{"code": "a"}],
    },
]
CONDITIONS: list[Resource] = [
    {
        "resourceType": "Condition",
        "id": code,
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": ANIMALS, "code": code}]},
    }
    for code in ("mammal", "cat", "kitten", "dog", "bird", "wren")
]
WORDS: Resource = {
    "resourceType": "Condition",
    "id": "words",
    "subject": {"reference": "Patient/p"},
    "code": {"text": "x"},
}
PATIENT: Resource = {"resourceType": "Patient", "id": "p", "gender": "female"}


@pytest.fixture
async def stocked(fhir: httpx.AsyncClient) -> httpx.AsyncClient:
    await put(fhir, [PATIENT, *SETS, *CODE_SYSTEMS, *CONDITIONS, WORDS])
    return fhir


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        (f"code:in={SET}pets", "cat dog"),
        (f"code:in={SET}pets|2", "cat dog"),
        ("code:in=ValueSet/pets", "cat dog"),
        ("code:in=http://test/fhir/ValueSet/pets", "cat dog"),
        (f"code:in={SET}expanded", "cat"),
        (f"code:in={SET}all-animals", "bird cat dog kitten mammal wren"),
        (f"code:in={SET}not-cats", "dog"),
        (f"code:in={SET}common", "cat"),
        (f"code:in={SET}mammals", "cat dog kitten mammal"),
        (f"code:in={SET}below-mammals", "cat dog kitten"),
        (f"code:in={SET}expanded,{SET}not-cats", "cat dog"),
        (f"code:not-in={SET}mammals", "bird words wren"),
        (f"code:not-in={SET}all-animals", "words"),
        (f"code:below={ANIMALS}|cat", "cat kitten"),
        (f"code:below={ANIMALS}|bird", "bird wren"),
        (f"code:above={ANIMALS}|kitten", "cat kitten mammal"),
        (f"code:above={ANIMALS}|wren,{ANIMALS}|dog", "bird dog mammal wren"),
    ],
)
async def test_codes_of_a_value_set_and_of_a_hierarchy(
    stocked: httpx.AsyncClient, criteria: str, expected: str
) -> None:
    """http://hl7.org/fhir/R4/search.html#modifiers: a value set by its canonical URL or its address, subsumption."""
    assert sorted(await found(stocked, f"Condition?{criteria}")) == expected.split()


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ("gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", ["p"]),
        ("gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender", []),
        ("gender:in=http://hl7.org/fhir/ValueSet/observation-status", []),
    ],
)
async def test_value_sets_of_required_bindings_are_known(
    stocked: httpx.AsyncClient, criteria: str, expected: list[str]
) -> None:
    """http://hl7.org/fhir/R4/terminologies.html#required."""
    assert await found(stocked, f"Patient?{criteria}") == expected


@pytest.mark.parametrize(
    ("criteria", "code"),
    [
        (f"code:in={SET}nowhere", "not-found"),
        (f"code:in={SET}pets|1", "not-found"),
        (f"code:in={SET}far", "not-found"),
        ("code:in=ValueSet/nowhere", "not-found"),
        (f"code:in={SET}regex", "not-supported"),
        (f"code:in={SET}minus", "not-supported"),
        (f"code:in={SET}round", "not-supported"),
        (f"code:in={SET}empty", "not-supported"),
        (f"clinical-status:in={SET}nowhere", "not-found"),
        ("code:below=http://example.org/part|a", "not-found"),
        ("code:below=http://snomed.info/sct|1", "not-found"),
        (f"code:below={ANIMALS}|unicorn", "code-invalid"),
        ("code:below=cat", "value"),
        (f"code:above={ANIMALS}|", "value"),
        ("code:in=" + ",".join(f"{SET}x{number}" for number in range(60)), "too-costly"),
    ],
)
async def test_what_cannot_be_expanded_is_refused(stocked: httpx.AsyncClient, criteria: str, code: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors."""
    assert await refused(stocked, f"Condition?{criteria}") == code


async def test_a_system_without_its_codes_says_nothing_of_a_bare_code(stocked: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#token: a ``code`` has no system of its own to compare."""
    assert await refused(stocked, f"Patient?gender:in={SET}all-animals") == "not-supported"
