"""From a fact of the domain to the event that others hear."""

from collections.abc import Iterable

from pydantic import BaseModel

from services.referrals.domain.events import ReferralChanged
from services.referrals.domain.transitions import Happened
from shared.clock import instant
from shared.contracts.referrals import ReferralEvent, ReferralV1
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
    Happened.ENTERED_IN_ERROR: ReferralEvent.ENTERED_IN_ERROR,
    Happened.UPDATED: ReferralEvent.UPDATED,
}


def outgoing(fact: Fact, stored: Stored, caller: Caller) -> Iterable[tuple[str, str, BaseModel]]:
    """The one event of a changed referral; its version is the Task's, so that a consumer can ignore what is older."""
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
        previous_status=fact.previous.status if fact.previous else None,
        occurred_at=instant(stored.last_updated),
    )
    yield EVENTS[fact.happened].value, subject, payload
