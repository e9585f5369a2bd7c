"""References that do not speak of this server (http://hl7.org/fhir/R4/references.html)."""

import httpx

from tests.factories.resources import observation, patient


async def test_references_in_a_stored_bundle_are_resolved_in_it(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/bundle.html#references"""
    person = {"fullUrl": "http://elsewhere.example/fhir/Patient/9", "resource": patient(id="9")}
    seen = observation("Patient/9", id="1")
    entries = [{"fullUrl": "http://elsewhere.example/fhir/Observation/1", "resource": seen}, person]
    stored = await fhir.post("Bundle", json={"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert stored.status_code == 201, stored.text
    await fhir.put("Patient/9", json=patient(id="9"))
    again = await fhir.post("Bundle", json={"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert again.status_code == 201
    assert (await fhir.delete("Patient/9")).status_code == 204
