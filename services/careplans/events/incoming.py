"""The events that the service hears, and the use case that each of them starts."""

from services.careplans.app.commands import follow_referral
from shared.contracts.referrals import ReferralV1
from shared.engine import Engine
from shared.messaging.envelope import Event
from shared.service import Handle


def referrals(engine: Engine) -> Handle:
    """The handler of ``referral.*``."""

    async def handle(event: Event) -> None:
        await follow_referral(engine, event, event.payload(ReferralV1))

    return handle
