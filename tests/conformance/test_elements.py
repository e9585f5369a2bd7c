"""``_elements`` (http://hl7.org/fhir/R4/search.html#elements), on searches and on reads (http.html#parameters)."""

from typing import Any

import httpx
import pytest

from tests.factories.resources import care_plan, observation, patient

Resource = dict[str, Any]
TAG = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
BASIC = {"resourceType", "id", "meta"}


async def _patient(fhir: httpx.AsyncClient) -> str:
    return f"Patient/{(await fhir.post('Patient', json=patient())).json()['id']}"


async def _read(fhir: httpx.AsyncClient, address: str) -> Resource:
    answer = await fhir.get(address)
    assert answer.status_code == 200, answer.text
    found: Resource = answer.json()
    return found


async def test_only_what_is_listed_is_given(fhir: httpx.AsyncClient) -> None:
    address = await _patient(fhir)
    part = await _read(fhir, f"{address}?_elements=gender,birthDate")
    assert set(part) == BASIC | {"gender", "birthDate"}
    assert part["meta"]["tag"] == [TAG]
    assert set(await _read(fhir, f"{address}?_elements=gender&_elements=name")) == BASIC | {"gender", "name"}


async def test_required_elements_are_always_given(fhir: httpx.AsyncClient) -> None:
    """#elements: servers SHOULD always return mandatory elements."""
    await fhir.post("CarePlan", json=care_plan(await _patient(fhir)))
    found = await _read(fhir, "CarePlan?_elements=period")
    assert set(found["entry"][0]["resource"]) == BASIC | {"status", "intent", "subject", "period"}


@pytest.mark.parametrize("name", ["value", "value[x]", "valueQuantity", "Observation.value"])
async def test_a_choice_may_be_named_in_each_way(fhir: httpx.AsyncClient, name: str) -> None:
    await fhir.post("Observation", json=observation(await _patient(fhir)))
    found = await _read(fhir, f"Observation?_elements={name}")
    assert set(found["entry"][0]["resource"]) == BASIC | {"status", "code", "valueQuantity"}


async def test_the_sidecar_of_a_primitive_comes_with_it(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/json.html#primitive"""
    beside = {"extension": [{"url": "http://example.org/e", "valueString": "about"}]}
    made = (await fhir.post("Patient", json=patient(_birthDate=beside))).json()
    part = await _read(fhir, f"Patient/{made['id']}?_elements=birthDate")
    assert part["_birthDate"] == beside


async def test_it_does_not_apply_to_includes_unless_it_names_their_type(fhir: httpx.AsyncClient) -> None:
    """#elements: the list of elements does not apply to included resources."""
    await fhir.post("CarePlan", json=care_plan(await _patient(fhir)))
    found = await _read(fhir, "CarePlan?_include=CarePlan:subject&_elements=period")
    plan, subject = (each["resource"] for each in found["entry"])
    assert "category" not in plan
    assert {"name", "gender", "birthDate"} <= set(subject)
    assert "tag" not in subject["meta"]
    found = await _read(fhir, "CarePlan?_include=CarePlan:subject&_elements=Patient.gender,period")
    plan, subject = (each["resource"] for each in found["entry"])
    assert "category" not in plan
    assert set(subject) == BASIC | {"gender"}


async def test_links_carry_it_from_page_to_page(fhir: httpx.AsyncClient) -> None:
    for _ in range(2):
        await _patient(fhir)
    found = await _read(fhir, "Patient?_elements=gender&_count=1")
    links = {link["relation"]: link["url"] for link in found["link"]}
    assert links["self"].endswith("Patient?_elements=gender&_count=1")
    [second] = (await _read(fhir, links["next"]))["entry"]
    assert set(second["resource"]) == BASIC | {"gender"}


async def test_history_and_vread_give_elements(fhir: httpx.AsyncClient) -> None:
    address = await _patient(fhir)
    [version] = (await _read(fhir, f"{address}/_history?_elements=name"))["entry"]
    assert set(version["resource"]) == BASIC | {"name"}
    assert set(await _read(fhir, f"{address}/_history/1?_elements=name")) == BASIC | {"name"}


@pytest.mark.parametrize(
    "value", ["bogus", "name.family", "", "name,,gender", "Bogus.name", "Patient.bogus", "resourceType", "_birthDate"]
)
async def test_what_is_no_element_is_400(fhir: httpx.AsyncClient, value: str) -> None:
    address = await _patient(fhir)
    for url in (address, "Patient", f"{address}/_history"):
        answer = await fhir.get(url, params={"_elements": value})
        assert answer.status_code == 400, url
        assert answer.json()["resourceType"] == "OperationOutcome"


async def test_a_summary_of_chosen_elements_is_refused(fhir: httpx.AsyncClient) -> None:
    address = await _patient(fhir)
    assert (await fhir.get(f"{address}?_summary=true&_elements=name")).status_code == 400
    assert (await fhir.get(f"{address}?_summary=false&_elements=name")).status_code == 200
    assert (await _read(fhir, "Patient?_summary=count&_elements=name"))["total"] == 1
