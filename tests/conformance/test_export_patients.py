"""$export of patients and of Groups (http://hl7.org/fhir/uv/bulkdata/STU2/OperationDefinition-patient-export.html)."""

from typing import Any

import httpx
import pytest

from shared.engine import Engine
from shared.fhir.search.access import Access
from shared.fhir.search.filters import Patients
from tests.factories.bulk import ASYNC, exported, kicked_off, worked
from tests.factories.resources import care_plan, observation, patient

OF_A = ["Appointment/visit", "CarePlan/plan", "Observation/a1", "Patient/a"]


def parameters(*patients: str, **others: str) -> dict[str, Any]:
    """A body that names ``patients``."""
    named: list[dict[str, Any]] = [{"name": "patient", "valueReference": {"reference": one}} for one in patients]
    named += [{"name": name, "valueString": value} for name, value in others.items()]
    return {"resourceType": "Parameters", "parameter": named}


def group(*members: str, **more: Any) -> dict[str, Any]:
    """A Group of patients."""
    listed = [{"entity": {"reference": member}} for member in members]
    return (
        {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
        | ({"member": listed} if listed else {})
        | more
    )


@pytest.fixture(autouse=True)
async def furnished(fhir: httpx.AsyncClient) -> None:
    """Three patients; what is of the first, in each way that the compartment knows; what is of nobody."""
    visit = {
        "resourceType": "Appointment",
        "id": "visit",
        "status": "booked",
        "start": "2026-05-01T10:00:00Z",
        "end": "2026-05-01T11:00:00Z",
        "participant": [{"actor": {"reference": "Patient/a"}, "status": "accepted"}],
    }
    for resource in (
        patient(id="a"),
        patient(id="b"),
        patient(id="c"),
        observation("Patient/a", id="a1"),
        observation("Patient/b", id="b1"),
        observation("Patient/c", id="c1", performer=[{"reference": "Patient/b"}]),
        care_plan("Patient/a", id="plan"),
        visit,
        {"resourceType": "Organization", "id": "clinic", "name": "Clinic"},
    ):
        answer = await fhir.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
        assert answer.status_code == 201, answer.text


async def test_every_patient(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """All that is in a compartment, and nothing else."""
    found = await exported(fhir, engine, "Patient/$export")
    assert found.names == sorted([*OF_A, "Observation/b1", "Observation/c1", "Patient/b", "Patient/c"])
    assert found.manifest["request"] == "http://test/fhir/Patient/$export"


async def test_some_patients(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """patient: of the compartments of these alone."""
    found = await exported(fhir, engine, "Patient/$export", json=parameters("Patient/a"))
    assert found.names == OF_A
    found = await exported(fhir, engine, "Patient/$export", json=parameters("Patient/b", _type="Observation"))
    assert found.names == ["Observation/b1", "Observation/c1"], "who performed it has a share in it"


async def test_a_group(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """Patients who are members; those who were are not."""
    left = {"entity": {"reference": "Patient/c"}, "inactive": True}
    of_group = group("Patient/a", "Patient/b")
    of_group["member"].append(left)
    assert (await fhir.put("Group/g", json=of_group)).status_code == 201
    found = await exported(fhir, engine, "Group/g/$export")
    assert found.names == sorted([*OF_A, "Group/g", "Observation/b1", "Observation/c1", "Patient/b"])
    found = await exported(fhir, engine, "Group/g/$export", json=parameters("Patient/b", _type="Patient"))
    assert found.names == ["Patient/b"]


async def test_a_group_of_nobody_has_nothing(fhir: httpx.AsyncClient, engine: Engine) -> None:
    assert (await fhir.put("Group/g", json=group())).status_code == 201
    assert (await exported(fhir, engine, "Group/g/$export")).names == []


@pytest.mark.parametrize(
    ("path", "body", "status", "expression"),
    [
        ("Patient/$export", parameters("Patient/absent"), 400, ["patient"]),
        ("Patient/$export", parameters("Observation/a1"), 400, ["patient"]),
        ("Patient/$export", parameters("Patient/a", _type="Organization"), 400, ["_type"]),
        ("$export", parameters("Patient/a"), 400, ["patient"]),
        ("Group/g/$export", parameters("Patient/c"), 400, ["patient"]),
        ("Group/absent/$export", parameters(), 404, None),
    ],
)
async def test_what_is_refused(
    fhir: httpx.AsyncClient, path: str, body: dict[str, Any], status: int, expression: list[str] | None
) -> None:
    assert (await fhir.put("Group/g", json=group("Patient/a"))).status_code == 201
    answer = await fhir.post(path, json=body, headers=ASYNC)
    assert answer.status_code == status
    assert answer.json()["issue"][0].get("expression") == expression


async def test_patients_are_named_in_a_body(fhir: httpx.AsyncClient) -> None:
    """The parameter is for POST."""
    answer = await fhir.get("Patient/$export?patient=Patient/a", headers=ASYNC)
    assert answer.status_code == 400


async def test_more_patients_than_are_taken(fhir: httpx.AsyncClient) -> None:
    body = parameters(*(f"Patient/{number}" for number in range(10_001)))
    answer = await fhir.post("Patient/$export", json=body, headers=ASYNC)
    assert answer.status_code == 413


async def test_whose_it_was_at_the_moment_of_the_export_counts(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """What moves to another patient, or goes, after the kick-off is exported as it was."""
    status = await kicked_off(fhir, "Patient/$export", json=parameters("Patient/a"))
    await fhir.put("Observation/a1", json=observation("Patient/b", id="a1"))
    await fhir.put("Observation/b1", json=observation("Patient/a", id="b1"))
    await fhir.delete("CarePlan/plan")
    await fhir.put("Observation/new", json=observation("Patient/a", id="new"))
    await worked(engine)
    manifest = (await fhir.get(status)).json()
    lines = [line for file in manifest["output"] for line in (await fhir.get(file["url"])).text.splitlines()]
    assert sorted(line.split('"id":"')[1].split('"')[0] for line in lines) == ["a", "a1", "plan", "visit"]
    assert not any("Patient/b" in line for line in lines)


async def test_deletions_since(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """deleted: those of the compartments that were asked for."""
    since = (await exported(fhir, engine, "Patient/$export")).manifest["transactionTime"]
    for path in ("Observation/a1", "Observation/b1", "Organization/clinic"):
        assert (await fhir.delete(path)).status_code in (200, 204)
    found = await exported(fhir, engine, "Patient/$export", json=parameters("Patient/a", _since=since))
    assert (found.names, found.deleted) == ([], ["Observation/a1"])
    found = await exported(fhir, engine, "Patient/$export", params={"_since": since})
    assert (found.names, sorted(found.deleted)) == ([], ["Observation/a1", "Observation/b1"])


async def test_what_a_caller_may_not_see_is_not_exported(fhir: httpx.AsyncClient, engine: Engine) -> None:
    """The worker asks the same seam as every read: ``Engine.access``."""
    only_a = Access(lambda type_: Patients(("a",)))
    object.__setattr__(engine, "access", lambda caller: only_a)
    assert (await exported(fhir, engine)).names == ["CarePlan/plan", "Observation/a1", "Patient/a"]
    found = await exported(fhir, engine, "Patient/$export", params={"_since": "2000-01-01T00:00:00Z"})
    assert found.names == ["CarePlan/plan", "Observation/a1", "Patient/a"]
    answer = await fhir.post("Patient/$export", json=parameters("Patient/b"), headers=ASYNC)
    assert answer.status_code == 400, "as if it did not exist"
