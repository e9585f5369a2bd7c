"""What lies in a patient's compartment is found by the index, also long after it was written."""

from datetime import timedelta

import pytest

from shared.fhir.bulk.asked import Asked, Scope
from shared.fhir.bulk.selecting import candidates
from shared.fhir.json import Resource
from tests.factories.resources import observation, patient
from tests.factories.search import START, searchable, store

SCHEDULE: Resource = {"resourceType": "Schedule", "id": "s", "actor": [{"reference": "Patient/b"}]}
RESOURCES: list[Resource] = [
    patient(id="a"),
    patient(id="b"),
    observation("Patient/a", id="a1"),
    observation("Patient/a", id="told", performer=[{"reference": "Patient/b"}]),
    observation("Patient/b", id="b1"),
    SCHEDULE,
]


@pytest.mark.parametrize(
    ("type_", "of", "expected"),
    [
        ("Observation", "a", {"a1", "told"}),
        ("Observation", "b", {"told", "b1"}),
        ("Schedule", "b", {"s"}),
        ("Schedule", "a", set()),
    ],
)
async def test_an_export_lists_every_share(database_url: str, type_: str, of: str, expected: set[str]) -> None:
    """http://hl7.org/fhir/R4/compartmentdefinition-patient.html"""
    asked = Asked("", (type_,), Scope.PATIENTS, frozenset({of}), None, None, {})
    async with searchable(database_url) as pool:
        await store(pool, RESOURCES)
        listed = await candidates(pool, asked, START + timedelta(days=1), type_, 0)
        rows = await pool.fetch("SELECT id FROM resource WHERE rid = ANY ($1::bigint[])", listed)
    assert {row["id"] for row in rows} == expected
