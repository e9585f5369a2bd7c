"""Conditions and patches in the entries of Bundles (http://hl7.org/fhir/R4/http.html#trules, #transaction)."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.factories.patches import in_binary, operation, parameters
from tests.factories.resources import bundle, care_plan, entry, observation, patient

P = "urn:uuid:0f3c3a5e-0000-4000-8000-000000000001"
WANTED = "Patient?identifier=urn:oid:1.2.3|p-1"
MALE = {"op": "replace", "path": "/gender", "value": "male"}
REPRESENTATION = {"prefer": "return=representation"}
KINDS = pytest.mark.parametrize("kind", ["transaction", "batch"])


def _other(id_: str) -> dict[str, Any]:
    return patient(id=id_, identifier=[{"system": "urn:oid:1.2.3", "value": id_}])


async def _total(fhir: httpx.AsyncClient, type_: str = "Patient") -> int:
    total: int = (await fhir.get(f"{type_}?_total=accurate&_count=0")).json()["total"]
    return total


def _statuses(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [int(each["response"]["status"][:3]) for each in answer.json()["entry"]]


@KINDS
async def test_puts_patches_and_deletes_by_criteria(fhir: httpx.AsyncClient, kind: str) -> None:
    for id_ in ("put", "patched", "gone"):
        await fhir.put(f"Patient/{id_}", json=_other(id_))
    answer = await fhir.post(
        "",
        json=bundle(
            kind,
            entry("PUT", "Patient?identifier=urn:oid:1.2.3|put", _other("put") | {"gender": "male"}),
            entry("PUT", WANTED, patient()),
            entry("PATCH", "Patient?identifier=urn:oid:1.2.3|patched", in_binary(MALE)),
            entry("DELETE", "Patient?identifier=urn:oid:1.2.3|gone"),
            entry("DELETE", "Patient?identifier=urn:oid:1.2.3|nobody"),
        ),
    )
    assert _statuses(answer) == [200, 201, 200, 204, 204]
    for id_ in ("put", "patched"):
        assert (await fhir.get(f"Patient/{id_}")).json()["gender"] == "male"
    assert (await fhir.get("Patient/gone")).status_code == 410
    assert await _total(fhir) == 3


@KINDS
async def test_both_kinds_of_patch(fhir: httpx.AsyncClient, kind: str) -> None:
    """JSON Patch as a Binary, FHIRPath Patch as Parameters (http://hl7.org/fhir/R4/http.html#patch)."""
    for id_ in ("one", "two"):
        await fhir.put(f"Patient/{id_}", json=_other(id_))
    fhirpath = parameters(operation("replace", "Patient.gender", value={"valueCode": "male"}))
    answer = await fhir.post(
        "",
        json=bundle(kind, entry("PATCH", "Patient/one", in_binary(MALE)), entry("PATCH", "Patient/two", fhirpath)),
        headers=REPRESENTATION,
    )
    assert _statuses(answer) == [200, 200]
    assert [each["resource"]["gender"] for each in answer.json()["entry"]] == ["male", "male"]
    assert [each["response"]["etag"] for each in answer.json()["entry"]] == ['W/"2"', 'W/"2"']


@pytest.mark.parametrize(
    ("bad", "status", "where"),
    [
        (entry("PATCH", "Patient/robin", in_binary({"op": "test", "path": "/gender", "value": "x"})), 422, "resource"),
        (entry("PATCH", "Patient/robin", in_binary(MALE), ifMatch='W/"7"'), 412, "resource"),
        (entry("PATCH", "Patient/nobody", in_binary(MALE)), 404, "resource"),
        (entry("PATCH", "Patient/robin", {"resourceType": "Binary", "contentType": "text/plain"}), 415, "resource"),
        (entry("PATCH", "Patient/robin", in_binary(MALE) | {"data": "?"}), 400, "resource.Binary.data"),
        (entry("PATCH", "Patient/robin"), 400, "resource"),
        (entry("PATCH", "Patient?identifier=none", in_binary(MALE)), 404, "request.url"),
        (entry("PUT", WANTED, patient(id="wren")), 400, "resource.Patient.id"),
        (entry("PUT", "Patient?identifier=none", patient(id="robin")), 409, "resource.Patient.id"),
        (entry("PUT", "Patient", patient()), 400, "request.url"),
        (entry("PUT", "Patient?nonsense=1", patient()), 400, "request.url"),
        (entry("DELETE", "Patient?nonsense=1"), 400, "request.url"),
        (entry("DELETE", "Patient"), 400, "request.url"),
        (entry("DELETE", "Patient/robin?gender=male"), 400, "request.url"),
        (entry("DELETE", "Patient?gender=female"), 412, "request.url"),
        (entry("POST", "Patient", patient(), ifNoneExist="nonsense=1"), 400, "request.ifNoneExist"),
        (entry("POST", "Patient", patient(), ifNoneExist="gender=female"), 412, "request.ifNoneExist"),
        (entry("PUT", "Patient/robin", patient(id="robin"), ifNoneMatch="*"), 412, "resource"),
    ],
)
async def test_one_that_fails_is_named_and_nothing_is_stored(
    fhir: httpx.AsyncClient, bad: dict[str, Any], status: int, where: str
) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    await fhir.put("Patient/wren", json=_other("wren"))
    answer = await fhir.post("", json=bundle("transaction", entry("POST", "Patient", patient()), bad))
    assert answer.status_code == status, answer.text
    assert answer.json()["issue"][0]["expression"] == [f"Bundle.entry[1].{where}"]
    assert await _total(fhir) == 2
    assert (await fhir.get("Patient/robin")).headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    "twins",
    [
        [entry("PUT", WANTED, patient()), entry("PUT", "Patient/robin", patient(id="robin"))],
        [entry("PUT", "Patient/robin", patient(id="robin")), entry("DELETE", WANTED)],
        [entry("PATCH", "Patient/robin", in_binary(MALE)), entry("PATCH", WANTED, in_binary(MALE))],
        [entry("PUT", WANTED, patient()), entry("PUT", "Patient?_id=robin", patient())],
        [entry("POST", "Patient", patient(), ifNoneExist="_id=robin"), entry("DELETE", WANTED)],
        [
            entry("PATCH", "Patient/robin", in_binary(MALE)),
            entry("POST", "Patient", patient(), ifNoneExist="_id=robin"),
        ],
        [entry("PUT", "Patient?identifier=new", patient()), entry("PUT", "Patient?identifier=new", patient())],
        [entry("PUT", "Patient?identifier=new", patient(id="x")), entry("PUT", "Patient/x", patient(id="x"))],
    ],
)
async def test_two_entries_that_turn_out_to_be_of_one_resource_are_refused(
    fhir: httpx.AsyncClient, twins: list[dict[str, Any]]
) -> None:
    """Identities overlap also where criteria lead to them."""
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answer = await fhir.post("", json=bundle("transaction", *twins))
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["code"] == "duplicate"
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert (await fhir.get("Patient/robin")).headers["etag"] == 'W/"1"'
    assert await _total(fhir) == 1


