"""update and its guards (http://hl7.org/fhir/R4/http.html#update, #concurrency)."""

import asyncio

import httpx
import pytest

from shared.fhir.kinds import ResourceKind
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type, running_engine
from tests.factories.resources import care_plan, patient


async def test_a_put_makes_the_next_version(fhir: httpx.AsyncClient) -> None:
    first = (await fhir.post("Patient", json=patient())).json()
    answer = await fhir.put(f"Patient/{first['id']}", json=first | {"gender": "male"})
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.json()["gender"] == "male"
    assert (await fhir.get(f"Patient/{first['id']}/_history/1")).json() == first


async def test_a_put_to_a_new_id_creates_it(fhir: httpx.AsyncClient) -> None:
    answer = await fhir.put("Patient/robin", json=patient(id="robin"))
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"1"')


async def test_a_put_to_a_deleted_id_brings_it_back(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    await fhir.delete("Patient/robin")
    answer = await fhir.put("Patient/robin", json=patient(id="robin"))
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"3"')


@pytest.mark.parametrize(
    ("url", "body", "status"),
    [
        ("Patient/robin", patient(id="other"), 400),
        ("Patient/robin", patient(), 400),
        ("Patient/robin", {"resourceType": "Group", "id": "robin"}, 400),
        ("Patient/not_legal", patient(id="not_legal"), 400),
        ("Patient/" + "a" * 65, patient(id="a" * 65), 400),
    ],
)
async def test_a_body_that_does_not_fit_the_url_is_400(
    fhir: httpx.AsyncClient, url: str, body: dict, status: int
) -> None:
    answer = await fhir.put(url, json=body)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ('W/"1"', 200),
        ('"1"', 200),
        ('W/"7", W/"1"', 200),
        ("*", 200),
        ('W/"7"', 412),
        ('W/"7", "8"', 412),
        ("seven", 400),
        ('W/"1", seven', 400),
    ],
)
async def test_if_match_guards(fhir: httpx.AsyncClient, tag: str, status: int) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answer = await fhir.put("Patient/robin", json=patient(id="robin"), headers={"if-match": tag})
    assert answer.status_code == status


async def test_if_none_match_star_never_overwrites(fhir: httpx.AsyncClient) -> None:
    headers = {"if-none-match": "*"}
    assert (await fhir.put("Patient/robin", json=patient(id="robin"), headers=headers)).status_code == 201
    assert (await fhir.put("Patient/robin", json=patient(id="robin"), headers=headers)).status_code == 412


async def test_of_twenty_creations_of_one_id_at_once_one_is_told_so(fhir: httpx.AsyncClient) -> None:
    only_new = {"if-none-match": "*"}
    answers = await asyncio.gather(
        *(fhir.put("Patient/robin", json=patient(id="robin"), headers=only_new) for _ in range(20))
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 201
    assert set(statuses[1:]) == {412}
    assert (await fhir.get("Patient/robin")).headers["etag"] == 'W/"1"'


async def test_of_fifty_updates_with_the_same_if_match_one_wins(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answers = await asyncio.gather(
        *(fhir.put("Patient/robin", json=patient(id="robin"), headers={"if-match": 'W/"1"'}) for _ in range(50))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 49
    assert (await fhir.get("Patient/robin")).headers["etag"] == 'W/"2"'


async def test_unguarded_updates_at_once_all_become_versions(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))
    answers = await asyncio.gather(*(fhir.put("Patient/robin", json=patient(id="robin")) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await fhir.get("Patient/robin")).headers["etag"] == 'W/"21"'


@pytest.mark.parametrize(("role", "status"), [(Role.CLINICIAN, 428), (Role.COORDINATOR, 428), (Role.SYSTEM, 200)])
async def test_an_interactive_caller_must_send_if_match_where_the_kind_demands_it(
    database_url: str, role: Role, status: int
) -> None:
    await create_tables(database_url)
    service = every_type(ResourceKind("Patient", if_match_required=True))
    verifier = FixedVerifier(Caller("x", role))
    async with running_engine(database_url, service) as engine, client_of(engine, service, verifier) as fhir:
        assert (await fhir.put("Patient/robin", json=patient(id="robin"))).status_code == 201
        assert (await fhir.put("Patient/robin", json=patient(id="robin"))).status_code == status


@pytest.mark.parametrize(
    ("setting", "patient_status", "plan_status"),
    [("Patient", 428, 200), ("none", 200, 200), ("Task, CarePlan", 200, 428)],
)
async def test_operators_say_which_types_demand_if_match(
    database_url: str, monkeypatch: pytest.MonkeyPatch, setting: str, patient_status: int, plan_status: int
) -> None:
    """http://hl7.org/fhir/R4/http.html#concurrency: a server may demand it."""
    monkeypatch.setenv("CONSILIUM_IF_MATCH_TYPES", setting)
    await create_tables(database_url)
    service = every_type(ResourceKind("CarePlan", if_match_required=True))
    verifier = FixedVerifier(Caller("x", Role.CLINICIAN))
    async with running_engine(database_url, service) as engine, client_of(engine, service, verifier) as fhir:
        await fhir.put("Patient/robin", json=patient(id="robin"))
        await fhir.put("CarePlan/one", json=care_plan("Patient/robin", id="one"))
        assert (await fhir.put("Patient/robin", json=patient(id="robin"))).status_code == patient_status
        assert (await fhir.put("Patient?_id=robin", json=patient())).status_code == patient_status
        again = await fhir.put("CarePlan/one", json=care_plan("Patient/robin", id="one"))
        assert again.status_code == plan_status
        told = {one["type"]: one["versioning"] for one in (await fhir.get("metadata")).json()["rest"][0]["resource"]}
        assert told["Patient"] == ("versioned-update" if patient_status == 428 else "versioned")
