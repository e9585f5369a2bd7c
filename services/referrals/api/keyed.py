"""The ``Idempotency-Key`` of a request (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)."""

import hashlib
import re
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from services.referrals.app.once import Outcome
from services.referrals.store.keys import WHERE, Claim
from shared.errors import Invalid
from shared.security.dependency import CurrentCaller

LONGEST_KEY = 128
_KEY = re.compile(rf"(?P<quote>\"?)(?P<key>[!#-\[\]-~]{{1,{LONGEST_KEY}}})(?P=quote)")
"""A string of https://www.rfc-editor.org/rfc/rfc8941#section-3.3.3, or, as many clients send it, without its quotes."""

REPLAYED = "Idempotency-Replayed"
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
    match = _KEY.fullmatch(idempotency_key.strip(" \t"))
    if match is None or len(request.headers.getlist("idempotency-key")) > 1:
        text = f"One key is expected, of 1 to {LONGEST_KEY} visible ASCII characters."
        raise Invalid(text, code="value", expression=WHERE)
    said = b"\0".join((request.method.encode(), request.scope["path"].encode(), await request.body()))
    # only digests are kept: neither a key nor a body is to be read out of the table
    return Claim(caller.subject, hashlib.sha256(match["key"].encode()).digest(), hashlib.sha256(said).digest())


Once = Annotated[Claim | None, Depends(_claim)]
"""A route's parameter type: ``async def perform(once: Once)``."""


def tell(response: Response, outcome: Outcome) -> None:
    """The status of what was done, and whether that was before."""
    response.status_code = outcome.led.status
    if outcome.replayed:
        response.headers[REPLAYED] = "true"
