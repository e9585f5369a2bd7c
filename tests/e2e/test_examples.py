"""What is created is read back equal but for ``id`` and ``meta``, to the last digit."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.fhir.json import Resource, dumps, loads
from tests.factories.edge import Edge, edge, fresh_databases
from tests.factories.referrals import concept, order, reference, task
from tests.factories.resources import bundle, care_plan, observation, patient
from tools.round_trip import RoundTrip, content, exact, examples_in, targets

DECIMALS = b"""{"resourceType": "Observation", "status": "final", "code": {"text": "PEG"}, "component": [
  {"code": {"text": "a"}, "valueQuantity": {"value": 1.10}}, {"code": {"text": "b"}, "valueQuantity": {"value": 0.0}},
  {"code": {"text": "c"}, "valueQuantity": {"value": 1E+2}}, {"code": {"text": "d"}, "valueQuantity": {"value": -0.50}},
  {"code": {"text": "e"}, "valueQuantity": {"value": 12345678901234567.123456789}}]}"""

UNKNOWN = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}

EXAMPLES: dict[str, Any] = {
    "primitive extensions": patient(
        _birthDate={"extension": [{"url": "http://example.org/time", "valueDateTime": "1971-05-04T12:00:00+02:00"}]},
        name=[{"given": ["Robin", None], "_given": [None, {"extension": [UNKNOWN]}]}],
    ),
    "contained": care_plan(
        "Patient/p1",
        contained=[
            {"resourceType": "Goal", "id": "g"}
            | {"lifecycleStatus": "active", "description": {"text": "walk"}}
            | {"subject": {"reference": "Patient/p1"}}
        ],
        goal=[{"reference": "#g"}],
    ),
    "references": observation(
        "Patient/p1",
        performer=[{"reference": "Practitioner/x/_history/2"}, {"reference": "http://example.org/fhir/Practitioner/y"}],
        focus=[{"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}, {"display": "nobody"}],
    ),
    "text": patient(
        text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">&lt;é&#160;😀</div>'}
    ),
    "extension": patient(extension=[{"url": "http://example.org/x", "extension": [{"url": "y", "valueInteger": 0}]}]),
    "a document": bundle("collection", {"fullUrl": "urn:uuid:1", "resource": patient()}),
    "an order": order(id="o1"),
    **{
        f"a referral {status}": task(
            status, id=f"t-{status}", output=[{"type": concept("http://example.org", "x"), "valueString": "y"}]
        )
        for status in ("received", "accepted", "in-progress", "on-hold", "completed", "rejected", "cancelled", "failed")
    },
    "another Task": {"resourceType": "Task", "status": "completed", "intent": "plan"},
    "a mistake": task("entered-in-error", id="t-e", focus=reference("ServiceRequest/o1")),
    "an ended plan": care_plan("Patient/p1", status="completed", intent="order"),
    "a sent message": {"resourceType": "Communication", "status": "completed", "sent": "2026-01-01T00:00:00.000-05:00"},
    "an appointment": {"resourceType": "Appointment", "status": "noshow", "start": "2026-01-01T10:00:00Z"}
    | {"end": "2026-01-01T11:00:00Z", "participant": [{"actor": {"reference": "Patient/p1"}, "status": "accepted"}]},
}


@pytest.fixture(scope="module")
async def running(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """A system without workers."""
    async with fresh_databases(postgres, templates) as databases, edge(databases, background=False) as running:
        yield running


async def test_examples_come_back_as_they_went(running: Edge, tmp_path: Path) -> None:
    (tmp_path / "decimals.json").write_bytes(DECIMALS)
    (tmp_path / "note.json").write_text("[]")
    for name, resource in EXAMPLES.items():
        (tmp_path / f"{name}.json").write_bytes(dumps(resource))
    examples = list(examples_in([tmp_path]))
    assert len(examples) == len(EXAMPLES) + 2
    trip = await tripped(running, tmp_path)
    assert (trip.refused, trip.changed) == ([], [])
    assert trip.loaded.total() == len(examples)


async def test_refusals_and_changes_are_told(running: Edge, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(dumps(patient(gender="bogus")))
    trip = await tripped(running, tmp_path)
    assert trip.loaded.total() == 0
    assert trip.refused == [
        "bad.json Patient: 422 This is not one of the codes that R4 requires here. ['Patient.gender']"
    ]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b'{"id":"1","a":1.10}', b'{"id":"2","a":1.10}', True),
        (b'{"a":1.10}', b'{"a":1.1}', False),
        (b'{"a":1.0}', b'{"a":1}', False),
        (b'{"a":[1,2]}', b'{"a":[2,1]}', False),
        (b'{"meta":{},"a":1}', b'{"a":1}', True),
    ],
)
def test_the_comparison_is_exact(one: bytes, other: bytes, same: bool) -> None:
    assert (exact(content(loads(one))) == exact(content(loads(other)))) is same


def test_what_must_be_there_first_is_found() -> None:
    resource: Resource = {"a": [{"reference": "Patient/1/_history/2"}, {"reference": "#x"}, {"reference": "Task/7"}]}
    assert list(targets(resource)) == ["Patient/1", "Task/7"]


async def tripped(running: Edge, folder: Path) -> RoundTrip:
    """The round trip of a folder."""
    async with running.served() as url, httpx.AsyncClient(base_url=f"{url}/fhir/", headers=running.bearer()) as client:
        trip = RoundTrip(client, list(examples_in([folder])))
        await trip.run()
        return trip