async def test_deletions_come_first_whatever_their_place(fhir: httpx.AsyncClient) -> None:
    """The plan that goes no longer keeps the patient, and the conditional reference finds the one that comes."""
    await fhir.put("Patient/robin", json=patient(id="robin"))
    await fhir.put("CarePlan/plan", json=care_plan("Patient/robin", id="plan"))
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("POST", "CarePlan", care_plan(WANTED)),
            entry("POST", "Patient", patient(gender="male")),
            entry("DELETE", "Patient/robin"),
            entry("DELETE", "CarePlan/plan"),
        ),
        headers=REPRESENTATION,
    )
    assert _statuses(answer) == [201, 201, 204, 204]
    plan, person = (each["resource"] for each in answer.json()["entry"][:2])
    assert plan["subject"]["reference"] == f"Patient/{person['id']}"


async def test_conditional_references_lead_to_what_the_transaction_makes(fhir: httpx.AsyncClient) -> None:
    """Step 5 of the processing rules comes after the writes; also where one such reference waits for another."""
    team = {"resourceType": "CareTeam", "identifier": [{"value": "t"}], "subject": {"reference": WANTED}}
    plan = care_plan(WANTED, careTeam=[{"reference": "CareTeam?identifier=t"}])
    answer = await fhir.post(
        "",
        json=bundle(
            "transaction",
            entry("POST", "CarePlan", plan),
            entry("POST", "CareTeam", team),
            entry("PUT", WANTED, patient()),
        ),
        headers=REPRESENTATION,
    )
    assert _statuses(answer) == [201, 201, 201]
    plan, team, person = (each["resource"] for each in answer.json()["entry"])
    assert plan["subject"] == team["subject"] == {"reference": f"Patient/{person['id']}"}
    assert plan["careTeam"] == [{"reference": f"CareTeam/{team['id']}"}]


