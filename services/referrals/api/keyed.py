"""The ``Idempotency-Key`` of a request (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)."""

from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from services.referrals.app.once import Outcome
from services.referrals.store.keys import Claim
from shared.idempotency import LONGEST_KEY, REPLAYED, digests
from shared.security.dependency import CurrentCaller

ANSWERS: dict[str, Any] = {
    "headers": {
        "ETag": {"description": "The referral's version, for If-Match.", "schema": {"type": "string"}},
        REPLAYED: {
            "description": "`true`: it was done before, under the same Idempotency-Key; the referral is as it stands.",
            "schema": {"type": "string"},
        },
    }
}
"""The headers of an answer, for OpenAPI."""


async def _claim(
    request: Request,
    caller: CurrentCaller,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="A key of your own making, such as a UUID, in quotes or without: the same request under the "
            f"same key has one effect, however often it comes. Up to {LONGEST_KEY} visible ASCII characters.",
            examples=['"8e03978e-40d5-43e8-bc93-6894a57f9324"'],
        ),
    ] = None,
) -> Claim | None:
    if idempotency_key is None:
        return None
    return Claim(caller.subject, *await digests(request, idempotency_key))


Once = Annotated[Claim | None, Depends(_claim)]
"""A route's parameter type: ``async def perform(once: Once)``."""


def tell(response: Response, outcome: Outcome) -> None:
    """The status of what was done, and whether that was before."""
    response.status_code = outcome.led.status
    if outcome.replayed:
        response.headers[REPLAYED] = "true"
