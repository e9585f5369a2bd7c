"""search by GET and by POST (http://hl7.org/fhir/R4/http.html#search)."""

from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put

PATIENTS: list[Resource] = [
    {"resourceType": "Patient", "id": id_, "gender": gender, "name": [{"family": family}]}
    for id_, gender, family in (("a", "male", "Ng"), ("b", "female", "O'Brien & Sons"), ("c", "male", "de la Cruz"))
]
QUERIES = [
    "gender=male",
    "gender=male&name=ng",
    "name=o%27brien+%26",
    "_sort=-_id",
    "_id=a,c&_sort=name",
    "gender=other",
]


def _ids(bundle: Resource) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", ())]


@pytest.mark.parametrize("query", QUERIES)
async def test_get_and_post_answer_alike(fhir: httpx.AsyncClient, query: str) -> None:
    """http://hl7.org/fhir/R4/http.html#search: parameters in the URL, in the form, or some in each"""
    await put(fhir, PATIENTS)
    by_get = await found(fhir, f"Patient?{query}")
    parameters = parse_qsl(query)
    by_post = (await fhir.post("Patient/_search", data=dict(parameters))).raise_for_status().json()
    first, *others = parameters
    mixed = await fhir.post("Patient/_search", params=dict([first]), data=dict(others))
    assert (_ids(by_post), _ids(mixed.raise_for_status().json())) == (by_get, by_get)


async def test_the_pages_of_a_post_are_read_by_get(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#paging"""
    await put(fhir, PATIENTS)
    bundle = (await fhir.post("Patient/_search", data={"_sort": "_id", "_count": "2"})).raise_for_status().json()
    links = {link["relation"]: link["url"] for link in bundle["link"]}
    rest = (await fhir.get(f"Patient?{urlsplit(links['next']).query}")).raise_for_status().json()
    assert (_ids(bundle), _ids(rest)) == (["a", "b"], ["c"])
    assert "next" not in {link["relation"] for link in rest["link"]}


async def test_the_self_link_says_what_was_understood(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/search.html#conformance"""
    await put(fhir, PATIENTS)
    bundle = (await fhir.get("Patient?gender=male&bogus=1")).raise_for_status().json()
    (url,) = [link["url"] for link in bundle["link"] if link["relation"] == "self"]
    assert dict(parse_qsl(urlsplit(url).query)) == {"gender": "male"}
    assert _ids(bundle) == ["a", "c"]
    strict = await fhir.get("Patient?gender=male&bogus=1", headers={"prefer": "handling=strict"})
    assert strict.status_code == 400


async def test_what_is_deleted_is_not_found(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/http.html#delete"""
    await put(fhir, PATIENTS)
    assert (await fhir.delete("Patient/a")).status_code == 204
    assert await found(fhir, "Patient?gender=male") == ["c"]
