"""The relay against a real outbox and a transport that fails on command."""

import asyncio
import warnings
from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.messaging import inbox, outbox
from shared.messaging.doorbell import Doorbell, listen
from shared.messaging.envelope import Event, encode
from shared.messaging.relay import Relay, RelaySettings
from shared.messaging.transport import REJECTED, UNAVAILABLE, UNROUTABLE, Outgoing, Unconfirmed
from shared.messaging.transports.in_process import InProcessTransport
from shared.store.database import Pool, open_pool
from tests.eventually import eventually
from tests.integration.messaging.support import QUICK, an_event, commit


class Scripted(InProcessTransport):
    """Confirms everything except the subjects that it is told to refuse."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.refuse: dict[str, str] = {}
        self.confirmed: list[str] = []

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """Confirm, or raise as told."""
        failed = {event.id: self.refuse[event.subject] for event in events if event.subject in self.refuse}
        self.confirmed += [event.id for event in events if event.id not in failed]
        if failed:
            raise Unconfirmed(failed)


@pytest.fixture
def transport(pool: Pool) -> Scripted:
    """A transport under command."""
    return Scripted(pool)


def ids(events: Sequence[Event]) -> list[str]:
    """Their ids."""
    return [event.id for event in events]


async def pending(pool: Pool) -> int:
    """How many events wait in the outbox."""
    async with pool.acquire() as connection:
        return (await outbox.depth(connection)).pending


async def test_a_rolled_back_change_says_nothing(pool: Pool, transport: Scripted) -> None:
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await outbox.add(connection, [an_event("a.b")])
        await transaction.rollback()
    assert await Relay(pool, transport).step() == 0


async def test_events_leave_in_the_order_of_their_writing_and_once(pool: Pool, transport: Scripted) -> None:
    events = [an_event("a.b", "Task/1", n) for n in range(20)]
    await commit(pool, events)
    relay = Relay(pool, transport, RelaySettings(batch=6))
    assert [await relay.step() for _ in range(5)] == [6, 6, 6, 2, 0]
    assert transport.confirmed == ids(events)


@pytest.mark.parametrize("reason", [UNROUTABLE, REJECTED])
async def test_a_refused_event_holds_up_its_subject_and_nobody_else(
    pool: Pool, transport: Scripted, reason: str
) -> None:
    bad = [an_event("a.b", "Task/bad", n) for n in range(30)]
    good = [an_event("a.b", f"Task/{n}") for n in range(5)]
    await commit(pool, [*bad, *good])
    transport.refuse = {"Task/bad": reason}
    relay = Relay(pool, transport, RelaySettings(batch=10, retry_first=60, retry_longest=60))
    for _ in range(5):  # the refused subject fills more than one batch
        await relay.step()
    assert transport.confirmed == ids(good)


async def test_a_refused_subject_goes_on_in_order_when_it_is_accepted_again(pool: Pool, transport: Scripted) -> None:
    events = [an_event("a.b", "Task/1", n) for n in range(25)]
    await commit(pool, events)
    transport.refuse = {"Task/1": UNROUTABLE}
    relay, stop = (
        Relay(pool, transport, RelaySettings(batch=10, poll=0.01, retry_first=0.05, retry_longest=0.1)),
        asyncio.Event(),
    )
    await relay.step()
    transport.refuse = {}
    task = asyncio.create_task(relay.run(stop))
    await eventually(lambda: _is_zero(pool))
    stop.set()
    await task
    assert transport.confirmed == ids(events)


async def test_a_carrier_that_is_down_costs_no_row_a_retry(pool: Pool, transport: Scripted) -> None:
    events = [an_event("a.b", "Task/1"), an_event("a.b", "Task/2")]
    await commit(pool, events)
    transport.refuse = {"Task/1": UNAVAILABLE, "Task/2": UNAVAILABLE}
    relay = Relay(pool, transport)
    with pytest.raises(Unconfirmed):
        await relay.step()
    transport.refuse = {}
    assert await relay.step() == 2


@pytest.mark.parametrize("what", ["no JSON", "no event", "another event"])
async def test_a_wrong_envelope_is_set_aside_and_blocks_nobody(pool: Pool, transport: Scripted, what: str) -> None:
    event = an_event("a.b", "Task/1")
    envelope = {"no JSON": b"{", "no event": b"{}", "another event": encode(an_event("a.b", "Task/1"))}[what]
    await pool.execute(
        "INSERT INTO outbox (event_id, type, subject, envelope) VALUES ($1, $2, $3, $4)",
        *(event.id, event.type, event.subject, envelope),
    )
    later = an_event("a.b", "Task/1")
    await commit(pool, [later])
    assert await Relay(pool, transport).step() == 1
    assert transport.confirmed == [later.id]
    async with pool.acquire() as connection:
        depth = await outbox.depth(connection)
    assert (depth.pending, depth.parked) == (0, 1)


async def test_a_relay_that_dies_before_the_mark_leaves_the_batch_to_the_next(pool: Pool, transport: Scripted) -> None:
    events = [an_event("a.b", f"Task/{n}") for n in range(3)]
    await commit(pool, events)

    async def die(_: Sequence[str]) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Relay(pool, transport, confirmed=die).step()
    assert await pending(pool) == 3
    assert await Relay(pool, transport).step() == 3
    assert transport.confirmed == ids(events) * 2


async def test_depth_tells_number_and_age(pool: Pool) -> None:
    async with pool.acquire() as connection:
        empty = await outbox.depth(connection)
        await outbox.add(connection, [an_event("a.b"), an_event("a.b")])
        await connection.execute("UPDATE outbox SET created_at = now() - interval '90 seconds' WHERE seq = 1")
        full = await outbox.depth(connection)
    assert (empty.pending, empty.oldest_seconds) == (0, 0)
    assert full.pending == 2
    assert 89 < full.oldest_seconds < 100


async def test_published_events_are_kept_for_the_retention_and_unpublished_ones_for_ever(
    pool: Pool, transport: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PRUNE_WINDOW", 4)
    await commit(pool, [an_event("a.b", f"Task/{n}") for n in range(10)])
    await Relay(pool, transport, RelaySettings(batch=10)).step()
    await pool.execute(
        "UPDATE outbox SET created_at = now() - interval '9 days', published_at = now() - interval '9 days'"
    )
    await pool.execute("UPDATE outbox SET published_at = NULL WHERE seq = 2")
    await pool.execute("UPDATE outbox SET created_at = now(), published_at = now() WHERE seq > 7")
    async with pool.acquire() as connection:
        assert await outbox.prune(connection, timedelta(days=7)) == 6
    assert [row["seq"] for row in await pool.fetch("SELECT seq FROM outbox ORDER BY seq")] == [2, 8, 9, 10]


@pytest.mark.parametrize("dates", ["created_at = {}", "published_at = {}", "created_at = {}, published_at = {}"])
@pytest.mark.parametrize("ahead", ["seq = 2", "seq <= 9"], ids=["one", "more than are looked at together"])
async def test_events_from_the_future_hold_up_nobody_and_stay(
    pool: Pool, transport: Scripted, monkeypatch: pytest.MonkeyPatch, ahead: str, dates: str
) -> None:
    monkeypatch.setattr(outbox, "PRUNE_WINDOW", 4)
    await commit(pool, [an_event("a.b", f"Task/{n}") for n in range(30)])
    await Relay(pool, transport, RelaySettings(batch=30)).step()
    await pool.execute(
        "UPDATE outbox SET created_at = now() - interval '9 days', published_at = now() - interval '9 days'"
        " WHERE seq <= 20"
    )
    wrong = dates.replace("{}", "now() + interval '1 year'")
    await pool.execute(f"UPDATE outbox SET {wrong} WHERE {ahead}")
    # what was published long ago may go, whenever it says that it was made
    kept = await pool.fetchval("SELECT count(*) FROM outbox WHERE published_at > now() + interval '1 day'")
    async with pool.acquire() as connection:
        assert await outbox.prune(connection, timedelta(days=7)) == 20 - kept
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 10 + kept
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE seq <= 20") == kept


async def test_publishing_again_takes_what_the_routing_keys_match(pool: Pool, transport: Scripted) -> None:
    await commit(pool, [an_event("a.b.v1"), an_event("a.c.v1"), an_event("x.y.v1")])
    relay = Relay(pool, transport)
    await relay.step()
    async with pool.acquire() as connection:
        assert await outbox.publish_again(connection, ["a.#"]) == 2
    assert await relay.step() == 2


async def test_two_claims_of_one_event_at_once_give_one_effect(pool: Pool) -> None:
    async def claim() -> bool:
        async with pool.acquire() as connection, connection.transaction():
            return await inbox.claim(connection, "tested", "1")

    assert sorted(await asyncio.gather(*(claim() for _ in range(6)))) == [False] * 5 + [True]


async def test_a_claim_that_is_rolled_back_may_be_made_again(pool: Pool) -> None:
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        assert await inbox.claim(connection, "tested", "1")
        await transaction.rollback()
        assert await inbox.claim(connection, "tested", "1")
        assert await inbox.claim(connection, "other", "1")
        assert await inbox.prune(connection, timedelta(0)) == 2


async def test_a_ring_in_one_process_wakes_the_relay_of_another(pool: Pool, transport: Scripted) -> None:
    relay, stop, bell = Relay(pool, transport, RelaySettings(poll=3600)), asyncio.Event(), Doorbell(pool)
    tasks = [asyncio.create_task(relay.run(stop)), asyncio.create_task(listen(pool, relay, stop))]
    ringing = asyncio.create_task(bell.run())
    for _ in range(3):
        event = an_event("a.b")
        await commit(pool, [event])

        async def arrived(id: str = event.id) -> bool:
            bell.ring()
            return id in transport.confirmed

        await eventually(arrived)
    stop.set()
    relay.wake()
    await asyncio.gather(*tasks)
    ringing.cancel()


async def test_a_cancelled_listener_gives_its_connection_back_without_a_listener(
    database_url: str, transport: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await open_pool(database_url, size=1)
    relay, listens = Relay(pool, transport), asyncio.Event()
    monkeypatch.setattr(relay, "wake", listens.set)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        listening = asyncio.create_task(listen(pool, relay, asyncio.Event()))
        await asyncio.wait_for(listens.wait(), 20)
        listening.cancel()
        await asyncio.wait({listening}, timeout=20)
    assert listening.cancelled()
    assert [str(warning.message) for warning in warned] == []
    assert await pool.fetchval("SELECT count(*) FROM pg_listening_channels()") == 0
    await pool.close()


async def test_a_relay_outlives_the_loss_of_its_database_connections(pool: Pool, transport: Scripted) -> None:
    relay, stop = Relay(pool, transport, QUICK), asyncio.Event()
    task = asyncio.create_task(relay.run(stop))
    await commit(pool, [an_event("a.b")])
    await eventually(lambda: _is_zero(pool))
    await pool.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await commit(pool, [an_event("a.b")])
    await eventually(lambda: _reached(transport.confirmed, 2))
    stop.set()
    await task


async def _is_zero(pool: Pool) -> bool:
    return await pending(pool) == 0


async def _reached(things: list[str], size: int) -> bool:
    return len(things) >= size
