"""Webhooks by Standard Webhooks 1.0 (https://www.standardwebhooks.com): signed, repeatable, redirects not followed."""

import logging
import secrets
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from standardwebhooks import Webhook

from services.notifications.channels import Send
from services.notifications.domain.delivery import DELIVERED, Letter, Outcome, Reason, Verdict
from shared.clock import Clock, instant, system_clock
from shared.egress import EgressRefused, GuardedTransport
from shared.fhir.json import dumps

# httpx names the URL of every request at INFO; a receiver's address is not for logs
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def new_secret() -> str:
    """A signing secret of 32 random bytes, in the specification's form."""
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


def is_secret(secret: str) -> bool:
    """Whether ``secret`` is one by the specification: ``whsec_`` and 24 to 64 bytes in base64."""
    if not secret.startswith("whsec_"):
        return False
    try:
        return 24 <= len(b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    except ValueError:
        return False


def body(letter: Letter) -> bytes:
    """What is sent: ids, our own event type and the text; the same bytes in every attempt."""
    data = {"communication": letter.communication, "text": letter.text, "focus": letter.focus, "event": letter.event_id}
    return dumps({"type": letter.type, "timestamp": instant(letter.sent), "data": data})


@asynccontextmanager
async def webhook_channel(
    *, allow_private: bool = False, allow_http: bool = False, seconds: float = 10.0, clock: Clock = system_clock
) -> AsyncIterator[Send]:
    """The channel, with its connection pool open. ``seconds`` is the timeout of each step of an attempt."""
    # the guard hands hosts to the pool as addresses: a kept connection could serve a name that its TLS did not prove
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=0)
    transport = GuardedTransport(httpx.AsyncHTTPTransport(limits=limits, trust_env=False), allow_private=allow_private)
    schemes = ("https", "http") if allow_http else ("https",)
    client = httpx.AsyncClient(transport=transport, timeout=seconds, follow_redirects=False, trust_env=False)

    async def send(letter: Letter) -> Outcome:
        if httpx.URL(letter.address).scheme not in schemes:
            return Outcome(Verdict.REFUSED, Reason.EGRESS)
        content = body(letter)
        now = clock()
        headers = {
            "content-type": "application/json",
            "user-agent": "consilium",
            "webhook-id": letter.id,
            "webhook-timestamp": str(int(now.timestamp())),
        }
        if letter.secret:
            headers["webhook-signature"] = Webhook(letter.secret).sign(letter.id, now, content.decode())
        try:
            async with client.stream("POST", letter.address, content=content, headers=headers) as response:
                return judge(response.status_code)
        except EgressRefused:
            return Outcome(Verdict.REFUSED, Reason.EGRESS)
        except httpx.TimeoutException:
            return Outcome(Verdict.RETRY, Reason.TIMEOUT)
        except httpx.TransportError:
            return Outcome(Verdict.RETRY, Reason.CONNECTION)

    async with client:
        yield send


def judge(status: int) -> Outcome:
    """What an HTTP status means for the delivery: 2xx took it, 410 wants nothing more, anything else is tried again."""
    if 200 <= status < 300:
        return DELIVERED
    if status == 410:
        return Outcome(Verdict.GONE, Reason.GONE, status)
    if 300 <= status < 400:
        return Outcome(Verdict.RETRY, Reason.REDIRECT, status)
    return Outcome(Verdict.RETRY, Reason.HTTP_STATUS, status)
