"""A reference that names this server by its full address is stored as the relative one it means.

http://hl7.org/fhir/R4/references.html#literal
"""

from typing import Any

import httpx
import pytest

from shared.fhir.json import dumps
from shared.service import service_app
from tests.factories.engine import FixedVerifier, every_type, running_engine
from tests.factories.resources import bundle, care_plan, entry, observation, patient

OWN = "http://test/fhir/Patient/robin"
ELSEWHERE = "http://elsewhere/fhir/Patient/robin"
NOBODY = "http://test/fhir/Patient/nobody"
ANSWERED = {"prefer": "return=representation"}


@pytest.fixture(autouse=True)
async def robin(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/robin", json=patient(id="robin"))


ALIASES = (
    "https://test/fhir/{}",
    "HTTP://TEST/fhir/{}",
    "http://test:80/fhir/{}",
    "https://test:443/fhir/{}",
    "http://test/fhir//{}",
    "http://test/fhir/./{}",
    "http://test/%66hir/{}/",
)
LOOPBACK = (
    "http://localhost:8080/fhir/{}",
    "http://127.0.0.1:8080/fhir/{}",
    "https://127.3.2.1:8080/fhir/{}",
    "http://[::1]:8080/fhir//{}",
)


def _subject(resource: dict[str, Any]) -> str:
    reference: str = resource["subject"]["reference"]
    return reference


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (OWN, "Patient/robin"),
        (f"{OWN}/_history/1", "Patient/robin/_history/1"),
        ("Patient/robin", "Patient/robin"),
        (ELSEWHERE, ELSEWHERE),
    ],
)
async def test_every_write_stores_the_relative_form(fhir: httpx.AsyncClient, sent: str, stored: str) -> None:
    created = await fhir.post("CarePlan", json=care_plan(sent))
    assert (created.status_code, _subject(created.json())) == (201, stored)
    id_ = created.json()["id"]
    updated = await fhir.put(f"CarePlan/{id_}", json=care_plan(sent, id=id_, title="Plan"))
    assert (updated.status_code, _subject(updated.json())) == (200, stored)
    assert _subject((await fhir.get(f"CarePlan/{id_}")).json()) == stored
    made = await fhir.put("CarePlan/p2", json=care_plan(sent, id="p2"))
    assert (made.status_code, _subject(made.json())) == (201, stored)
    conditional = await fhir.post("CarePlan", json=care_plan(sent), headers={"if-none-exist": "_id=none"})
    assert (conditional.status_code, _subject(conditional.json())) == (201, stored)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_entries_store_the_relative_form(fhir: httpx.AsyncClient, kind: str) -> None:
    sent = bundle(
        kind,
        entry("POST", "CarePlan", care_plan(OWN)),
        entry("PUT", "CarePlan/p2", care_plan(OWN, id="p2")),
        entry("POST", "CarePlan", care_plan(ELSEWHERE)),
        # exported resources come with their address as fullUrl
        entry("PUT", "Patient/robin", patient(id="robin"), OWN),
        entry("POST", "CarePlan", care_plan(OWN), ifNoneExist="_id=none"),
    )
    answer = await fhir.post("", json=sent, headers=ANSWERED)
    plans = [e["resource"] for e in answer.json()["entry"] if e["resource"]["resourceType"] == "CarePlan"]
    assert [_subject(plan) for plan in plans] == ["Patient/robin", "Patient/robin", ELSEWHERE, "Patient/robin"]


async def test_a_batch_within_a_batch_does_so_too(fhir: httpx.AsyncClient) -> None:
    inner = bundle("batch", entry("PUT", "CarePlan/p2", care_plan(OWN, id="p2")))
    assert (await fhir.post("", json=bundle("batch", entry("POST", "/", inner)))).status_code == 200
    assert _subject((await fhir.get("CarePlan/p2")).json()) == "Patient/robin"


async def test_escaped_slashes_make_no_difference(fhir: httpx.AsyncClient) -> None:
    body = dumps(care_plan(OWN)).replace(b"http://test/fhir/", rb"http:\/\/test\/fhir\/")
    answer = await fhir.post("CarePlan", content=body, headers={"content-type": "application/fhir+json"})
    assert _subject(answer.json()) == "Patient/robin"


@pytest.mark.parametrize("wanted", ["Patient/robin", "robin", OWN])
async def test_search_finds_what_was_sent_with_an_absolute_reference(fhir: httpx.AsyncClient, wanted: str) -> None:
    await fhir.post("Observation", json=observation(OWN))
    found = (await fhir.get("Observation", params={"subject": wanted, "_total": "accurate"})).json()
    assert found["total"] == 1


async def test_an_absolute_reference_to_nothing_here_is_refused(fhir: httpx.AsyncClient) -> None:
    refusals = [
        await fhir.post("CarePlan", json=care_plan(NOBODY)),
        await fhir.put("CarePlan/p1", json=care_plan(NOBODY, id="p1")),
        await fhir.post("", json=bundle("transaction", entry("POST", "CarePlan", care_plan(NOBODY)))),
    ]
    assert [refusal.status_code for refusal in refusals] == [422, 422, 422]
    assert "nobody" not in refusals[0].text
    batch = await fhir.post("", json=bundle("batch", entry("POST", "CarePlan", care_plan(NOBODY))))
    assert batch.json()["entry"][0]["response"]["status"].startswith("422")


