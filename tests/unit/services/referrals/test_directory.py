"""Who may say whom a role stands for."""

import pytest

from services.referrals.domain import appointment
from services.referrals.domain.directory import decide_entry, decide_stand_in
from shared.errors import Forbidden
from shared.fhir.kinds import DecisionContext
from shared.security.caller import Caller
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    OWNER,
    OWNING_EHR,
    PATIENT,
    REQUESTER,
    practitioner_role,
)
from tests.unit.services.referrals.deciding import NOW

THEIRS = practitioner_role("r-b", "Practitioner/moss", "Organization/mind-centre")
TAKEN = practitioner_role("r-b", "Practitioner/lind", "Organization/mind-centre")


def test_nobody_makes_the_role_of_somebody_else_their_own() -> None:
    for before, after in ((THEIRS, TAKEN), (THEIRS, None), (None, THEIRS)):
        with pytest.raises(Forbidden):
            decide_stand_in(before, after, DecisionContext(REQUESTER, NOW))


@pytest.mark.parametrize("caller", [OWNER, OWNING_EHR, COORDINATOR, BACK_END], ids=lambda caller: caller.subject)
def test_its_own_people_coordinators_and_back_ends_write_a_role(caller: Caller) -> None:
    for before, after in ((None, THEIRS), (THEIRS, THEIRS), (THEIRS, None)):
        assert decide_stand_in(before, after, DecisionContext(caller, NOW)).resource == after


def test_a_patient_writes_no_directory() -> None:
    with pytest.raises(Forbidden):
        decide_entry(None, {"resourceType": "Organization"}, DecisionContext(PATIENT, NOW))


def test_a_patient_writes_no_appointment() -> None:
    visit = {"resourceType": "Appointment", "status": "booked"}
    assert appointment.decide(None, visit, DecisionContext(OWNER, NOW)).resource == visit
    for before, after in ((None, visit), (visit, visit), (visit, None)):
        with pytest.raises(Forbidden):
            appointment.decide(before, after, DecisionContext(PATIENT, NOW))
