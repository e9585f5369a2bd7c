"""transaction (http://hl7.org/fhir/R4/http.html#trules)."""

import asyncio
from typing import Any

import httpx
import pytest

from shared.fhir.interactions import transaction
from tests.factories.resources import bundle, care_plan, entry, observation, patient

P, Q = "urn:uuid:0f3c3a5e-0000-4000-8000-000000000001", "urn:uuid:0f3c3a5e-0000-4000-8000-000000000002"


async def _total(fhir: httpx.AsyncClient, type_: str) -> int:
    total: int = (await fhir.get(f"{type_}?_total=accurate&_count=0")).json()["total"]
    return total


async def test_references_between_entries_are_rewritten_in_any_order(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post(
        "",
        json=bundle("transaction", entry("POST", "CarePlan", care_plan(P), Q), entry("POST", "Patient", patient(), P)),
        headers={"prefer": "return=representation"},
    )
    assert answer.status_code == 200, answer.text
    plan, person = (e["resource"] for e in answer.json()["entry"])
    assert plan["subject"]["reference"] == f"Patient/{person['id']}"


async def test_one_bad_entry_and_nothing_is_stored(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("POST", "Patient", patient(), P),
            entry("POST", "CarePlan", care_plan(P, status="bogus"), Q),
        ),
    )
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.CarePlan.status"]
    assert await _total(fhir, "Patient") == 0


async def test_a_dangling_reference_stores_nothing(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("POST", "Patient", patient(), P),
            entry("POST", "Observation", observation("Patient/nobody")),
        ),
    )
    assert answer.status_code == 422
    assert await _total(fhir, "Patient") == 0


async def test_conditional_references_find_their_one_target(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    conditional = bundle("transaction", entry("POST", "CarePlan", care_plan("Patient?identifier=urn:oid:1.2.3|p-1")))
    answer = await fhir.post("", json=conditional, headers={"prefer": "return=representation"})
    assert answer.json()["entry"][0]["resource"]["subject"]["reference"] == "Patient/robin"
    await fhir.put("Patient/twin", json=patient(id="twin"))
    assert (await fhir.post("", json=conditional)).status_code == 412
    nobody = bundle("transaction", entry("POST", "CarePlan", care_plan("Patient?identifier=none")))
    assert (await fhir.post("", json=nobody)).status_code == 412
    assert await _total(fhir, "CarePlan") == 1


async def test_if_none_exist_reuses_and_others_point_to_it(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("POST", "Patient", patient(), P, ifNoneExist="identifier=urn:oid:1.2.3|p-1"),
            entry("POST", "CarePlan", care_plan(P)),
        ),
        headers={"prefer": "return=representation"},
    )
    found, plan = answer.json()["entry"]
    assert found["response"]["status"] == "200 OK"
    assert plan["resource"]["subject"]["reference"] == "Patient/robin"


async def test_deletes_go_first_and_gets_see_the_result(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("GET", "Patient?_total=accurate"),
            entry("PUT", "Patient/new", patient(id="new")),
            entry("DELETE", "Patient/robin"),
        ),
    )
    assert answer.status_code == 200
    seen, put, deleted = answer.json()["entry"]
    assert seen["resource"]["total"] == 1
    assert put["response"]["status"] == "201 Created"
    assert deleted["response"]["status"] == "204 No Content"


async def test_if_match_in_an_entry_guards_all(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("POST", "Patient", patient()),
            entry("PUT", "Patient/robin", patient(id="robin"), ifMatch='W/"7"'),
        ),
    )
    assert answer.status_code == 412
    assert await _total(fhir, "Patient") == 1


@pytest.mark.parametrize(
    "entries",
    [
        [entry("PUT", "Patient/robin", patient(id="robin")), entry("DELETE", "Patient/robin")],
        [entry("PUT", "Patient/robin", patient(id="robin")), entry("PUT", "Patient/robin", patient(id="robin"))],
    ],
)
async def test_two_entries_for_one_resource_are_refused(fhir: httpx.AsyncClient, entries: list) -> None:
    assert (await fhir.post("", json=bundle("transaction", *entries))).status_code == 400


async def test_an_entry_that_fits_no_interaction_is_refused(fhir: httpx.AsyncClient) -> None:
    for bad in (entry("POST", "Patient/1", patient()), entry("PUT", "Patient", patient()), entry("DELETE", "Patient")):
        assert (await fhir.post("", json=bundle("transaction", bad))).status_code == 400


