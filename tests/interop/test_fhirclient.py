"""fhirclient (SMART's Python client) sends a referral, accepts it, pages, and reads the plan that comes of it."""

import asyncio
from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.fhirabstractbase import FHIRValidationError
from fhirclient.models.organization import Organization
from fhirclient.models.patient import Patient
from fhirclient.models.task import Task

from tests.e2e.evidence import Evidence
from tests.e2e.referring import PEOPLE, furnish, located, referral
from tests.factories.system import EHR, PSYCHOLOGIST, SPECIALIST, System, bearer

pytestmark = pytest.mark.timeout(120)


def _client(base: str, headers: dict[str, str]) -> FHIRClient:
    client = FHIRClient(settings={"app_id": "test", "api_base": f"{base}/fhir/"})
    client.server.session.headers.update(headers)
    return client


def _refer(client: FHIRClient, of: str) -> str:
    """Send a referral; the reference of its Task."""
    sent = client.server.post_json("", Bundle(referral(of)).as_json())
    answer = Bundle(sent.json())
    assert answer.type == "transaction-response"
    return located({"response": answer.entry[1].response.as_json()})


def _accept(client: FHIRClient, task: str) -> Any:
    """Accept the referral, from the version that was seen; what the server made of it."""
    seen = Task.read(task.partition("/")[2], client.server)
    client.server.session.headers["If-Match"] = f'W/"{seen.meta.versionId}"'
    seen.status = "accepted"
    return Task(seen.update(client.server))


def _pages(client: FHIRClient) -> list[str]:
    search = Organization.where({"_count": "1"})
    return [one.id for one in search.perform_resources_iter(client.server)]


async def test_fhirclient_refers_accepts_and_pages(plain_system: System, evidence: Evidence) -> None:
    async with plain_system.site() as site, site.served() as base:
        (patient,) = await furnish(site)
        asks, does = (_client(base, bearer(caller, plain_system.data_dir)) for caller in (SPECIALIST, PSYCHOLOGIST))
        task = await asyncio.to_thread(_refer, asks, patient)
        accepted = await asyncio.to_thread(_accept, does, task)
        assert (accepted.status, accepted.meta.versionId) == ("accepted", "2")
        clinics = [one["id"] for one in PEOPLE if one["resourceType"] == "Organization"]
        assert sorted(await asyncio.to_thread(_pages, asks)) == sorted(clinics)


async def test_its_models_take_everything_that_we_serve(plain_system: System) -> None:
    """Its classes are strict R4: an element that is not, or of the wrong type, raises ``FHIRValidationError``."""
    async with plain_system.site() as site, site.served() as base:
        (patient,) = await furnish(site)
        ehr = _client(base, bearer(EHR, plain_system.data_dir))
        statement = await asyncio.to_thread(lambda: ehr.server.capabilityStatement)
        assert statement.fhirVersion == "4.0.1"
        found = await asyncio.to_thread(lambda: Patient.where({"_id": patient.partition("/")[2]}).perform(ehr.server))
        assert found.entry[0].resource.id == patient.partition("/")[2]
        with pytest.raises(FHIRValidationError):
            Patient({"colour": "red"})
