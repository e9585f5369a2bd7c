"""From a fact of the domain to the event that others hear."""

from collections.abc import Iterable

from pydantic import BaseModel

from services.referrals.domain.clocks import Stage
from services.referrals.domain.events import ClockFired, ExchangeTold, ReferralChanged, Telling
from services.referrals.domain.transitions import Happened
from shared.clock import instant
from shared.contracts.referrals import (
    ReferralClockEvent,
    ReferralClockV1,
    ReferralEvent,
    ReferralExchangeEvent,
    ReferralExchangeV1,
    ReferralV1,
)
from shared.fhir.kinds import Fact
from shared.security.caller import Caller
from shared.store.resources import Stored

EVENTS: dict[Happened, ReferralEvent] = {
    Happened.REQUESTED: ReferralEvent.REQUESTED,
    Happened.RECEIVED: ReferralEvent.RECEIVED,
    Happened.ACCEPTED: ReferralEvent.ACCEPTED,
    Happened.DECLINED: ReferralEvent.DECLINED,
    Happened.SCHEDULED: ReferralEvent.SCHEDULED,
    Happened.RESCHEDULED: ReferralEvent.RESCHEDULED,
    Happened.NO_SHOW: ReferralEvent.NO_SHOW,
    Happened.APPOINTMENT_CANCELLED: ReferralEvent.APPOINTMENT_CANCELLED,
    Happened.STARTED: ReferralEvent.STARTED,
    Happened.INTERIM_NOTE: ReferralEvent.INTERIM_NOTE,
    Happened.CANCELLATION_REQUESTED: ReferralEvent.CANCELLATION_REQUESTED,
    Happened.CANCELLED: ReferralEvent.CANCELLED,
    Happened.COMPLETED: ReferralEvent.COMPLETED,
    Happened.HELD: ReferralEvent.HELD,
    Happened.RESUMED: ReferralEvent.RESUMED,
    Happened.FAILED: ReferralEvent.FAILED,
    Happened.RETURNED: ReferralEvent.RETURNED,
    Happened.ANSWERED: ReferralEvent.ANSWERED,
    Happened.CLOSED: ReferralEvent.CLOSED,
    Happened.ENTERED_IN_ERROR: ReferralEvent.ENTERED_IN_ERROR,
    Happened.UPDATED: ReferralEvent.UPDATED,
}

CLOCK_EVENTS: dict[Stage, ReferralClockEvent] = {
    Stage.REMINDER: ReferralClockEvent.REMINDER,
    Stage.ESCALATION: ReferralClockEvent.ESCALATION,
    Stage.REROUTE: ReferralClockEvent.REROUTE,
}

EXCHANGE_EVENTS: dict[Telling, ReferralExchangeEvent] = {
    Telling.GIVEN_UP: ReferralExchangeEvent.GIVEN_UP,
    Telling.CONFLICT: ReferralExchangeEvent.CONFLICT,
}


def outgoing(fact: Fact, stored: Stored, caller: Caller) -> Iterable[tuple[str, str, BaseModel]]:
    """The one event of a changed referral; its version is the Task's, so that a consumer can ignore what is older.

    And that of a stage of its clock, and of its exchange with another system."""
    if isinstance(fact, ClockFired):
        yield CLOCK_EVENTS[fact.stage].value, f"Task/{stored.id}", _of_clock(fact, stored)
    if isinstance(fact, ExchangeTold):
        yield EXCHANGE_EVENTS[fact.what].value, f"Task/{stored.id}", _of_exchange(fact, stored)
    if not isinstance(fact, ReferralChanged):
        return
    subject = f"Task/{stored.id}"
    payload = ReferralV1(
        task=subject,
        version=stored.version,
        status=fact.state.status,
        business_status=fact.state.business,
        service_request=fact.service_request,
        patient=fact.patient,
        discipline=fact.discipline,
        requester=fact.requester,
        owner=fact.owner,
        outputs=fact.outputs,
        offered=fact.offered,
        withdrawn=fact.withdrawn,
        previous_status=fact.previous.status if fact.previous else None,
        occurred_at=instant(stored.last_updated),
    )
    yield EVENTS[fact.happened].value, subject, payload


def _of_exchange(fact: ExchangeTold, stored: Stored) -> ReferralExchangeV1:
    return ReferralExchangeV1(
        task=f"Task/{stored.id}",
        version=stored.version,
        endpoint=fact.endpoint,
        trouble=fact.trouble,
        status=fact.state.status,
        business_status=fact.state.business,
        service_request=fact.service_request,
        patient=fact.patient,
        requester=fact.requester,
        owner=fact.owner,
        occurred_at=instant(fact.at),
    )


def _of_clock(fact: ClockFired, stored: Stored) -> ReferralClockV1:
    return ReferralClockV1(
        task=f"Task/{stored.id}",
        version=stored.version,
        waits_for=fact.wait.value,
        waits_since=instant(fact.waits_since),
        addressee=fact.addressee.value,
        passed_over=tuple(stage.value for stage in fact.passed_over),
        due_at=instant(fact.due_at),
        planned_at=instant(fact.planned_at),
        late=fact.late,
        service_request=fact.service_request,
        patient=fact.patient,
        discipline=fact.discipline,
        requester=fact.requester,
        owner=fact.owner,
        offered=fact.offered,
        occurred_at=instant(fact.at),
    )
