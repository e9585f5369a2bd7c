"""``consilium import`` against a whole running system: what the files hold is on the server, once."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from consilium.importing.command import load, verified
from consilium.importing.options import JOURNAL, Options
from tests.factories.system import EHR, Site, System

NPI = "http://hl7.org/fhir/sid/us-npi"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The folder that is imported."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@asynccontextmanager
async def imported(system: System, files: Path) -> AsyncIterator[tuple[Site, Options]]:
    """A system on a socket and the options to import ``files`` into it."""
    async with system.site() as site, site.served() as url:
        token = site.by(EHR).headers["authorization"].removeprefix("Bearer ")
        yield site, Options((files,), f"{url}/fhir", token, system.data_dir / JOURNAL)


def quiet() -> Console:
    """A console that keeps what was printed."""
    return Console(file=StringIO(), width=200)


def printed(console: Console) -> str:
    """What was printed."""
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


async def count(site: Site, query: str) -> int:
    """The total of a search."""
    answer = await site.by(EHR).get(f"/fhir/{query}{'&' if '?' in query else '?'}_total=accurate&_count=1")
    return int(answer.json()["total"])


def post(resource: dict[str, Any], full_url: str | None = None, **request: str) -> dict[str, Any]:
    """A create entry."""
    entry = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"], **request}}
    return {"fullUrl": full_url, **entry} if full_url else entry


def put(resource: dict[str, Any]) -> dict[str, Any]:
    """An update entry."""
    return {"resource": resource, "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}}


def write(file: Path, type_: str, *entries: dict[str, Any]) -> None:
    """A Bundle in a file."""
    file.write_text(json.dumps({"resourceType": "Bundle", "type": type_, "entry": entries}))


def practitioner(number: int) -> dict[str, Any]:
    """Somebody in the directory."""
    return {
        "resourceType": "Practitioner",
        "identifier": [{"system": NPI, "value": str(number)}],
        "name": [{"family": f"Family{number}"}],
    }


def patient(**more: Any) -> dict[str, Any]:
    """A patient."""
    return {"resourceType": "Patient", "gender": "female", **more}


def condition(subject: str, **more: Any) -> dict[str, Any]:
    """What somebody has."""
    return {"resourceType": "Condition", "subject": {"reference": subject}, "code": {"text": "Pain"}, **more}


async def test_patients_wait_for_the_directory_and_a_second_run_adds_nothing(plain_system: System, files: Path) -> None:
    given = {"reference": f"Practitioner?identifier={NPI}|1"}
    write(
        files / "a-patient.json",
        "transaction",
        post(patient(generalPractitioner=[given]), "urn:uuid:00000000-0000-4000-8000-000000000001"),
        *(post(condition("urn:uuid:00000000-0000-4000-8000-000000000001")) for _ in range(3)),
    )
    write(
        files / "z-directory.json",
        "batch",
        *(post(practitioner(number), ifNoneExist=f"identifier={NPI}|{number}") for number in (1, 2)),
    )
    async with imported(plain_system, files) as (site, options):
        assert await load(options, quiet())
        assert await verified(options, quiet())
        console = quiet()
        assert await load(options, console)
        assert "Skipped: loaded by an earlier run" in printed(console)
        assert [await count(site, type_) for type_ in ("Practitioner", "Patient", "Condition")] == [2, 1, 3]
        found = (await site.by(EHR).get("/fhir/Patient")).json()["entry"][0]["resource"]
        assert found["generalPractitioner"][0]["reference"].startswith("Practitioner/0")
        assert await count(site, f"Condition?patient=Patient/{found['id']}") == 3


async def test_a_bundle_for_two_services_is_loaded_in_parts_that_refer_to_each_other(
    plain_system: System, files: Path
) -> None:
    doctor, person = "urn:uuid:00000000-0000-4000-8000-00000000000d", "urn:uuid:00000000-0000-4000-8000-00000000000e"
    order = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": person},
        "requester": {"reference": doctor},
    }
    write(
        files / "all.json",
        "transaction",
        post(order),
        post(patient(generalPractitioner=[{"reference": doctor}]), person),
        post(practitioner(1), doctor),
    )
    async with imported(plain_system, files) as (site, options):
        assert await load(options, quiet())
        stored = (await site.by(EHR).get("/fhir/ServiceRequest")).json()["entry"][0]["resource"]
        person_id = stored["subject"]["reference"].removeprefix("Patient/")
        found = (await site.by(EHR).get(f"/fhir/Patient/{person_id}")).json()
        assert found["generalPractitioner"][0]["reference"] == stored["requester"]["reference"]


async def test_a_run_goes_on_after_what_was_refused_is_put_right(plain_system: System, files: Path) -> None:
    write(files / "a.json", "transaction", post(patient()))
    write(files / "b.json", "transaction", post(patient(gender="bogus")), post(patient()))
    (files / "c.json").write_text("no json")
    async with imported(plain_system, files) as (site, options):
        console = quiet()
        assert not await load(options, console)
        assert "Patient.gender" in printed(console)
        assert "c.json" in printed(console)
        assert await count(site, "Patient") == 1
        write(files / "b.json", "transaction", post(patient(gender="male")), post(patient()))
        (files / "c.json").unlink()
        assert await load(options, quiet())
        assert await count(site, "Patient") == 3


async def test_collections_single_resources_entries_and_lines_are_loaded(plain_system: System, files: Path) -> None:
    write(files / "collection.json", "collection", {"resource": condition("Patient/p1", id="c1")})
    (files / "single.json").write_text(json.dumps(patient(id="p1")))
    (files / "entry.json").write_text(json.dumps(put(patient(id="p2"))))
    (files / "lines.ndjson").write_text("".join(json.dumps(patient(id=f"l{number}")) + "\n" for number in range(3)))
    async with imported(plain_system, files) as (site, options):
        assert await load(options, quiet())
        assert await verified(options, quiet())
        assert await count(site, "Patient") == 5
        assert await count(site, "Condition?patient=Patient/p1") == 1


async def test_dangling_references_and_wrong_urls_are_put_right_and_told(plain_system: System, files: Path) -> None:
    lost = condition("Patient/p1", id="c1", encounter={"reference": "Encounter/gone"})
    wrong = put(patient(id="p1"))
    wrong["request"]["url"] = "Patient/another"
    write(files / "a.json", "transaction", wrong, put(lost))
    async with imported(plain_system, files) as (site, options):
        console = quiet()
        assert await load(options, console)
        assert "logical reference" in printed(console)
        assert "under another id" in printed(console)
        stored = (await site.by(EHR).get("/fhir/Condition/c1")).json()
        assert stored["encounter"] == {"type": "Encounter", "identifier": {"value": "Encounter/gone"}}
        assert (await site.by(EHR).get("/fhir/Patient/p1")).status_code == 200


async def test_verify_finds_what_is_missing(plain_system: System, files: Path) -> None:
    write(files / "a.json", "transaction", put(patient(id="p1")), put(condition("Patient/p1", id="c1")))
    async with imported(plain_system, files) as (site, options):
        assert await load(options, quiet())
        assert (await site.by(EHR).delete("/fhir/Condition/c1")).status_code in (200, 204)
        console = quiet()
        assert not await verified(options, console)
        assert "Condition" in printed(console)


async def test_a_transaction_whose_answer_was_never_seen_is_not_stored_twice(plain_system: System, files: Path) -> None:
    person = "urn:uuid:00000000-0000-4000-8000-000000000001"
    named = patient(identifier=[{"system": "http://example.org/mrn", "value": "1"}])
    write(files / "a.json", "transaction", post(named, person), post(condition(person)))
    write(
        files / "b.json", "transaction", post(patient(identifier=[{"system": "http://example.org/mrn", "value": "2"}]))
    )
    async with imported(plain_system, files) as (site, options):
        assert await load(options, quiet())
        # the run was killed before it noted the outcomes; of the second it had not even been sent
        sent = [line for line in options.journal.read_text().splitlines() if '"stored"' not in line]
        options.journal.write_text("\n".join(sent) + "\n")
        second = (await site.by(EHR).get("/fhir/Patient?identifier=http://example.org/mrn|2")).json()["entry"][0][
            "resource"
        ]
        await site.by(EHR).delete(f"/fhir/Patient/{second['id']}")
        assert await load(options, quiet())
        assert await verified(options, quiet())
        assert [await count(site, type_) for type_ in ("Patient", "Condition")] == [2, 1]


async def test_a_new_database_behind_the_same_url_is_loaded_anew(plain_system: System, files: Path) -> None:
    write(files / "a.json", "transaction", post(patient()), post(patient()))
    write(files / "b.json", "transaction", put(patient(id="p1")))
    async with imported(plain_system, files) as (site, options):
        assert await load(options, quiet())
        # what the journal would say had another database been here: ids that this one never gave
        for resource in (await site.by(EHR).get("/fhir/Patient")).json()["entry"]:
            options.journal.write_text(
                options.journal.read_text().replace(f"Patient/{resource['resource']['id']}", "Patient/never-here")
            )
        assert await load(options, quiet())
        assert await count(site, "Patient") == 5
