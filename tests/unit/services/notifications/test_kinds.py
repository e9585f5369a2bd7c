"""The rules of the types that notifications owns."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.notifications.domain.statuses import EVENT, REQUEST
from services.notifications.kinds import KINDS
from shared.errors import Conflict, Forbidden, Unprocessable
from shared.fhir.kinds import DecisionContext
from shared.security.caller import Caller, Role

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def decide(type: str, before: str | None, after: str | None, role: Role = Role.SYSTEM) -> dict[str, Any] | None:
    def of(status: str | None) -> dict[str, Any] | None:
        return None if status is None else {"resourceType": type, "status": status}

    return KINDS.kind(type).decide(of(before), of(after), DecisionContext(Caller("c", role), NOW)).resource


@pytest.mark.parametrize(("type", "table"), [("Communication", EVENT), ("CommunicationRequest", REQUEST)])
def test_statuses_change_as_the_tables_say_and_no_other_way(type: str, table: dict[str, frozenset[str]]) -> None:
    for before in table:
        for after in table:
            if before == after or after in table[before]:
                assert decide(type, before, after) is not None
            else:
                with pytest.raises(Conflict):
                    decide(type, before, after)


@pytest.mark.parametrize("table", [EVENT, REQUEST])
def test_what_was_entered_in_error_stays_so_and_everything_else_may_become_it(table: dict[str, frozenset[str]]) -> None:
    assert table["entered-in-error"] == frozenset()
    assert all("entered-in-error" in table[status] for status in table if status != "entered-in-error")


@pytest.mark.parametrize("type", ["Communication", "CommunicationRequest", "Subscription"])
def test_a_deletion_is_nobodys_transition(type: str) -> None:
    assert decide(type, "completed", None) is None


@pytest.mark.parametrize("status", ["requested", "off"])
def test_a_client_asks_for_a_subscription_or_ends_it(status: str) -> None:
    assert decide("Subscription", None, status) is not None
    assert decide("Subscription", "active", status) is not None


@pytest.mark.parametrize("status", ["active", "error"])
def test_a_client_cannot_say_that_a_subscription_works(status: str) -> None:
    with pytest.raises(Unprocessable):
        decide("Subscription", None, status)
    with pytest.raises(Unprocessable):
        decide("Subscription", "requested", status)


def test_an_active_subscription_may_be_changed_otherwise() -> None:
    assert decide("Subscription", "active", "active") is not None


def test_patients_have_no_subscriptions() -> None:
    with pytest.raises(Forbidden):
        decide("Subscription", None, "requested", Role.PATIENT)


@pytest.mark.parametrize(("type", "author"), [("Communication", "sender"), ("CommunicationRequest", "requester")])
def test_a_patient_writes_their_own_messages_only(type: str, author: str) -> None:
    patient = DecisionContext(Caller("p", Role.PATIENT, fhir_user="Patient/p"), NOW)
    ours = {"resourceType": type, "status": "completed"}
    theirs = {**ours, author: {"reference": "Patient/p"}}
    assert KINDS.kind(type).decide(None, theirs, patient).resource == theirs
    for before, after in ((None, ours), (ours, theirs), (theirs, ours), (ours, None)):
        with pytest.raises(Forbidden):
            KINDS.kind(type).decide(before, after, patient)


@pytest.mark.parametrize(("type", "author"), [("Communication", "sender"), ("CommunicationRequest", "requester")])
@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        (None, {"reference": "Patient/p"}, True),
        (None, None, True),
        (None, {"reference": "Patient/q"}, False),
        (None, {"reference": "Organization/o"}, False),
        (None, {"identifier": {"value": "q"}}, False),
        ({"reference": "Patient/q"}, {"reference": "Patient/p"}, False),
        ({"reference": "Patient/p"}, {"reference": "Patient/q"}, False),
        ({"reference": "Patient/q"}, "deleted", False),
        ({"reference": "Patient/p"}, "deleted", True),
    ],
)
def test_a_patient_writes_about_nobody_else(type: str, author: str, before: Any, after: Any, allowed: bool) -> None:
    def message(subject: Any) -> dict[str, Any] | None:
        mine = {"resourceType": type, "status": "completed", author: {"reference": "Patient/p"}}
        return None if subject == "deleted" else mine if subject is None else mine | {"subject": subject}

    old, new = message("deleted" if before is None else before), message(after)
    patient = Caller("p", Role.PATIENT, fhir_user="Patient/p", organization="Organization/o")
    if allowed:
        assert KINDS.kind(type).decide(old, new, DecisionContext(patient, NOW)).resource == new
        return
    with pytest.raises(Forbidden) as caught:
        KINDS.kind(type).decide(old, new, DecisionContext(patient, NOW))
    assert caught.value.issues[0].expression == (f"{type}.subject",)
    assert KINDS.kind(type).decide(old, new, DecisionContext(Caller("s", Role.SYSTEM), NOW)).resource == new
