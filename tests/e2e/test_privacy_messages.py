"""What travels between services and to receivers: a canary in a referral shows in no header, attribute or reason."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import asyncpg
import pytest
from aio_pika.abc import AbstractIncomingMessage
from pydantic import BaseModel, ConfigDict

from shared.ids import uuid7
from shared.messaging.envelope import Event, decode, encode
from shared.messaging.topology import EXCHANGE, Queue
from shared.messaging.transport import DeadLetter, Outgoing, Transport
from shared.security.caller import Caller, Discipline, Role
from tests.e2e.canaries import CANARY, ID, canary_patient
from tests.e2e.test_privacy import carries, points, spans
from tests.eventually import eventually
from tests.factories.edge import Edge, edge
from tests.factories.referrals import concept, order, reference, task
from tests.integration.notifications.receivers import HookServer, MailServer

SPECIALIST = Caller("lind", Role.CLINICIAN, Discipline.PAIN_MEDICINE, f"Practitioner/{ID}", "Organization/o1")
OWNER = Caller("mind", Role.SYSTEM, None, None, f"Organization/{ID}")
QUEUE = Queue("canaries", ("canary.#",), retry_delays=())


@pytest.fixture
async def carried(
    amqp: str | None, databases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Edge, str | None, MailServer, HookServer]]:
    """A system over each transport; mail and webhooks go to servers that refuse and quote."""
    async with MailServer() as mail, HookServer() as hook:
        mail.answers.extend([f"554 {CANARY} is not welcome"] * 9)
        hook.answers.extend([500, None, 410])
        monkeypatch.setenv("CONSILIUM_SMTP_URL", mail.url)
        monkeypatch.setenv("CONSILIUM_WEBHOOK_ALLOW_HTTP", "true")
        monkeypatch.setenv("CONSILIUM_WEBHOOK_ALLOW_PRIVATE", "true")
        async with edge(databases, amqp_url=amqp) as running:
            yield running, amqp, mail, hook


async def test_a_referral_full_of_canaries_leaves_none_on_its_way(
    carried: tuple[Edge, str | None, MailServer, HookServer], capfd: pytest.CaptureFixture[str]
) -> None:
    seen, amqp_url, mail, hook = carried
    heard: list[Mapping[str, Any]] = []
    async with listening(amqp_url, heard):
        await furnish(seen, hook)
        await refer(seen)
        await eventually(lambda: planned(seen))
        await eventually(lambda: tried(seen, mail, hook))
        await eventually(lambda: relayed(seen))
        if amqp_url is not None:
            await eventually(lambda: said(heard))
    assert [message for message in heard if carries(json.dumps(message, default=str))] == []
    assert [event for event in await attributes(seen) if CANARY.lower() in event.replace(ID, "").lower()] == []
    assert [text for text in await data(seen) if CANARY.lower() in text.replace(ID, "").lower()] == []
    assert [text for text in await reasons(seen) if carries(text)] == []
    assert [line for line in seen.lines if carries(line)] == []
    assert [text for text in spans(seen) if carries(text)] == []
    assert [text for text in points(seen) if carries(text)] == []
    assert not carries("".join(capfd.readouterr()))


async def test_a_handler_that_fails_over_a_canary_leaves_a_code(
    carried: tuple[Edge, str | None, MailServer, HookServer], capfd: pytest.CaptureFixture[str]
) -> None:
    seen, *_ = carried
    background = seen.assembly.background
    assert background is not None
    stop = asyncio.Event()

    async def fails(event: Event) -> None:
        if event.type == "canary.payload":
            event.payload(Canary)
        raise RuntimeError(f"{CANARY} {event.data}")

    await background.transport.declare([QUEUE])
    consuming = asyncio.create_task(background.transport.consume(QUEUE, fails, prefetch=4, stop=stop))
    await background.transport.publish([told("canary.raises"), told("canary.payload"), broken("canary.broken")])
    letters = await eventually(lambda: all_dead(background.transport))
    stop.set()
    await consuming
    assert {letter.reason for letter in letters} == {"unexpected:RuntimeError", "payload", "undecodable"}
    assert not carries("".join(f"{letter.id} {letter.type} {letter.reason}" for letter in letters))
    assert [line for line in seen.lines if carries(line)] == []
    assert [text for text in spans(seen) if carries(text)] == []
    assert not carries("".join(capfd.readouterr()))


class Canary(BaseModel):
    """A contract that nothing here fits."""

    model_config = ConfigDict(extra="forbid")

    never: int


async def furnish(seen: Edge, hook: HookServer) -> None:
    """The patient, the people, and where they want to be told."""
    assert (await seen.put(canary_patient())).status_code == 201
    for resource in (
        {"resourceType": "Practitioner", "id": ID, "name": [{"family": CANARY}]},
        {"resourceType": "Organization", "id": ID, "name": CANARY},
    ):
        assert (await seen.put(resource)).status_code == 201
    wishes = (
        (SPECIALIST, "email", f"{CANARY}@example.org"),
        (SPECIALIST, "webhook", f"{hook.url}/{CANARY}"),
        (OWNER, "webhook", f"{hook.url}/{CANARY}?token={CANARY}"),
        (OWNER, "email", f"owner.{CANARY}@example.org"),
    )
    for caller, channel, address in wishes:
        receiver = caller.fhir_user or caller.organization
        wish = {"receiver": receiver, "channel": channel, "address": address}
        answer = await seen.ask("PUT", "/api/notifications/preferences", caller=caller, json=wish)
        assert answer.status_code == 200, answer.text


async def refer(seen: Edge) -> None:
    """A referral with canaries in every text and code that it has, and its way to completion."""
    note = [{"text": CANARY}]
    patient: dict[str, Any] = {"for": reference(f"Patient/{ID}") | {"display": CANARY}}
    code = concept(f"http://example.org/{CANARY}", CANARY) | {"text": CANARY}
    requester: dict[str, Any] = {"requester": reference(f"Practitioner/{ID}")}
    asked = order(id=ID, subject=reference(f"Patient/{ID}"), reasonCode=[code], note=note, **requester)
    asked["code"]["text"] = CANARY
    assert (await seen.put(asked, caller=SPECIALIST)).status_code == 201
    referral = task(
        id=ID,
        focus=reference(f"ServiceRequest/{ID}"),
        owner=reference(f"Organization/{ID}") | {"display": CANARY},
        description=CANARY,
        note=note,
        statusReason={"text": CANARY},
        input=[{"type": code, "valueString": CANARY}],
        **requester,
        **patient,
    )
    assert (await seen.put(referral, caller=SPECIALIST)).status_code == 201
    for status in ("accepted", "in-progress", "completed"):
        output = {"output": [{"type": code, "valueString": CANARY}]} if status == "completed" else {}
        stored = await seen.ask("GET", f"/fhir/Task/{ID}")
        step = await seen.put(stored.json() | {"status": status} | output, caller=OWNER)
        assert step.status_code == 200, step.text


async def planned(seen: Edge) -> bool:
    """The referral is in the shared plan."""
    plans = await seen.ask("GET", f"/fhir/CarePlan?patient=Patient/{ID}")
    return bool(plans.json().get("entry"))


async def tried(seen: Edge, mail: MailServer, hook: HookServer) -> bool:
    """Both receivers were tried over both channels, and were refused."""
    return len(mail.got) >= 2 and len(hook.got) >= 3


async def relayed(seen: Edge) -> bool:
    """Nothing waits in an outbox."""
    waiting = [
        await rows(seen, name, "SELECT 1 FROM outbox WHERE published_at IS NULL") for name in seen.assembly.engines
    ]
    return not any(waiting)


async def said(heard: list[Mapping[str, Any]]) -> bool:
    """All three services spoke on the exchange."""
    return {str(message["type"]).partition(".")[0] for message in heard} >= {"referral", "careplan", "notification"}


async def attributes(seen: Edge) -> list[str]:
    """The CloudEvents attributes of every event, without its data."""
    return [str({**event_fields(event), "data": None}) for event in await events(seen)]


async def data(seen: Edge) -> list[str]:
    """The data of every event."""
    return [str(event.data) for event in await events(seen)]


def event_fields(event: Event) -> dict[str, Any]:
    """An event as a dictionary."""
    return {name: getattr(event, name) for name in event.__struct_fields__}


async def events(seen: Edge) -> list[Event]:
    """Everything that was ever put down in an outbox."""
    found = [
        row["envelope"]
        for name in seen.assembly.engines
        for row in await rows(seen, name, "SELECT envelope FROM outbox")
    ]
    return [decode(envelope) for envelope in found]


async def reasons(seen: Edge) -> list[str]:
    """Why deliveries and messages failed."""
    deliveries = await rows(
        seen, "notifications", "SELECT reason FROM delivery UNION SELECT reason FROM delivery_attempt"
    )
    preferences = await rows(seen, "notifications", "SELECT reason FROM receiver_preference")
    return [str(row["reason"]) for row in (*deliveries, *preferences)]


async def rows(seen: Edge, database: str, statement: str) -> list[asyncpg.Record]:
    """What ``statement`` finds."""
    connection = await asyncpg.connect(seen.databases[database])
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def listening(amqp_url: str | None, heard: list[Mapping[str, Any]]) -> AsyncIterator[None]:
    """Everything but the body of every message that passes the exchange, into ``heard``."""
    if amqp_url is None:
        yield
        return
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(exchange, "#")

        async def hear(message: AbstractIncomingMessage) -> None:
            heard.append({**message.info(), "body": None, "key": message.routing_key})

        await queue.consume(hear, no_ack=True)
        yield


def told(type_: str) -> Outgoing:
    """An event full of canaries."""
    event = Event(uuid7(), "/consilium/test", type_, f"Task/{ID}", "2026-03-01T09:00:00Z", {CANARY: CANARY})
    return Outgoing(event.id, event.type, event.subject, encode(event))


def broken(type_: str) -> Outgoing:
    """A message that is no event."""
    return Outgoing(uuid7(), type_, f"Task/{ID}", f'{{"{CANARY}": '.encode())


async def all_dead(transport: Transport) -> list[DeadLetter]:
    """The three dead letters."""
    letters = await transport.dead_list(QUEUE.name)
    return letters if len(letters) == 3 else []
