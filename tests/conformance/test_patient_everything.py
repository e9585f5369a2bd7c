"""Patient/[id]/$everything of one service (http://hl7.org/fhir/R4/operation-patient-everything.html)."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from shared.fhir.search.access import Access
from shared.fhir.search.filters import AnyOf
from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type, running_engine
from tests.factories.resources import care_plan, observation, patient

URL = "Patient/robin/$everything"


async def put(fhir: httpx.AsyncClient, resource: dict[str, Any]) -> None:
    answer = await fhir.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
    assert answer.status_code == 201, answer.text


async def record(fhir: httpx.AsyncClient) -> None:
    """Two patients; what belongs to Robin in several ways, and what that refers to."""
    organization = {"resourceType": "Organization", "id": "clinic", "name": "Clinic"}
    doctor = {"resourceType": "Practitioner", "id": "bay", "name": [{"family": "Bay"}]}
    role = {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"reference": "Practitioner/bay"},
        "organization": {"reference": "Organization/clinic"},
    }
    unused = {"resourceType": "Practitioner", "id": "unused", "name": [{"family": "Other"}]}
    for resource in (organization, doctor, role, unused, patient(id="robin"), patient(id="other")):
        await put(fhir, resource)
    team = {
        "resourceType": "CareTeam",
        "id": "team",
        "status": "active",
        "participant": [
            {"member": {"reference": "Patient/robin"}},
            {"member": {"reference": "PractitionerRole/role"}},
            {"member": {"reference": "Patient/other"}},
        ],
        "subject": {"reference": "Patient/robin"},
    }
    await put(fhir, team)
    await put(fhir, care_plan("Patient/robin", id="plan", careTeam=[{"reference": "CareTeam/team"}]))
    await put(fhir, care_plan("Patient/other", id="not-hers"))
    for number in range(5):
        of = observation("Patient/robin", id=f"o{number}", effectiveDateTime=f"2026-0{number + 1}-10")
        await put(fhir, of)


def told(bundle: dict[str, Any], mode: str | None = None) -> list[str]:
    """What is in ``bundle``, without the Provenance of it."""
    entries = [entry for entry in bundle.get("entry", ()) if mode in (None, entry["search"]["mode"])]
    names = (entry["fullUrl"].removeprefix("http://test/fhir/") for entry in entries)
    return [name for name in names if not name.startswith("Provenance/")]


async def test_the_patient_the_compartment_and_what_these_refer_to(fhir: httpx.AsyncClient) -> None:
    await record(fhir)
    answer = await fhir.get(URL)
    bundle = answer.json()
    assert (answer.status_code, bundle["type"]) == (200, "searchset")
    matches = ["Patient/robin", "CarePlan/plan", "CareTeam/team", *(f"Observation/o{number}" for number in range(5))]
    assert told(bundle, "match") == matches
    assert set(told(bundle, "include")) == {"PractitionerRole/role", "Practitioner/bay", "Organization/clinic"}
    assert [link["relation"] for link in bundle["link"]] == ["self"]
    assert (await fhir.post(URL)).json() == bundle
    assert (await fhir.head(URL)).status_code == 200


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_pages_show_each_match_once(fhir: httpx.AsyncClient, count: int) -> None:
    await record(fhir)
    whole = told((await fhir.get(URL)).json(), "match")
    url, met = f"{URL}?_count={count}", list[str]()
    while url:
        page = (await fhir.get(url)).json()
        met += told(page, "match")
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    assert met == whole


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_type=Observation", {f"Observation/o{number}" for number in range(5)}),
        ("_type=Patient,CareTeam", {"Patient/robin", "CareTeam/team"}),
        ("_type=Observation&start=2026-03-10", {f"Observation/o{number}" for number in (2, 3, 4)}),
        ("_type=Observation&end=2026-03", {f"Observation/o{number}" for number in (0, 1, 2)}),
        ("_type=Observation&start=2026-02-11&end=2026-03-10", {"Observation/o2"}),
        ("_type=CareTeam&start=2030", {"CareTeam/team"}),
        ("_type=Observation&_since=2999", set()),
        ("_type=Observation&_since=2000", {f"Observation/o{number}" for number in range(5)}),
    ],
)
async def test_what_is_asked_for(fhir: httpx.AsyncClient, query: str, expected: set[str]) -> None:
    """A resource without a date of care is in any period."""
    await record(fhir)
    assert set(told((await fhir.get(f"{URL}?{query}")).json())) == expected
    parameters = [pair.split("=") for pair in query.split("&")]
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": name, "valueString": value} for name, value in parameters],
    }
    assert set(told((await fhir.post(URL, json=body)).json())) == expected


@pytest.mark.parametrize("query", ["_type=Cauldron", "_count=0", "_count=x", "start=x", "_since=x", "_cursor=x"])
async def test_what_makes_no_sense_is_refused(fhir: httpx.AsyncClient, query: str) -> None:
    await put(fhir, patient(id="robin"))
    answer = await fhir.get(f"{URL}?{query}")
    assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")


async def test_a_patient_that_is_not_there(fhir: httpx.AsyncClient) -> None:
    assert (await fhir.get("Patient/nobody/$everything")).status_code == 404
    await put(fhir, patient(id="gone"))
    await fhir.delete("Patient/gone")
    assert (await fhir.get("Patient/gone/$everything")).status_code == 410
    assert (await fhir.get("CareTeam/x/$everything")).status_code == 404
    assert (await fhir.delete("Patient/gone/$everything")).status_code == 405


async def test_what_the_caller_may_not_see_is_left_out(database_url: str) -> None:
    await create_tables(database_url)
    service, verifier = every_type(), FixedVerifier()
    hidden = Access(lambda type_: AnyOf(()) if type_ in ("CareTeam", "Practitioner") else None)
    async with running_engine(database_url, service) as engine:
        async with client_of(engine, service, verifier) as fhir:
            await record(fhir)
        async with client_of(replace(engine, access=lambda caller: hidden), service, verifier) as fhir:
            seen = told((await fhir.get(URL)).json())
    assert "CarePlan/plan" in seen
    assert not {name for name in seen if name.startswith(("CareTeam", "Practitioner/"))}
