"""The order belongs to its requester."""

import itertools

import pytest

from services.referrals.domain.order import ORDER_TRANSITIONS
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.security.caller import Caller
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    FOREIGN_EHR,
    OWNER,
    PATIENT,
    REQUESTER,
    REQUESTING_EHR,
    STRANGER,
    order,
    practitioner_role,
    reference,
)
from tests.unit.services.referrals.deciding import decide_order

STATUSES = sorted(ORDER_TRANSITIONS)
BY_ROLE = {"requester": reference("PractitionerRole/r-a")}
ROLE = practitioner_role("r-a", "Practitioner/lind", "Organization/pain-clinic")


@pytest.mark.parametrize(("source", "target"), list(itertools.product(STATUSES, STATUSES)))
def test_the_status_follows_the_table(source: str, target: str) -> None:
    before, after = order(status=source), order(status=target)
    if source == target or target in ORDER_TRANSITIONS[source]:
        assert decide_order(before, after, REQUESTER).facts == ()
    else:
        with pytest.raises(Conflict):
            decide_order(before, after, REQUESTER)


@pytest.mark.parametrize("source", ["revoked", "completed", "entered-in-error"])
def test_a_terminal_order_is_left_only_as_a_mistake(source: str) -> None:
    assert ORDER_TRANSITIONS[source] <= {"entered-in-error"}


def test_only_a_back_end_says_that_it_lost_track() -> None:
    assert decide_order(order(), order(status="unknown"), BACK_END).resource is not None
    with pytest.raises(Conflict):
        decide_order(order(), order(status="unknown"), COORDINATOR)
    with pytest.raises(Conflict):
        decide_order(order(status="revoked"), order(status="unknown"), BACK_END)


@pytest.mark.parametrize("caller", [REQUESTER, COORDINATOR, BACK_END, REQUESTING_EHR], ids=lambda c: c.subject)
def test_its_requester_coordinators_and_back_ends_write_an_order(caller: Caller) -> None:
    assert decide_order(None, order(**BY_ROLE), caller, ROLE).resource is not None
    assert decide_order(order(**BY_ROLE), order(status="revoked", **BY_ROLE), caller, ROLE).resource is not None
    assert decide_order(order(status="draft", **BY_ROLE), None, caller, ROLE).resource is None


@pytest.mark.parametrize("caller", [OWNER, STRANGER, PATIENT, FOREIGN_EHR], ids=lambda caller: caller.subject)
def test_nobody_else_does(caller: Caller) -> None:
    for before, after in ((None, order()), (order(), order(status="revoked")), (order(status="draft"), None)):
        with pytest.raises(Forbidden):
            decide_order(before, after, caller)


def test_a_clinician_names_the_requester() -> None:
    unnamed = {key: value for key, value in order().items() if key != "requester"}
    with pytest.raises(Unprocessable):
        decide_order(None, unnamed, REQUESTER)
    assert decide_order(None, unnamed, BACK_END).resource == unnamed


def test_a_person_does_not_begin_with_the_end() -> None:
    with pytest.raises(Unprocessable):
        decide_order(None, order(status="completed"), REQUESTER)
    assert decide_order(None, order(status="completed"), BACK_END).resource is not None


@pytest.mark.parametrize("element", ["subject", "requester"])
def test_what_an_order_is_about_does_not_change_once_it_is_active(element: str) -> None:
    other = {element: reference("Patient/p2" if element == "subject" else "Practitioner/far")}
    with pytest.raises(Unprocessable) as refused:
        decide_order(order(), order(**other), BACK_END)
    assert refused.value.issues[0].expression == (f"ServiceRequest.{element}",)


def test_a_draft_is_not_handed_to_another_requester() -> None:
    assert decide_order(order(status="draft"), order(subject=reference("Patient/p2")), REQUESTER).resource is not None
    with pytest.raises(Forbidden):
        decide_order(order(status="draft"), order(requester=reference("Practitioner/far")), REQUESTER)


def test_an_order_in_force_is_revoked_not_deleted() -> None:
    with pytest.raises(Conflict):
        decide_order(order(), None, REQUESTER)
    assert decide_order(order(), None, BACK_END).resource is None
