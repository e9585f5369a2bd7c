"""An order and its referrals agree."""

from typing import Any

import pytest

from services.referrals.domain import agreement
from services.referrals.domain.states import TERMINAL, state_of
from services.referrals.domain.transitions import TRANSITIONS, Actor, State
from shared.errors import Conflict, Unprocessable
from shared.fhir.kinds import Decision
from tests.factories.referrals import BACK_END, OWNER, REQUESTER, order, reference, task
from tests.unit.services.referrals.deciding import decide_order, decide_task

Resource = dict[str, Any]
STATES = sorted({state for row in TRANSITIONS for state in (row.source, row.target)}, key=str)
OPEN = [state for state in STATES if state.status not in TERMINAL]


def becomes(decision: Decision, resource: Resource) -> Resource | None:
    """What the decision makes of another resource; None where it stays."""
    named = f"{resource['resourceType']}/{resource['id']}"
    found = [each.amend(resource) for each in decision.consequences if each.reference == named]
    return found[0] if found else None


@pytest.mark.parametrize("state", OPEN, ids=str)
@pytest.mark.parametrize("ends", ["revoked", "entered-in-error"])
def test_an_order_that_ends_takes_its_referrals_along(state: State, ends: str) -> None:
    going = task(state.status, state.business)
    decision = decide_order(order(), order(status=ends), REQUESTER, going)
    after = becomes(decision, going)
    if ends == "entered-in-error":
        assert after is not None
        assert after["status"] == "entered-in-error"
        assert state_of(after).business == state.business
    elif state == State("in-progress", "5.2"):
        assert after is None, "its cancellation was asked for already"
    else:
        assert after is not None
        assert after["status"] == "cancelled" or state_of(after) == State("in-progress", "5.2")
        assert after["statusReason"] == {"text": "The order was revoked."}
    if after is not None:
        # a legal step of the initiator's side, by its own rules
        assert decide_task(going, after, BACK_END).resource is not None


@pytest.mark.parametrize("state", [state for state in STATES if state.status in TERMINAL], ids=str)
def test_what_has_ended_stays_as_it_is(state: State) -> None:
    ended = task(state.status, state.business)
    assert decide_order(order(), order(status="revoked"), REQUESTER, ended).consequences == ()
    assert agreement.withdrawn(ended) is None


def test_other_tasks_and_other_orders_are_left_alone() -> None:
    others = (
        task("in-progress", focus=reference("ServiceRequest/o2"), basedOn=[reference("ServiceRequest/o1")]),
        task("in-progress", code={"text": "something else"}),
    )
    for other in others:
        assert decide_order(order(), order(status="revoked"), REQUESTER, other).consequences == ()


@pytest.mark.parametrize("status", ["active", "on-hold"])
def test_holding_an_order_leaves_its_referrals(status: str) -> None:
    before = order(status="on-hold" if status == "active" else "active")
    assert decide_order(before, order(status=status), REQUESTER, task("accepted")).consequences == ()


def test_an_order_is_not_called_completed_while_somebody_works_at_it() -> None:
    with pytest.raises(Conflict):
        decide_order(order(), order(status="completed"), REQUESTER, task("accepted", "3.0"))
    for fine in (task("completed", "7.0"), task("rejected", "4.0")):
        assert decide_order(order(), order(status="completed"), REQUESTER, fine).consequences == ()
    assert decide_order(order(), order(status="completed"), BACK_END, task("accepted", "3.0")).consequences == ()


@pytest.mark.parametrize("status", ["active", "on-hold", "unknown"])
def test_completing_the_last_referral_completes_the_order(status: str) -> None:
    asked = order(status=status)
    going, done = task("accepted", "3.0"), task("completed", "7.0")
    declined = task("rejected", "4.0", id="t2")
    after = becomes(decide_task(going, done, OWNER, asked, declined), asked)
    assert after == asked | {"status": "completed"}
    second = task("requested", id="t3")
    assert becomes(decide_task(going, done, OWNER, asked, second), asked) is None


@pytest.mark.parametrize("status", ["revoked", "completed", "entered-in-error"])
def test_an_order_that_has_ended_does_not_change_by_its_referral(status: str) -> None:
    assert agreement.fulfilled(order(status=status)) is None
    assert agreement.in_force(order(status=status)) is None


@pytest.mark.parametrize(("status", "bser"), [("requested", None), ("received", "2.0"), ("ready", None)])
def test_sending_a_referral_puts_its_order_in_force(status: str, bser: str | None) -> None:
    asked = order(status="draft")
    assert becomes(decide_task(None, task(status, bser), REQUESTER, asked), asked) == asked | {"status": "active"}
    if status != "ready" or bser:
        assert becomes(decide_task(task("draft"), task(status, bser), REQUESTER, asked), asked) is not None
    assert decide_task(None, task("draft"), REQUESTER, asked).consequences == ()
    assert decide_task(None, task(status, bser), BACK_END, asked).consequences == (), "it brings in what was agreed on"


@pytest.mark.parametrize("status", sorted(agreement.ENDED_ORDERS))
def test_nobody_is_asked_to_fulfil_what_has_ended(status: str) -> None:
    asked = order(status=status)
    for before in (None, task("draft")):
        with pytest.raises(Unprocessable) as error:
            decide_task(before, task("requested"), REQUESTER, asked)
        assert error.value.issues[0].expression == ("Task.focus",)
    assert decide_task(None, task("completed"), BACK_END, asked).resource is not None
    assert decide_task(task("accepted"), task("in-progress"), OWNER, asked).resource is not None, "it was asked before"


def test_the_actor_of_every_withdrawal_is_the_initiator() -> None:
    for state in OPEN:
        after = agreement.withdrawn(task(state.status, state.business))
        rows = [row for row in TRANSITIONS if after and row.target == state_of(after)]
        assert after is None or any(row.source == state and row.actor is Actor.INITIATOR for row in rows)
