"""batch (http://hl7.org/fhir/R4/http.html#transaction)."""

import httpx
import pytest

from shared.fhir.interactions import batch
from tests.factories.resources import bundle, care_plan, entry, patient


async def test_each_entry_stands_alone_and_answers_keep_their_order(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post(
        "",
        json=bundle(
            "batch",
            entry("POST", "Patient", patient()),
            entry("POST", "CarePlan", care_plan("Patient/nobody")),
            entry("GET", "Patient/unknown"),
            entry("GET", "Patient?gender=female"),
            entry("PATCH", "Patient/1", patient()),
            entry("PUT", "Patient/robin", patient(id="robin")),
        ),
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["type"] == "batch-response"
    statuses = [e["response"]["status"].split()[0] for e in body["entry"]]
    assert statuses == ["201", "422", "404", "200", "405", "201"]
    assert body["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert body["entry"][3]["resource"]["type"] == "searchset"
    assert body["entry"][0]["response"]["location"].startswith("http://test/fhir/Patient/")


async def test_a_bundle_that_is_no_batch_or_transaction_is_refused_at_the_base(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.post("", json=bundle("collection"))).status_code == 400
    assert (await fhir.post("", json=patient())).status_code == 400
    assert (await fhir.post("", json={"resourceType": "Bundle", "type": "batch", "entry": {}})).status_code == 400


async def test_an_entry_that_is_none_does_not_touch_the_others(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post(
        "", json=bundle("batch", {}, entry("PUT", "Patient/p1"), entry("POST", "Patient", patient()))
    )
    statuses = [one["response"]["status"][:3] for one in answer.json()["entry"]]
    assert statuses == ["400", "400", "201"]


async def test_reads_beyond_what_one_answer_holds_are_refused_one_by_one(
    fhir: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "LARGEST_ANSWER", 1_000)
    await fhir.put("Patient/robin", json=patient(id="robin", name=[{"text": "x" * 600}]))
    reads = [entry("GET", "Patient/robin")] * 4
    answer = await fhir.post("", json=bundle("batch", *reads, entry("POST", "Patient", patient())))
    assert [one["response"]["status"][:3] for one in answer.json()["entry"]] == ["200", "200", "400", "400", "201"]
    assert answer.json()["entry"][2]["response"]["outcome"]["issue"][0]["code"] == "too-costly"