async def test_a_conditional_reference_that_the_transaction_makes_ambiguous_is_refused(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    both = bundle("transaction", entry("POST", "CarePlan", care_plan(WANTED)), entry("POST", "Patient", patient()))
    answer = await fhir.post("", json=both)
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource"]
    assert (await _total(fhir), await _total(fhir, "CarePlan")) == (1, 0)


@KINDS
async def test_reads_searches_versions_and_histories(fhir: httpx.AsyncClient, kind: str) -> None:
    """They come last, and see what was written."""
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answer = await fhir.post(
        "",
        json=bundle(
            kind,
            *([entry("PUT", "Patient/robin", patient(id="robin", gender="male"))] if kind == "batch" else []),
            entry("GET", "Patient/robin"),
            entry("HEAD", "Patient/robin"),
            entry("GET", "Patient/robin/_history/1"),
            entry("GET", "Patient/robin/_history"),
            entry("GET", "Patient?gender=male&_total=accurate"),
            entry("POST", "Patient/_search?gender=male&_total=accurate"),
            entry("GET", "Patient/robin", ifNoneMatch='W/"2"'),
            entry("GET", "Patient/robin", ifModifiedSince="2100-01-01T00:00:00Z"),
            entry("GET", "Patient/nobody"),
            *([entry("PUT", "Patient/robin", patient(id="robin", gender="male"))] if kind != "batch" else []),
        ),
    )
    statuses = _statuses(answer)
    told = answer.json()["entry"]
    if kind == "batch":
        assert statuses.pop(0) == 200
        told = told[1:]
    assert statuses[:9] == [200, 200, 200, 200, 200, 200, 304, 304, 404]
    assert told[0]["resource"]["gender"] == "male"
    assert "resource" not in told[1]
    assert told[2]["resource"]["gender"] == "female"
    assert told[3]["resource"]["type"] == "history"
    assert [told[n]["resource"]["total"] for n in (4, 5)] == [1, 1]
    assert "resource" not in told[6]
    assert "outcome" in told[8]["response"]


async def test_transactions_that_cross_by_criteria_and_by_id_all_end(fhir: httpx.AsyncClient) -> None:
    """Locks are taken in one order: none waits for another that waits for it."""
    for id_ in ("robin", "wren"):
        await fhir.put(f"Patient/{id_}", json=_other(id_))
    crossing = [
        entry("PUT", "Patient?identifier=urn:oid:1.2.3|robin", _other("robin")),
        entry("PATCH", "Patient/wren", in_binary(MALE)),
        entry(
            "PUT",
            "Basic?identifier=b",
            {"resourceType": "Basic", "identifier": [{"value": "b"}], "code": {"text": "x"}},
        ),
        entry("POST", "Observation", observation("Patient?identifier=urn:oid:1.2.3|wren")),
    ]
    mirrored = [
        entry("PATCH", "Patient?identifier=urn:oid:1.2.3|wren", in_binary(MALE)),
        entry("PUT", "Patient/robin", _other("robin")),
        entry("DELETE", "Basic?identifier=none"),
    ]
    bundles = [
        bundle("transaction", *(entries if turn % 4 < 2 else reversed(entries)))
        for turn in range(24)
        for entries in (crossing if turn % 2 else mirrored,)
    ]
    async with asyncio.timeout(60):
        answers = await asyncio.gather(*(fhir.post("", json=each) for each in bundles))
    assert {answer.status_code for answer in answers} == {200}
    assert await _total(fhir, "Basic") == 1
    assert await _total(fhir, "Observation") == 12
    assert (await fhir.get("Patient/robin")).headers["etag"] == 'W/"25"'


async def test_of_twenty_transactions_with_one_conditional_put_one_creates(fhir: httpx.AsyncClient) -> None:
    wanted = bundle("transaction", entry("PUT", WANTED, patient(), P), entry("POST", "CarePlan", care_plan(P)))
    answers = await asyncio.gather(*(fhir.post("", json=wanted) for _ in range(20)))
    assert sorted(_statuses(answer)[0] for answer in answers) == [200] * 19 + [201]
    assert await _total(fhir) == 1
    person = (await fhir.get("Patient")).json()["entry"][0]["resource"]["id"]
    assert (await fhir.get(f"CarePlan?patient={person}&_total=accurate&_count=0")).json()["total"] == 20


async def test_twenty_deletes_by_criteria_in_transactions_end_with_one_deletion(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    wanted = bundle("transaction", entry("DELETE", WANTED))
    answers = await asyncio.gather(*(fhir.post("", json=wanted) for _ in range(20)))
    assert {status for answer in answers for status in _statuses(answer)} == {204}
    assert len((await fhir.get("Patient/robin/_history")).json()["entry"]) == 2


@pytest.mark.parametrize("kind", ["batch", "transaction"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ifMatch", 5),
        ("ifMatch", ['W/"1"']),
        ("ifMatch", None),
        ("ifNoneMatch", True),
        ("ifNoneExist", 5),
        ("ifNoneExist", {}),
        ("ifModifiedSince", 0),
    ],
)
async def test_a_condition_that_is_no_text_is_refused(
    fhir: httpx.AsyncClient, kind: str, name: str, value: Any
) -> None:
    """A guard that were passed over would let through what it is to stop."""
    await fhir.put("Patient/robin", json=patient(id="robin"))
    first = entry("PUT", "Patient/lee", patient(id="lee"))
    guarded = {
        "ifNoneExist": entry("POST", "Patient", patient(), ifNoneExist=value),
        "ifModifiedSince": entry("GET", "Patient/robin", ifModifiedSince=value),
    }.get(name, entry("PUT", "Patient/robin", patient(id="robin"), **{name: value}))
    answer = await fhir.post("", json=bundle(kind, first, guarded))
    told = answer.json()
    if kind == "batch":
        assert [one["response"]["status"] for one in told["entry"]] == ["201 Created", "400 Bad Request"]
        told = told["entry"][1]["response"]["outcome"]
    else:
        assert answer.status_code == 400
        assert (await fhir.get("Patient/lee")).status_code == 404
    assert told["issue"][0]["expression"] == [f"Bundle.entry[1].request.{name}"]
    assert (await fhir.get("Patient/robin")).json()["meta"]["versionId"] == "1"


@pytest.mark.parametrize("criteria", ["identifier=urn:oid:1.2.3|p-1&identifer=urn:x|other", "_count=1", "name="])
async def test_a_conditional_reference_that_is_no_search_is_refused_where_it_stands(
    fhir: httpx.AsyncClient, criteria: str
) -> None:
    """What is left of criteria with a typo would find another."""
    await fhir.put("Patient/robin", json=patient(id="robin"))
    entries = (entry("POST", "Patient", _other("lee")), entry("POST", "CarePlan", care_plan(f"Patient?{criteria}")))
    answer = await fhir.post("", json=bundle("transaction", *entries))
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource"]
    assert await _total(fhir) == 1
