"""The CapabilityStatement is true (http://hl7.org/fhir/R4/capabilitystatement.html): all that it claims is tried."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.careplans.main import SERVICE as CAREPLANS
from services.notifications.main import SERVICE as NOTIFICATIONS
from services.referrals.main import SERVICE as REFERRALS
from shared.service import Service
from tests.factories.engine import FixedVerifier, client_of, create_tables, running_engine
from tests.factories.walking import refused_searches, unserved


@pytest.fixture(params=[CAREPLANS, REFERRALS, NOTIFICATIONS], ids=lambda service: service.name)
async def fhir(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the FHIR base of each service."""
    service: Service = request.param
    await create_tables(database_url)
    async with running_engine(database_url, service) as engine, client_of(engine, service, FixedVerifier()) as client:
        yield client


async def test_every_search_that_is_claimed_is_carried_out(fhir: httpx.AsyncClient) -> None:
    statement = (await fhir.get("metadata")).json()
    assert await refused_searches(fhir, "", statement, {}) == []


async def test_every_interaction_and_operation_that_is_claimed_is_served(fhir: httpx.AsyncClient) -> None:
    statement = (await fhir.get("metadata")).json()
    assert await unserved(fhir, "", statement, {}) == []


async def test_parameters_have_their_definitions(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/searchparameter-registry.html"""
    statement = (await fhir.get("metadata")).json()
    told = {
        (resource["type"], parameter["name"]): parameter["definition"]
        for resource in statement["rest"][0]["resource"]
        for parameter in resource["searchParam"]
    }
    expected = {
        ("CarePlan", "patient"): "http://hl7.org/fhir/SearchParameter/clinical-patient",
        ("CarePlan", "_id"): "http://hl7.org/fhir/SearchParameter/Resource-id",
        ("CareTeam", "role"): "http://hl7.org/fhir/us/core/SearchParameter/us-core-careteam-role",
        ("Task", "owner"): "http://hl7.org/fhir/SearchParameter/Task-owner",
        ("Communication", "sent"): "http://hl7.org/fhir/SearchParameter/Communication-sent",
    }
    assert {key: told[key] for key in expected if key in told} == {k: v for k, v in expected.items() if k in told}
    assert set(told) & set(expected)


async def test_no_more_is_claimed_of_references_than_is_checked(fhir: httpx.AsyncClient) -> None:
    """http://hl7.org/fhir/R4/valueset-reference-handling-policy.html"""
    told = {each["type"]: each for each in (await fhir.get("metadata")).json()["rest"][0]["resource"]}
    assert {tuple(each["referencePolicy"]) for each in told.values()} == {("literal", "logical")}
    bodies: tuple[dict[str, object], ...] = (
        {"resourceType": "Patient"},
        {"resourceType": "Organization", "name": "Pain clinic"},
        {"resourceType": "Communication", "status": "completed"},
    )
    (body,) = [each for each in bodies if each["resourceType"] in told]
    (other,) = [each for each in ("Patient/none", "Task/none") if each.partition("/")[0] not in told][:1]
    (own,) = [each for each in ("Patient/none", "Task/none", "Subscription/none") if each.partition("/")[0] in told]
    for reference, status in ((other, 201), ("http://elsewhere.example/fhir/Patient/1", 201), (own, 422)):
        extension = [{"url": "http://example.org/about", "valueReference": {"reference": reference}}]
        stored = await fhir.post(str(body["resourceType"]), json=body | {"extension": extension})
        assert stored.status_code == status, (reference, stored.text)


async def test_what_is_not_served_would_be_found(fhir: httpx.AsyncClient) -> None:
    """The walk itself bites."""
    statement = (await fhir.get("metadata")).json()
    resource = statement["rest"][0]["resource"][0]
    resource["searchInclude"] = [f"{resource['type']}:nothing"]
    statement["rest"][0]["resource"] = [resource]
    assert len(await refused_searches(fhir, "", statement, {})) == 1
    resource["type"] = "Cauldron"
    assert await unserved(fhir, "", statement, {}) != []
