"""Links between the entries of a transaction (http://hl7.org/fhir/R4/http.html#trules)."""

import httpx

from shared.fhir.links import VERSION_SPECIFIC
from tests.factories.patches import in_binary, operation, parameters
from tests.factories.resources import bundle, care_plan, entry, observation, patient

P = "urn:uuid:0f3c3a5e-0000-4000-8000-000000000001"
Q = "urn:uuid:0f3c3a5e-0000-4000-8000-000000000002"
REPRESENTATION = {"prefer": "return=representation"}
AS_VERSION = [{"url": VERSION_SPECIFIC, "valueBoolean": True}]


async def test_links_are_put_in_place_where_the_rules_say_so(fhir: httpx.AsyncClient) -> None:
    """In references, uri, url, oid, uuid and the narrative's href and src; not in canonicals and strings."""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{P}">Robin</a> <img src="{P}" alt="x"/> {P}</div>'
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "text": {"status": "generated", "div": div},
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": P}],
        "subject": {"reference": P},
        "description": P,
        "content": [{"attachment": {"url": P, "title": P}}],
        "extension": [{"url": "urn:x", "valueUri": P}, {"url": "urn:y", "valueCanonical": P}],
        "contained": [{"resourceType": "Basic", "id": "b", "code": {"text": P}, "subject": {"reference": P}}],
        "context": {"related": [{"reference": "#b"}]},
    }
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction", entry("POST", "DocumentReference", document), entry("POST", "Patient", patient(), P)
        ),
        headers=REPRESENTATION,
    )
    assert answer.status_code == 200, answer.text
    found, person = (each["resource"] for each in answer.json()["entry"])
    target = f"Patient/{person['id']}"
    assert found["subject"]["reference"] == target
    assert found["content"][0]["attachment"] == {"url": target, "title": P}
    assert f'<a href="{target}">' in found["text"]["div"]
    assert f'<img src="{target}" alt="x"/> {P}</div>' in found["text"]["div"]
    assert found["extension"] == [{"url": "urn:x", "valueUri": target}, {"url": "urn:y", "valueCanonical": P}]
    assert found["identifier"][0]["value"] == found["description"] == P
    assert found["contained"][0]["subject"]["reference"] == target
    assert found["contained"][0]["code"]["text"] == P


async def test_a_reference_becomes_version_specific_where_the_source_asks_for_it(fhir: httpx.AsyncClient) -> None:
    """https://hl7.org/fhir/extensions/StructureDefinition-resolve-as-version-specific.html"""
    await fhir.put("Patient/robin", json=patient(id="robin"))

    def asking(reference: str) -> dict:
        return observation(reference) | {"subject": {"reference": reference, "extension": AS_VERSION}}

    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("PUT", "Patient/robin", patient(id="robin", gender="male"), P),
            entry("POST", "Patient", patient(identifier=[{"value": "new"}]), Q),
            entry("POST", "Observation", asking(P)),
            entry("POST", "Observation", asking(Q)),
            entry("POST", "Observation", asking("Patient/robin")),
            entry("POST", "Observation", observation(P)),
        ),
        headers=REPRESENTATION,
    )
    assert answer.status_code == 200, answer.text
    _, new, *observations = (each["resource"] for each in answer.json()["entry"])
    assert [each["subject"] for each in observations] == [
        {"reference": "Patient/robin/_history/2"},
        {"reference": f"Patient/{new['id']}/_history/1"},
        {"reference": "Patient/robin/_history/2"},
        {"reference": "Patient/robin"},
    ]
    assert (await fhir.get("Observation?subject=Patient/robin&_total=accurate")).json()["total"] == 3


async def test_patches_link_to_other_entries(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    for id_ in ("one", "two"):
        await fhir.put(f"CarePlan/{id_}", json=care_plan("Patient/robin", id=id_))
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "walk"},
        "subject": {"reference": "Patient/robin"},
    }
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("PATCH", "CarePlan/one", in_binary({"op": "add", "path": "/goal", "value": [{"reference": P}]})),
            entry(
                "PATCH",
                "CarePlan/two",
                parameters(operation("add", "CarePlan", name="goal", value={"valueReference": {"reference": P}})),
            ),
            entry("POST", "Goal", goal, P),
        ),
        headers=REPRESENTATION,
    )
    assert answer.status_code == 200, answer.text
    one, two, made = (each["resource"] for each in answer.json()["entry"])
    assert one["goal"] == two["goal"] == [{"reference": f"Goal/{made['id']}"}]


async def test_entries_by_criteria_are_linked_by_their_full_url(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    other = "http://source.example/fhir/Patient/77"
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("PUT", "Patient?identifier=urn:oid:1.2.3|p-1", patient(), other),
            entry("POST", "CarePlan", care_plan(other)),
            entry("POST", "CarePlan", care_plan("Patient/77")),
        ),
        headers=REPRESENTATION,
    )
    assert answer.status_code == 200, answer.text
    assert {each["resource"]["subject"]["reference"] for each in answer.json()["entry"][1:]} == {"Patient/robin"}
