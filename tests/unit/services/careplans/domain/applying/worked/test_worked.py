"""Three patients by hand: what the clinic's rules ask for, against what the code gives."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.careplans.domain.applying.apply import apply
from services.careplans.domain.applying.proposal import Considered, Proposal
from shared.fhir.validate.check import check
from tests.unit.services.careplans.domain.applying.patients import DEFINITIONS, PLANS
from tests.unit.services.careplans.domain.applying.worked.document import render
from tests.unit.services.careplans.domain.applying.worked.reading import ORDER, Again, Row, Worked, worked

PAGE = Path(__file__).parents[7] / "docs" / "worked-patients.md"
PATIENTS = dict(zip(ORDER, worked(), strict=True))
CASES = [
    pytest.param(patient, plan, row, id=f"{name}-{plan}-{row.actions[0]}")
    for name, patient in PATIENTS.items()
    for plan, rows in patient.expected.items()
    for row in rows
]


def proposal(patient: Worked, plan: str) -> Proposal:
    return apply(PLANS[plan], DEFINITIONS, patient.record, patient.as_of, patient.circumstances)


@pytest.mark.parametrize(("patient", "plan", "row"), CASES)
def test_every_action_is_what_the_hand_expected(patient: Worked, plan: str, row: Row) -> None:
    got: dict[str, Considered] = {each.id: each for each in proposal(patient, plan).all()}
    for action in row.actions:
        assert got[action].outcome.value == row.outcome, got[action].reason
    for words in row.says:
        assert words in got[row.actions[0]].reason


@pytest.mark.parametrize(("patient", "again"), [(each, again) for each in PATIENTS.values() for again in each.again])
def test_on_another_day_it_is_what_the_hand_expected(patient: Worked, again: Again) -> None:
    (got,) = (each for each in proposal(replace(patient, as_of=again.day), again.plan).all() if each.id == again.action)
    assert got.outcome.value == again.outcome, got.reason
    assert again.says in got.reason


@pytest.mark.parametrize("patient", PATIENTS.values(), ids=PATIENTS.keys())
def test_the_hand_left_no_action_out(patient: Worked) -> None:
    assert patient.expected.keys() == PLANS.keys()
    for plan, rows in patient.expected.items():
        by_hand = [action for row in rows for action in row.actions]
        assert sorted(by_hand) == sorted(each.id for each in proposal(patient, plan).all())


@pytest.mark.parametrize("patient", PATIENTS.values(), ids=PATIENTS.keys())
def test_the_notes_are_those_that_the_hand_expected(patient: Worked) -> None:
    assert proposal(patient, "stepped-care").notes == patient.notes


@pytest.mark.parametrize("patient", PATIENTS.values(), ids=PATIENTS.keys())
def test_the_records_are_valid(patient: Worked) -> None:
    for resources in patient.record.values():
        for resource in resources:
            check(resource)


def test_the_page_is_what_hand_and_code_say() -> None:
    module = "tests.unit.services.careplans.domain.applying.worked.document"
    assert PAGE.read_text(encoding="utf-8") == render(), f"run: python -m {module}"
