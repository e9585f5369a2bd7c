"""Records of others come mangled: whatever is in them, every action has a reason, or the record is refused."""

from collections.abc import Collection, Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.careplans.domain.applying.apply import apply
from services.careplans.domain.applying.care_plan import care_plan
from services.careplans.domain.applying.classes import RXNORM
from services.careplans.domain.applying.preferences import ATTITUDE, circumstances_of
from services.careplans.domain.measures.measure import LOINC
from shared.errors import Unprocessable
from shared.fhir.json import Resource
from tests.unit.services.careplans.domain.applying.patients import (
    AS_OF,
    DEFINITIONS,
    PLANS,
    condition,
    medicine,
    observation,
    patient,
)

Path = tuple[str | int, ...]

SPEAKS = {"preferred": True, "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}}
PREFERENCE = observation(
    "phq9",
    0,
    id="wish",
    code={"coding": [{"system": LOINC, "code": "75773-2"}]},
    extension=[{"url": ATTITUDE, "valueCode": "declined"}],
    valueCodeableConcept={"coding": [{"system": "https://consilium.care/fhir/CodeSystem/treatment", "code": "act"}]},
    note=[{"text": "no"}],
    component=[{"code": {"coding": [{"system": LOINC, "code": "44260-8"}]}, "valueQuantity": {"value": 1}}],
)
FORM: Resource = {
    "resourceType": "QuestionnaireResponse",
    "id": "form",
    "status": "completed",
    "authored": "2026-02-01",
    "item": [
        {"linkId": "/44260-8", "answer": [{"valueCoding": {"system": LOINC, "code": "LA6569-3", "display": "x"}}]},
        {"linkId": "/44261-6", "answer": [{"valueInteger": 9}]},
    ],
}
CONTAINED = {"resourceType": "Medication", "id": "m", "ingredient": [{"itemCodeableConcept": {"text": "tramadol"}}]}
RECORD: dict[str, list[Resource]] = {
    "Patient": [patient(communication=[SPEAKS])],
    "Condition": [condition("F45.42", clinicalStatus={"coding": [{"code": "active"}]}), condition("M79.2")],
    "Observation": [
        observation("phq9", 15),
        observation("peg", 8, effectivePeriod={"start": "2026-01-01", "end": "2026-02-02"}),
        observation("painNrs", 9, valueQuantity={"value": 9, "unit": "{score}", "code": "{score}"}),
        observation("redFlags", True),
        PREFERENCE,
    ],
    "MedicationRequest": [
        medicine("Oxycodone", medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "7804"}]}),
        medicine("x", medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[CONTAINED]),
    ],
    "MedicationStatement": [
        medicine("y", resourceType="MedicationStatement", medicationReference={"reference": "Medication/n"})
    ],
    "Medication": [{"resourceType": "Medication", "id": "n", "code": {"text": "Ibuprofen"}}],
    "QuestionnaireResponse": [FORM],
}
DROPPED = object()
PAINFUL = {"language": "text/fhirpath", "expression": "%chronicPain and %takesOpioid and %peg >= 1"}
OTHER_TYPES: tuple[Any, ...] = (
    *(DROPPED, None, True, False, 0, -1, 10**40, 2.5, float("nan"), float("inf")),
    *("", "2019", "2019-13-45", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "active", "\x00", "é" * 300),
    *([], [[]], [None], ["x"], [{}], {}, {"value": "7"}, {"coding": "x"}, {"coding": [{"system": 1, "code": []}]}),
)


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """The place of everything below ``value``."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in entries:
        yield (*path, key)
        yield from _paths(part, (*path, key))


PLACES = [path for path in _paths(RECORD) if len(path) > 1]


def _mangle(record: Any, path: Path, value: Any) -> None:
    """Sets or drops what is at ``path``, if it is still there."""
    *way, last = path
    for key in way:
        record = record[key] if key in _keys(record) else None
    if last in _keys(record):
        if value is not DROPPED:
            record[last] = value
        elif isinstance(record, dict):
            del record[last]


def _keys(value: Any) -> Collection[str | int]:
    return value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()


SMALLEST: Resource = {
    "resourceType": "PlanDefinition",
    "url": "https://example.org/PlanDefinition/smallest",
    "action": [{"id": "only", "condition": [{"kind": "applicability", "expression": PAINFUL}]}],
}


def judge(plan: Resource, record: dict[str, list[Resource]]) -> None:
    try:
        wishes = circumstances_of(record.get("Observation", ()), AS_OF)
        proposal = apply(plan, DEFINITIONS, record, AS_OF, wishes)
    except Unprocessable:
        return
    assert all(each.reason.strip() for each in proposal.all())
    assert care_plan(proposal)["subject"] == {"reference": proposal.subject}


@pytest.mark.parametrize("plan", PLANS)
def test_the_record_as_it_was_has_proposals(plan: str) -> None:
    judge(PLANS[plan], RECORD)
    assert apply(PLANS["stepped-care"], DEFINITIONS, RECORD, AS_OF).actions


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    plan=st.sampled_from(sorted(PLANS)),
    changes=st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(OTHER_TYPES)), min_size=1, max_size=4),
)
def test_a_mangled_record_gives_a_reason_for_every_action_or_is_refused(
    plan: str, changes: list[tuple[Path, Any]]
) -> None:
    record = deepcopy(RECORD)
    for path, value in changes:
        _mangle(record, path, deepcopy(value))
    judge(PLANS[plan], record)


@pytest.mark.parametrize("value", [DROPPED, None, True, 2.5, "x", [None], [{}], {}], ids=range(8))
def test_every_place_may_hold_anything(value: Any) -> None:
    """Each place in turn, with the smallest plan that reads the whole record."""
    for path in PLACES:
        record = deepcopy(RECORD)
        _mangle(record, path, deepcopy(value))
        judge(SMALLEST, record)
