"""Webhooks against a real HTTP server."""

import asyncio
from collections.abc import Callable

import pytest
from standardwebhooks import Webhook

from services.notifications.channels.webhook import is_secret, new_secret, webhook_channel
from services.notifications.domain.delivery import DELIVERED, Outcome, Reason, Verdict
from tests.integration.notifications.receivers import HookServer
from tests.integration.notifications.support import SECRET, letter


async def test_a_letter_arrives_signed_and_the_standard_library_of_receivers_verifies_it(hook: HookServer) -> None:
    async with webhook_channel(allow_private=True, allow_http=True) as send:
        assert await send(letter(hook.url)) == DELIVERED
    (got,) = hook.got
    data = Webhook(SECRET).verify(got.body, got.headers)
    assert data == {
        "type": "referral.accepted.v1",
        "timestamp": "2026-03-01T09:00:00.000Z",
        "data": {
            "communication": "Communication/c1",
            "text": "A referral to mental health was accepted.",
            "focus": "Task/t1",
            "event": "e1",
        },
    }


async def test_every_attempt_carries_the_same_id_and_body(hook: HookServer) -> None:
    hook.answers.append(500)
    async with webhook_channel(allow_private=True, allow_http=True) as send:
        await send(letter(hook.url))
        await send(letter(hook.url))
    first, second = hook.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == letter(hook.url).id
    assert first.body == second.body


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, DELIVERED),
        (202, DELIVERED),
        (301, Outcome(Verdict.RETRY, Reason.REDIRECT, 301)),
        (400, Outcome(Verdict.RETRY, Reason.HTTP_STATUS, 400)),
        (410, Outcome(Verdict.GONE, Reason.GONE, 410)),
        (429, Outcome(Verdict.RETRY, Reason.HTTP_STATUS, 429)),
        (503, Outcome(Verdict.RETRY, Reason.HTTP_STATUS, 503)),
        (None, Outcome(Verdict.RETRY, Reason.CONNECTION)),
    ],
)
async def test_what_the_endpoint_answers_decides(hook: HookServer, status: int | None, outcome: Outcome) -> None:
    hook.answers.append(status)
    async with webhook_channel(allow_private=True, allow_http=True) as send:
        assert await send(letter(hook.url)) == outcome


async def test_a_redirect_is_not_followed(hook: HookServer) -> None:
    hook.answers.append(307)
    async with webhook_channel(allow_private=True, allow_http=True) as send:
        await send(letter(hook.url))
    assert len(hook.got) == 1


async def test_an_endpoint_that_does_not_answer_in_time_is_tried_again(hook: HookServer) -> None:
    hook.patience = asyncio.Event()
    async with webhook_channel(allow_private=True, allow_http=True, seconds=0.2) as send:
        assert await send(letter(hook.url)) == Outcome(Verdict.RETRY, Reason.TIMEOUT)
    hook.patience.set()


async def test_nobody_listening_is_tried_again(unused_tcp_port_factory: Callable[[], int]) -> None:
    async with webhook_channel(allow_private=True, allow_http=True) as send:
        outcome = await send(letter(f"http://127.0.0.1:{unused_tcp_port_factory()}/"))
    assert outcome == Outcome(Verdict.RETRY, Reason.CONNECTION)


async def test_a_private_address_is_not_reached_unless_an_operator_allows_it(hook: HookServer) -> None:
    async with webhook_channel(allow_http=True) as send:
        assert await send(letter(hook.url)) == Outcome(Verdict.REFUSED, Reason.EGRESS)
    assert hook.got == []


async def test_plain_http_is_not_used_unless_an_operator_allows_it(hook: HookServer) -> None:
    async with webhook_channel(allow_private=True) as send:
        assert await send(letter(hook.url)) == Outcome(Verdict.REFUSED, Reason.EGRESS)
    assert hook.got == []


def test_secrets_are_those_of_the_specification() -> None:
    assert is_secret(new_secret())
    assert new_secret() != new_secret()
    for other in ("", "whsec_", "whsec_c2hvcnQ=", SECRET.removeprefix("whsec_"), "whsec_ä" * 20):
        assert not is_secret(other)
