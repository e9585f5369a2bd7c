"""``_sort`` by every kind of parameter (http://hl7.org/fhir/R4/search.html#sort)."""

from urllib.parse import urlsplit

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

PATIENT: Resource = {"resourceType": "Patient", "id": "p"}
PRACTITIONERS: list[Resource] = [{"resourceType": "Practitioner", "id": id_} for id_ in ("abe", "bea")]
ENCOUNTERS: list[Resource] = [
    {"resourceType": "Encounter", "id": id_, "status": "planned", "class": {"code": "AMB"}} for id_ in ("e1", "e2")
]


def _observation(id_: str, status: str, text: str | None, value: object, encounter: str | None) -> Resource:
    resource: Resource = {
        "resourceType": "Observation",
        "id": id_,
        "status": status,
        "code": {"text": text} if text else {"coding": [{"code": "x"}]},
        "subject": {"reference": "Patient/p"},
        "component": [{"code": {"text": "c"}, "valueQuantity": {"value": 5, "unit": unit}} for unit in ("mg", "kg")],
    }
    if value is not None:
        resource["valueQuantity"] = {"value": value}
    if encounter:
        resource["encounter"] = {"reference": f"Encounter/{encounter}"}
    return resource


OBSERVATIONS = [
    _observation("a", "final", "Weight", 70.5, "e2"),
    _observation("b", "amended", "height", 180, "e1"),
    _observation("c", "final", "Ångström", -3, None),
    _observation("d", "preliminary", None, 70, "e1"),
    _observation("e", "final", "weight", None, "e2"),
]
VALUE_SETS: list[Resource] = [
    {"resourceType": "ValueSet", "id": id_, "status": "active", "url": url}
    for id_, url in (("z", "http://a/1"), ("y", "http://a/B"), ("x", "http://a/b"))
]
RISKS: list[Resource] = [
    {
        "resourceType": "RiskAssessment",
        "id": id_,
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "prediction": [{"probabilityDecimal": value} for value in values],
    }
    for id_, values in (("low", [0.5, 0.1]), ("high", [0.9, 0.2]))
]
EVERYTHING = [PATIENT, *PRACTITIONERS, *ENCOUNTERS, *OBSERVATIONS, *VALUE_SETS, *RISKS]

CASES = [
    # what has no value is last both ways; the order of arrival decides between equals
    ("Observation?_sort=status", "b a c e d"),
    ("Observation?_sort=-status", "d e c a b"),
    ("Observation?_sort=code", "c b a e d"),
    ("Observation?_sort=-code", "e a b c d"),
    ("Observation?_sort=value-quantity", "c d a b e"),
    ("Observation?_sort=-value-quantity", "b a d c e"),
    ("Observation?_sort=component-value-quantity", "a b c d e"),
    ("Observation?subject=Patient/p&_sort=encounter", "b d a e c"),
    ("Observation?subject=Patient/p&_sort=-encounter", "e a d b c"),
    ("Observation?subject=Patient/p&_sort=patient,-value-quantity", "b a d c e"),
    ("Observation?_sort=status,-value-quantity", "b a c e d"),
    ("Observation?_sort=-status,code", "d c a e b"),
    ("Observation?status=final&_sort=code,-_id", "c e a"),
    ("Observation?_id=a,b,e&_sort=encounter,_id", "b a e"),
    ("ValueSet?_sort=url", "z y x"),
    ("ValueSet?_sort=-url", "x y z"),
    ("RiskAssessment?_sort=probability", "low high"),
    ("RiskAssessment?_sort=-probability", "high low"),
    ("Practitioner?_sort=-_id", "bea abe"),
]


@pytest.mark.parametrize(("query", "expected"), CASES)
async def test_results_come_in_the_order_that_was_asked_for(fhir: httpx.AsyncClient, query: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#sort: lowest value ascending, highest descending, where there are several."""
    await put(fhir, EVERYTHING)
    assert await found(fhir, query) == expected.split()


@pytest.mark.parametrize(("query", "expected"), CASES)
async def test_pages_follow_the_same_order(fhir: httpx.AsyncClient, query: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/http.html#paging."""
    await put(fhir, EVERYTHING)
    ids, following = [], f"{query}&_count=2"
    while following:
        bundle = (await fhir.get(following)).raise_for_status().json()
        ids += [entry["resource"]["id"] for entry in bundle.get("entry", ())]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        following = f"{query.split('?')[0]}?{urlsplit(links['next']).query}" if "next" in links else ""
    assert ids == expected.split()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Observation?_sort=bogus", "not-supported"),
        ("Observation?_sort=status,", "not-supported"),
        ("Observation?_sort=code-value-quantity", "not-supported"),
        ("Observation?subject=Patient/p&_sort=performer", "not-supported"),
        ("Patient?_sort=identifier", "not-supported"),
        ("Observation?_sort=encounter", "too-costly"),
        ("Observation?status=final&_sort=encounter", "too-costly"),
        ("Observation?_sort=" + ",".join(["status"] * 9), "too-costly"),
    ],
)
async def test_an_order_that_there_is_not_is_refused(fhir: httpx.AsyncClient, query: str, code: str) -> None:
    """http://hl7.org/fhir/R4/search.html#sort."""
    assert await refused(fhir, query) == code
