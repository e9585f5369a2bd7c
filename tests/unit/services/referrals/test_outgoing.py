"""One fact, one event of the published language."""

from datetime import UTC, datetime

from services.referrals.domain.clocks import Stage
from services.referrals.domain.transitions import Happened
from services.referrals.events.outgoing import CLOCK_EVENTS, EVENTS, outgoing
from shared.contracts.referrals import ReferralClockEvent, ReferralEvent, ReferralV1
from shared.store.resources import Stored
from tests.factories.referrals import OWNER, reference, task
from tests.unit.services.referrals.deciding import decide_task


def test_everything_that_can_happen_has_its_own_event() -> None:
    assert set(EVENTS) == set(Happened)
    assert set(EVENTS.values()) == set(ReferralEvent)
    assert set(CLOCK_EVENTS) == set(Stage)
    assert set(CLOCK_EVENTS.values()) == set(ReferralClockEvent)


def test_the_event_carries_the_referral_as_it_stands_after_the_change() -> None:
    report = [
        {"type": {"text": "report"}, "valueReference": reference("DocumentReference/d1")},
        {"type": {"text": "score"}, "valueString": "12"},
    ]
    decision = decide_task(task("in-progress", "5.1.1"), task("completed", "7.0", output=report), OWNER)
    stored = Stored("Task", "t1", 7, datetime(2026, 3, 2, 12, tzinfo=UTC), False, b"{}")
    [(type_, subject, payload)] = [event for fact in decision.facts for event in outgoing(fact, stored, OWNER)]
    assert (type_, subject) == ("referral.completed.v1", "Task/t1")
    assert payload == ReferralV1(
        task="Task/t1",
        version=7,
        status="completed",
        business_status="7.0",
        service_request="ServiceRequest/o1",
        patient="Patient/p1",
        discipline="mental-health",
        requester="Practitioner/lind",
        owner="Organization/mind-centre",
        outputs=("DocumentReference/d1",),
        previous_status="in-progress",
        occurred_at="2026-03-02T12:00:00.000Z",
    )


def test_a_fact_of_another_domain_tells_nothing_here() -> None:
    stored = Stored("Task", "t1", 7, datetime(2026, 3, 2, tzinfo=UTC), False, b"{}")
    assert list(outgoing(object(), stored, OWNER)) == []
