"""Contracts in: what other services say becomes a ``Happening``, and what a referral says of who takes part."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from services.notifications.app.commands import tell
from services.notifications.domain.happening import Happening
from services.notifications.domain.team import Referral
from shared.contracts.careplans import CarePlanV1, DiagnosisV1, OutcomeV1, SafetyV1
from shared.contracts.notifications import NotificationEvent, NotificationV1
from shared.contracts.referrals import ReferralClockV1, ReferralExchangeV1, ReferralV1
from shared.engine import Engine
from shared.messaging.envelope import Event

Handle = Callable[[Event], Awaitable[None]]


def hear(engine: Engine) -> Handle:
    """The handler of the service's queue. Raises ``pydantic.ValidationError`` for a payload that fits no contract."""

    async def handle(event: Event) -> None:
        if event.type.startswith("referral."):
            payload = event.payload(ReferralV1)
            await tell(engine, of_referral(event, payload), parties_of(payload))
        elif event.type.startswith("referral-clock."):
            await tell(engine, of_clock(event, event.payload(ReferralClockV1)))
        elif event.type.startswith("referral-exchange."):
            await tell(engine, of_exchange(event, event.payload(ReferralExchangeV1)))
        elif event.type.startswith("careplan."):
            await tell(engine, of_care_plan(event, event.payload(CarePlanV1)))
        elif event.type.startswith("safety."):
            await tell(engine, of_safety(event, event.payload(SafetyV1)))
        elif event.type.startswith("outcome."):
            await tell(engine, of_outcome(event, event.payload(OutcomeV1)))
        elif event.type.startswith("diagnosis."):
            await tell(engine, of_diagnosis(event, event.payload(DiagnosisV1)))
        elif event.type == NotificationEvent.FAILED:
            await tell(engine, of_failure(event, event.payload(NotificationV1)))

    return handle


def of_referral(event: Event, payload: ReferralV1) -> Happening:
    """A step of a referral."""
    return replace(_of_task(event, payload), withdrawn=payload.withdrawn)


def of_clock(event: Event, payload: ReferralClockV1) -> Happening:
    """A referral that waits."""
    return replace(
        _of_task(event, payload),
        awaited=payload.requester if payload.addressee == "initiator" else payload.owner,
        waits_for=payload.waits_for,
        late=payload.late,
    )


def of_exchange(event: Event, payload: ReferralExchangeV1) -> Happening:
    """A referral that is carried on with another system, and what people must know of that."""
    return Happening(
        event_id=event.id,
        type=event.type,
        focus=payload.task,
        patient=payload.patient,
        based_on=payload.service_request,
        requester=payload.requester,
        owner=payload.owner,
        traceparent=event.traceparent,
    )


def _of_task(event: Event, payload: ReferralV1 | ReferralClockV1) -> Happening:
    return Happening(
        event_id=event.id,
        type=event.type,
        focus=payload.task,
        patient=payload.patient,
        based_on=payload.service_request,
        discipline=payload.discipline,
        requester=payload.requester,
        owner=payload.owner,
        offered=payload.offered,
        traceparent=event.traceparent,
    )


def parties_of(payload: ReferralV1) -> Referral:
    """Who takes part by this referral."""
    return Referral(
        task=payload.task,
        version=payload.version,
        status=payload.status,
        patient=payload.patient,
        service_request=payload.service_request,
        requester=payload.requester,
        owner=payload.owner,
    )


def of_care_plan(event: Event, payload: CarePlanV1) -> Happening:
    """A change of a shared plan."""
    return Happening(
        event_id=event.id,
        type=event.type,
        focus=payload.care_plan,
        cause=payload.caused_by or "",
        patient=payload.patient,
        based_on=payload.activity,
        discipline=payload.discipline,
        traceparent=event.traceparent,
    )


def of_safety(event: Event, payload: SafetyV1) -> Happening:
    """What somebody must look at today."""
    return Happening(
        event_id=event.id,
        type=event.type,
        focus=payload.resource,
        patient=payload.patient,
        traceparent=event.traceparent,
    )


def of_outcome(event: Event, payload: OutcomeV1) -> Happening:
    """Scores that call for a review of a plan."""
    return Happening(
        event_id=event.id,
        type=event.type,
        focus=payload.care_plan,
        patient=payload.patient,
        traceparent=event.traceparent,
    )


def of_diagnosis(event: Event, payload: DiagnosisV1) -> Happening:
    """An uncertain diagnosis that is to be looked at again."""
    return Happening(
        event_id=event.id,
        type=event.type,
        focus=payload.condition,
        patient=payload.patient,
        traceparent=event.traceparent,
    )


def of_failure(event: Event, payload: NotificationV1) -> Happening:
    """A message that a channel gave up."""
    return Happening(event_id=event.id, type=event.type, focus=payload.communication, traceparent=event.traceparent)
