"""delete (http://hl7.org/fhir/R4/http.html#delete)."""

import httpx

from tests.factories.resources import bundle, care_plan, entry, patient


async def test_deleting_nothing_is_204(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.delete("Patient/unknown")).status_code == 204


async def test_a_deleted_resource_is_found_no_more(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    await fhir.delete("Patient/robin")
    assert (await fhir.get("Patient?_id=robin&_total=accurate")).json()["total"] == 0
    assert (await fhir.get("Patient?identifier=p-1&_total=accurate")).json()["total"] == 0


async def test_what_others_refer_to_cannot_be_deleted(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    plan = (await fhir.post("CarePlan", json=care_plan("Patient/robin"))).json()["id"]
    assert (await fhir.delete("Patient/robin")).status_code == 409
    assert (await fhir.get("Patient/robin")).status_code == 200
    await fhir.delete(f"CarePlan/{plan}")
    assert (await fhir.delete("Patient/robin")).status_code == 204


async def test_both_can_go_in_one_transaction(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    plan = (await fhir.post("CarePlan", json=care_plan("Patient/robin"))).json()["id"]
    both = bundle("transaction", entry("DELETE", "Patient/robin"), entry("DELETE", f"CarePlan/{plan}"))
    assert (await fhir.post("", json=both)).status_code == 200
    assert (await fhir.get("Patient/robin")).status_code == 410


async def test_a_stale_if_match_is_412(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    assert (await fhir.delete("Patient/robin", headers={"if-match": 'W/"9"'})).status_code == 412
    assert (await fhir.get("Patient/robin")).status_code == 200