async def test_more_conditional_transactions_at_once_than_connections_all_end(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    both = bundle(
        "transaction",
        entry("POST", "Patient", patient(), P, ifNoneExist="identifier=urn:oid:1.2.3|p-1"),
        entry("POST", "CarePlan", care_plan("Patient?identifier=urn:oid:1.2.3|p-1")),
    )
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*(fhir.post("", json=both) for _ in range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert await _total(fhir, "CarePlan") == 40


@pytest.mark.parametrize(
    "twins",
    [
        [
            entry("POST", "Patient", patient(), full_url, ifNoneExist="identifier=urn:oid:1.2.3|p-1")
            for full_url in (P, Q)
        ],
        [entry("POST", "Patient", patient(), P), entry("POST", "Patient", patient(), P)],
    ],
    ids=["the same If-None-Exist", "the same fullUrl"],
)
async def test_two_entries_that_stand_for_one_resource_are_refused(fhir: httpx.AsyncClient, twins: list[Any]) -> None:
    assert (await fhir.post("", json=bundle("transaction", *twins))).status_code == 400
    assert await _total(fhir, "Patient") == 0


async def test_an_entry_nested_too_deeply_is_refused(fhir: httpx.AsyncClient) -> None:
    nested: dict[str, Any] = {"url": "urn:x"}
    for _ in range(300):
        nested = {"url": "urn:x", "extension": [nested]}
    answer = await fhir.post("", json=bundle("transaction", entry("POST", "Patient", patient(extension=[nested]), P)))
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "structure"


async def test_transactions_that_cross_wait_for_each_other_and_all_succeed(fhir: httpx.AsyncClient) -> None:
    ids = ("robin", "wren")
    updates = [entry("PUT", f"Patient/{id_}", patient(id=id_)) for id_ in ids]
    creates = [
        entry("POST", type_, body, ifNoneExist="identifier=urn:oid:1.2.3|none")
        for type_, body in (("Patient", patient()), ("Basic", {"resourceType": "Basic", "code": {"text": "x"}}))
    ]
    for pair in (updates, creates):
        await fhir.post("", json=bundle("transaction", *updates))
        crossing = [bundle("transaction", *(pair if turn % 2 else reversed(pair))) for turn in range(16)]
        answers = await asyncio.gather(*(fhir.post("", json=each) for each in crossing))
        assert [answer.status_code for answer in answers] == [200] * 16
    assert (await fhir.get("Patient/wren")).headers["etag"] == 'W/"18"'


async def test_reads_beyond_what_one_answer_holds_are_refused_one_by_one(
    fhir: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "LARGEST_ANSWER", 1_000)
    await fhir.put("Patient/robin", json=patient(id="robin", name=[{"text": "x" * 600}]))
    reads = [entry("GET", "Patient/robin")] * 4
    answer = await fhir.post("", json=bundle("transaction", *reads, entry("POST", "Patient", patient())))
    assert [one["response"]["status"][:3] for one in answer.json()["entry"]] == ["200", "200", "400", "400", "201"]
    assert answer.json()["entry"][2]["response"]["outcome"]["issue"][0]["code"] == "too-costly"


async def test_what_fails_at_the_commit_names_its_entry(fhir: httpx.AsyncClient) -> None:
    """References are looked at last, when all is there."""
    await fhir.put("Patient/robin", json=patient(id="robin"))
    await fhir.put("Observation/o", json=observation("Patient/robin", id="o"))
    for entries, status, where in (
        ([entry("DELETE", "Patient/lee"), entry("DELETE", "Patient/robin")], 409, "Bundle.entry[1]"),
        ([entry("POST", "Patient", patient()), entry("DELETE", "Patient?_id=robin")], 409, "Bundle.entry[1]"),
        (
            [entry("POST", "Patient", patient()), entry("POST", "Observation", observation("Patient/nobody"))],
            422,
            "Bundle.entry[1].resource.Observation.subject",
        ),
        (
            [entry("POST", "Patient", patient()), entry("POST", "Provenance", _provenance("Patient/nobody"))],
            422,
            "Bundle.entry[1].resource.Provenance.target[0]",
        ),
    ):
        answer = await fhir.post("", json=bundle("transaction", *entries))
        assert answer.status_code == status, answer.text
        assert answer.json()["issue"][0]["expression"] == [where]
    assert await _total(fhir, "Patient") == 1
    assert "expression" not in (await fhir.delete("Patient/robin")).json()["issue"][0]


def _provenance(target: str) -> dict[str, Any]:
    who = {"who": {"display": "somebody"}}
    recorded = "2026-02-03T10:00:00Z"
    return {
        "resourceType": "Provenance",
        "recorded": recorded,
        "target": [{"reference": target}],
        "agent": [who],
    }
