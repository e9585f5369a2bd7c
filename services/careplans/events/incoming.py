"""The events that the service hears, some of its own among them, and the use case that each of them starts."""

from services.careplans.app.commands import follow_referral
from services.careplans.app.sources import follow_plan
from shared.contracts.careplans import CarePlanEvent, CarePlanV1
from shared.contracts.referrals import ReferralV1
from shared.engine import Engine
from shared.messaging.envelope import Event
from shared.service import Handle


def referrals(engine: Engine) -> Handle:
    """The handler of ``referral.*``."""

    async def handle(event: Event) -> None:
        await follow_referral(engine, event, event.payload(ReferralV1))

    return handle


def plans(engine: Engine) -> Handle:
    """The handler of what happens to plans as a whole, those of EHRs among them."""

    async def handle(event: Event) -> None:
        await follow_plan(engine, event.payload(CarePlanV1), new=event.type == CarePlanEvent.CREATED)

    return handle
