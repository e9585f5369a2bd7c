"""What changes: telling a happening, settling an attempt at a delivery, replaying one that failed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from services.notifications.app.measures import DELAY, SETTLED
from services.notifications.domain import communication as resources
from services.notifications.domain.delivery import DELAYS, Ended, Outcome, Status, Verdict, after_attempt
from services.notifications.domain.happening import Happening
from services.notifications.domain.preferences import Channel, channels_for
from services.notifications.domain.rules import Message, concerns, messages
from services.notifications.domain.team import Referral
from services.notifications.store import deliveries, parties, preferences, stream
from services.notifications.store.deliveries import Claimed, New
from shared.clock import instant
from shared.engine import Engine
from shared.errors import Conflict, NotFound
from shared.fhir.json import dumps, loads
from shared.security.caller import Caller, internal
from shared.store.resources import Stored
from shared.telemetry.propagation import current_traceparent
from shared.unit_of_work import UnitOfWork, unit_of_work

CONSUMER = "notifications.events"
"""The consumer's name in the inbox."""
ME = internal("notifications")


async def tell(engine: Engine, happening: Happening, referral: Referral | None = None) -> None:
    """Tell everyone whom the rules name, once; ``referral`` is what the event says of who takes part.

    One transaction: inbox claim, a Communication and its deliveries for each receiver, stream entries, events."""
    if referral is None and not concerns(happening.type):
        return
    async with unit_of_work(engine, ME) as work:
        if not await work.first_time(CONSUMER, happening.event_id):
            return
        connection = await work.connection()
        if referral is not None:
            await parties.learn(connection, referral, happening.event_id)
        elif happening.patient:
            cause, order = happening.cause or None, happening.based_on
            team = await parties.team(connection, happening.patient, service_request=order, cause=cause)
            happening = replace(happening, team=team)
        if await _still_there(work, happening.focus):
            await _put_down(work, happening, messages(happening))
        await work.commit()


async def settle(engine: Engine, claimed: Claimed, outcome: Outcome, *, delays: tuple[timedelta, ...] = DELAYS) -> None:
    """Write down how an attempt ended: the delivery, its log, the Communication, the event; one transaction.

    Does nothing where the delivery was settled by another worker after this one's lease ended."""
    async with unit_of_work(engine, ME) as work:
        stored = await work.load("Communication", claimed.communication)
        assert stored is not None, "a delivery is put down together with its Communication"
        connection = await work.connection()
        then = after_attempt(outcome, attempts=claimed.attempts, now=work.now, delays=delays)
        mine = await deliveries.settle(connection, claimed, outcome, then, work.now)
        if mine:
            if outcome.verdict is Verdict.GONE and outcome.reason and claimed.address:
                channel, reason = claimed.channel, outcome.reason.value
                await preferences.switch_off(connection, claimed.receiver, channel, claimed.address, reason, work.now)
            if then.due_at is None:
                if not stored.deleted:
                    await _follow(work, loads(stored.body))
                _say(work, stored, claimed, then.status, claimed.attempts, claimed.event_id)
        await work.commit()
    if mine and then.due_at is None:
        SETTLED.add(claimed.channel.value, then.status.value)
        if then.status is Status.DELIVERED:
            DELAY.add((work.now - claimed.created_at).total_seconds(), claimed.channel.value)


async def replay(engine: Engine, caller: Caller, delivery: str) -> None:
    """Make a failed delivery due again. Raises ``NotFound``, or ``Conflict`` where it has not failed."""
    async with unit_of_work(engine, caller) as work:
        connection = await work.connection()
        communication = await deliveries.communication_of(connection, delivery)
        if communication is None:
            raise NotFound("No such delivery.")
        stored = await work.load("Communication", communication)
        if not await deliveries.replay(connection, delivery, work.now):
            raise Conflict("Only a delivery that failed can be replayed.")
        if stored is not None and not stored.deleted:
            await _follow(work, loads(stored.body))
        await deliveries.announce(connection)
        await work.commit()


async def _still_there(work: UnitOfWork, focus: str) -> bool:
    """False for a resource of ours that was deleted: nobody needs to hear of it. What others own is theirs to know."""
    type_, _, id_ = focus.partition("/")
    if type_ not in work.engine.kinds:
        return True
    stored = await work.load(type_, id_)
    return stored is not None and not stored.deleted


async def _put_down(work: UnitOfWork, happening: Happening, told: Sequence[Message]) -> None:
    if not told:
        return
    connection = await work.connection()
    wishes = await preferences.of(connection, [message.receiver for message in told])
    rows = [row for message in told for row in _deliveries(work.engine, message, wishes)]
    added = await deliveries.add(
        connection,
        rows,
        event_id=happening.event_id,
        told_as=happening.told_as,
        type=happening.type,
        focus=happening.focus,
        at=work.now,
        traceparent=current_traceparent() or happening.traceparent,
    )
    entries: list[tuple[str, str, bytes]] = []
    waiting = False
    for message in told:
        mine = [row for row in rows if row.receiver == message.receiver and row.id in added]
        if not mine:
            continue
        later = [row for row in mine if row.status is Status.PENDING]
        waiting = waiting or bool(later)
        communication, at = mine[0].communication, instant(work.now)
        stored = await work.create(
            resources.communication(message, happening, at=at, delivered=not later), id=communication
        )
        for row in mine:
            if row.channel is Channel.STREAM:
                entries.append((message.receiver, happening.event_id, _entry(row, happening, at)))
                _say(work, stored, row, Status.DELIVERED, 1, happening.event_id)
    if waiting:
        await deliveries.announce(connection)
    await work.flush()
    if entries:
        await stream.append(connection, work.now, entries)


def _deliveries(engine: Engine, message: Message, wishes: Mapping[str, list[preferences.Kept]]) -> list[New]:
    kept = wishes.get(message.receiver, [])
    rule, wanted = message.rule, [wish.preference for wish in kept]
    channels = (Channel.STREAM,) if rule.stream_only else channels_for(wanted, urgent=rule.urgent)
    communication = engine.ids()
    # an entry in the stream is delivered by being written; the other channels have yet to be tried
    status = {channel: Status.DELIVERED if channel is Channel.STREAM else Status.PENDING for channel in channels}
    return [
        New(engine.ids(), communication, message.receiver, channel, message.text, status[channel])
        for channel in channels
    ]


def _say(work: UnitOfWork, stored: Stored, row: New | Claimed, status: Status, attempts: int, event_id: str) -> None:
    fact = Ended(status, row.communication, row.receiver, row.channel, attempts, event_id, instant(work.now))
    for event in work.engine.outgoing(fact, stored, work.caller):
        work.record(*event)


def _entry(row: New, happening: Happening, at: str) -> bytes:
    return dumps(
        {
            "event": happening.event_id,
            "type": happening.type,
            "receiver": row.receiver,
            "text": row.text,
            "focus": happening.focus,
            "communication": f"Communication/{row.communication}",
            "at": at,
        }
    )


async def _follow(work: UnitOfWork, before: dict[str, object]) -> None:
    """Bring the Communication in step with its deliveries, unless somebody ended it otherwise."""
    if before["status"] not in ("in-progress", "on-hold"):
        return
    statuses = await deliveries.statuses(await work.connection(), str(before["id"]))
    if Status.FAILED in statuses:
        after = resources.undeliverable(before)
    elif statuses == {Status.DELIVERED}:
        after = resources.sent(before, instant(work.now))
    else:
        after = resources.resumed(before)
    if after["status"] != before["status"]:
        await work.update(after)
