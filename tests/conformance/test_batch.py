"""batch (http://hl7.org/fhir/R4/http.html#transaction)."""

import httpx
import pytest

from shared.fhir.interactions import batch
from shared.giving_way import TURN
from tests.eventually import turns
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
    assert statuses == ["201", "422", "404", "200", "400", "201"]
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


@pytest.mark.parametrize("type_", ["batch", "transaction"])
async def test_more_entries_than_are_taken_are_refused_before_any_is_looked_at(
    fhir: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, type_: str
) -> None:
    monkeypatch.setattr("shared.fhir.bundle.most_entries", lambda: 3)
    ready = entry("PUT", "Patient/robin", patient(id="robin"))
    answer = await fhir.post("", json=bundle(type_, ready, *[{}] * 3))
    assert answer.status_code == 413
    issue = answer.json()["issue"][0]
    assert (issue["code"], issue["expression"]) == ("too-costly", ["Bundle.entry"])
    assert (await fhir.get("Patient/robin")).status_code == 404


async def test_values_that_would_fill_the_memory_are_not_even_read(
    fhir: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.fhir.json.MOST_VALUES", 1_000)
    for address, body in (("", bundle("batch", *[{}] * 1_000)), ("Patient", patient(name=[{}] * 1_000))):
        answer = await fhir.post(address, json=body)
        assert answer.status_code == 413
        assert answer.json()["issue"][0]["code"] == "too-costly"


async def test_many_small_values_are_refused_in_a_body_of_any_size(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post("", json=bundle("batch", *[{"a": [[[]], {}]}] * 30_000))
    assert answer.status_code == 413
    assert "values" in answer.json()["issue"][0]["diagnostics"], "it was read whole"


async def test_the_entries_of_a_batch_within_a_batch_count_too(
    fhir: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.fhir.bundle.most_entries", lambda: 6)
    inner = entry("POST", "/", bundle("batch", {}, {}))
    assert (await fhir.post("", json=bundle("batch", inner, inner))).status_code == 200
    assert (await fhir.post("", json=bundle("batch", inner, inner, {}))).status_code == 413


async def test_others_get_their_turn_during_a_large_batch(fhir: httpx.AsyncClient) -> None:
    async with turns() as taken:
        await fhir.post("", json=bundle("batch", *[{}] * 2_000))
    assert len(taken) >= 2_000 // TURN


async def test_others_get_their_turn_during_a_large_transaction(fhir: httpx.AsyncClient) -> None:
    # the last is refused before the database is asked, which would give others their turn by itself
    patients = [entry("POST", "Patient", patient()) for _ in range(1_000)] + [entry("POST", "Patient", patient(x=1))]
    async with turns() as taken:
        assert (await fhir.post("", json=bundle("transaction", *patients))).status_code == 422
    assert len(taken) >= 2 * 1_000 // TURN, "while it is planned, and while it is staged"
