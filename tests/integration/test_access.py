"""What a caller may not see is answered as if it did not exist: a toy rule ("only these patients") on every way in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from shared.fhir.search.access import Access, everything
from shared.fhir.search.filters import AnyOf, Filter, Ids, Patients
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type, running_engine

ALL = Caller("all", Role.SYSTEM)
ONE = Caller("one", Role.CLINICIAN)
_OPEN = frozenset({"Practitioner"})


def _only_the_patient_seen(type_: str) -> Filter | None:
    if type_ == "Patient":
        return Ids(("seen",))
    return None if type_ in _OPEN else AnyOf((Patients(("seen",)),))


def rules(caller: Caller) -> Access:
    return Access(_only_the_patient_seen) if caller == ONE else everything(caller)


@asynccontextmanager
async def system(url: str) -> AsyncIterator[tuple[httpx.AsyncClient, FixedVerifier]]:
    """Two patients with a goal each; the caller is ``ONE``."""
    await create_tables(url)
    service, verifier = every_type(), FixedVerifier(ALL)
    async with (
        running_engine(url, service) as engine,
        client_of(replace(engine, access=rules), service, verifier) as fhir,
    ):
        for patient in ("seen", "hidden"):
            await _put(fhir, {"resourceType": "Patient", "id": patient, "identifier": [{"value": patient}]})
            await _put(fhir, _goal(patient))
        verifier.caller = ONE
        yield fhir, verifier


def _goal(patient: str) -> dict[str, object]:
    return {
        "resourceType": "Goal",
        "id": f"of-{patient}",
        "lifecycleStatus": "active",
        "description": {"text": "Walk"},
        "subject": {"reference": f"Patient/{patient}"},
    }


async def _put(fhir: httpx.AsyncClient, resource: dict[str, object]) -> None:
    answer = await fhir.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("{}", 200),
        ("{}/_history", 200),
        ("{}/_history/1", 200),
        ("{}/$meta", 200),
        ("{}/$validate", 200),
    ],
)
async def test_what_is_hidden_is_not_found(database_url: str, path: str, shown: int) -> None:
    async with system(database_url) as (fhir, _):
        assert (await fhir.get(path.format("Goal/of-seen"))).status_code == shown
        answer = await fhir.get(path.format("Goal/of-hidden"))
        assert answer.status_code == 404
        assert answer.json() == (await fhir.get(path.format("Goal/never-there"))).json()


async def test_a_search_a_count_and_an_include_show_what_is_seen_alone(database_url: str) -> None:
    async with system(database_url) as (fhir, _):
        found = (await fhir.get("Goal?lifecycle-status=active&_include=Goal:subject&_total=accurate")).json()
        assert [entry["resource"]["id"] for entry in found["entry"]] == ["of-seen", "seen"]
        assert found["total"] == 1
        assert (await fhir.get("Goal?_summary=count")).json()["total"] == 1
        assert "entry" not in (await fhir.get("Goal?patient=hidden")).json()
        around = (await fhir.get("Patient?_revinclude=Goal:patient")).json()
        assert [entry["resource"]["id"] for entry in around["entry"]] == ["seen", "of-seen"]
        by_post = await fhir.post("Goal/_search", data={"lifecycle-status": "active"})
        assert [entry["resource"]["id"] for entry in by_post.json()["entry"]] == ["of-seen"]


async def test_what_is_hidden_cannot_be_changed_or_guessed_by_version(database_url: str) -> None:
    async with system(database_url) as (fhir, verifier):
        changed = _goal("hidden") | {"lifecycleStatus": "completed"}
        assert (await fhir.put("Goal/of-hidden", json=changed)).status_code == 404
        stale = await fhir.put("Goal/of-hidden", json=changed, headers={"If-Match": 'W/"1"'})
        absent = await fhir.put("Goal/none", json=changed | {"id": "none"}, headers={"If-Match": 'W/"1"'})
        assert (stale.status_code, stale.json()) == (412, absent.json())
        assert (await fhir.delete("Goal/of-hidden")).status_code == 204
        transaction = {"resourceType": "Bundle", "type": "transaction", "entry": []}
        transaction["entry"] = [{"resource": changed, "request": {"method": "PUT", "url": "Goal/of-hidden"}}]
        assert (await fhir.post("", json=transaction)).status_code == 404
        verifier.caller = ALL
        kept = (await fhir.get("Goal/of-hidden")).json()
        assert (kept["lifecycleStatus"], kept["meta"]["versionId"]) == ("active", "1")


async def test_conditional_criteria_do_not_meet_what_is_hidden(database_url: str) -> None:
    async with system(database_url) as (fhir, _):
        for value, status in (("seen", 200), ("hidden", 201)):
            patient = {"resourceType": "Patient", "identifier": [{"value": value}]}
            answer = await fhir.post("Patient", json=patient, headers={"If-None-Exist": f"identifier={value}"})
            assert answer.status_code == status


async def test_a_deletion_in_a_record_that_is_seen_is_gone_not_unknown(database_url: str) -> None:
    async with system(database_url) as (fhir, verifier):
        verifier.caller = ALL
        for id_ in ("of-seen", "of-hidden"):
            assert (await fhir.delete(f"Goal/{id_}")).status_code == 204
        verifier.caller = ONE
        assert (await fhir.get("Goal/of-seen")).status_code == 410
        assert (await fhir.get("Goal/of-hidden")).status_code == 404