async def test_what_is_referred_to_absolutely_is_not_deleted(fhir: httpx.AsyncClient) -> None:
    await fhir.post("CarePlan", json=care_plan(OWN))
    assert (await fhir.delete("Patient/robin")).status_code == 409


async def test_in_a_transaction_a_full_url_goes_before_what_the_address_means(fhir: httpx.AsyncClient) -> None:
    sent = bundle("transaction", entry("POST", "Patient", patient(), OWN), entry("POST", "CarePlan", care_plan(OWN)))
    new, plan = (e["resource"] for e in (await fhir.post("", json=sent, headers=ANSWERED)).json()["entry"])
    assert new["id"] != "robin"
    assert _subject(plan) == f"Patient/{new['id']}"


async def test_a_full_url_of_another_server_does_not_take_our_address(fhir: httpx.AsyncClient) -> None:
    sent = bundle(
        "transaction",
        entry("POST", "Patient", patient(), ELSEWHERE),
        entry("POST", "CarePlan", care_plan(OWN)),
        entry("POST", "CarePlan", care_plan(ELSEWHERE)),
    )
    answer = await fhir.post("", json=sent, headers=ANSWERED)
    new, ours, theirs = (e["resource"] for e in answer.json()["entry"])
    assert (_subject(ours), _subject(theirs)) == ("Patient/robin", f"Patient/{new['id']}")


async def test_a_stored_bundle_keeps_the_references_of_its_entries(fhir: httpx.AsyncClient) -> None:
    entries = [{"fullUrl": OWN, "resource": patient(id="robin")}, {"fullUrl": OWN + "2", "resource": care_plan(OWN)}]
    stored = await fhir.post("Bundle", json={"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert _subject(stored.json()["entry"][1]["resource"]) == OWN


async def _is_stored_relative(fhir: httpx.AsyncClient, spelling: str) -> None:
    own = spelling.format("Patient/robin")
    created = await fhir.post("CarePlan", json=care_plan(own))
    assert (created.status_code, _subject(created.json())) == (201, "Patient/robin")
    for kind in ("batch", "transaction"):
        answer = await fhir.post("", json=bundle(kind, entry("POST", "CarePlan", care_plan(own))), headers=ANSWERED)
        assert _subject(answer.json()["entry"][0]["resource"]) == "Patient/robin"
    found = (await fhir.get("CarePlan", params={"subject": own, "_total": "accurate"})).json()
    assert found["total"] >= 3
    for nothing in (spelling.format("Patient/nobody"), own.rstrip("/") + "?a", own.rstrip("/") + "#a"):
        assert (await fhir.post("CarePlan", json=care_plan(nothing))).status_code == 422
        sent = bundle("transaction", entry("POST", "CarePlan", care_plan(nothing)))
        assert (await fhir.post("", json=sent)).status_code == 422


@pytest.mark.parametrize("spelling", ALIASES)
async def test_however_the_address_is_spelled(fhir: httpx.AsyncClient, spelling: str) -> None:
    await _is_stored_relative(fhir, spelling)


@pytest.mark.parametrize("spelling", LOOPBACK)
@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080"])
async def test_names_of_loopback_are_one(fhir: httpx.AsyncClient, host: str, spelling: str) -> None:
    fhir.headers["host"] = host
    await _is_stored_relative(fhir, spelling)


async def test_they_are_another_server_where_the_caller_came_by_another_name(fhir: httpx.AsyncClient) -> None:
    theirs = LOOPBACK[0].format("Patient/nobody")
    assert _subject((await fhir.post("CarePlan", json=care_plan(theirs))).json()) == theirs


@pytest.mark.parametrize("literal", ["Patient/robin?a", "Patient/robin/", "/Patient/robin", " Patient/robin"])
async def test_what_is_no_reference_is_refused(fhir: httpx.AsyncClient, literal: str) -> None:
    refusal = await fhir.post("CarePlan", json=care_plan(literal))
    assert refusal.status_code == 422
    assert refusal.json()["issue"][0]["expression"] == ["CarePlan.subject.reference"]


@pytest.mark.parametrize("server", ["https://care.example/pain/fhir", "http://10.1.2.3:8080/fhir"])
async def test_the_known_address_and_that_of_the_connection_are_ours_whatever_the_host(
    database_url: str, verifier: FixedVerifier, server: str
) -> None:
    service = every_type()
    async with running_engine(database_url, service) as engine:
        app = service_app(service, engine, verifier, known_as="https://care.example/pain/fhir")
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]  # the scope is a wider mapping there
        async with httpx.AsyncClient(transport=transport, base_url="http://10.1.2.3:8080/fhir/") as client:
            client.headers["host"] = "another"
            answer = await client.post("CarePlan", json=care_plan(f"{server}/Patient/robin"))
            assert _subject(answer.json()) == "Patient/robin"
            assert answer.headers["location"].startswith("http://another/fhir/CarePlan/")
            assert (await client.post("CarePlan", json=care_plan(f"{server}/Patient/nobody"))).status_code == 422
