"""What the relay, the consumers and the pools tell of themselves, over both transports."""

from typing import Any

from shared.errors import Conflict
from shared.messaging.envelope import Event
from shared.messaging.transport import UNAVAILABLE, UNROUTABLE
from shared.store.database import Pool
from shared.store.vitals import measure
from shared.telemetry import measures
from shared.telemetry.instruments import Instrument
from shared.telemetry.pools import name_of
from tests.eventually import eventually
from tests.integration.messaging.support import Carrier, an_event, commit, consuming, outgoing, relaying


def told(instrument: Instrument) -> dict[tuple[Any, ...], float]:
    """Labels -> value, or count for a histogram."""
    metric = instrument.metric()
    points = metric.data.data_points if metric else ()
    return {
        tuple((point.attributes or {}).values()): getattr(point, "count", getattr(point, "value", 0))
        for point in points
    }


async def test_attempts_retries_and_dead_letters_are_counted_by_queue(carrier: Carrier) -> None:
    transport, queue = await carrier.transport(), carrier.queue(delays=(0.05, 0.05))

    async def handle(event: Event) -> None:
        if event.subject == "Task/bad":
            raise Conflict("Never.")

    await transport.declare([queue])
    async with consuming(transport, queue, handle):
        await eventually(lambda: expected(queue.name))
        await transport.publish([outgoing(an_event(carrier.type(), subject)) for subject in ("Task/good", "Task/bad")])

        async def given_up() -> bool:
            return told(measures.PUT_ASIDE).get((queue.name, "dead")) == 1

        await eventually(given_up)
    attempts = told(measures.HANDLED)
    assert (attempts[queue.name, "handled"], attempts[queue.name, "failed"]) == (1, 3)
    assert told(measures.PUT_ASIDE)[queue.name, "retry"] == 2
    assert told(measures.FAILURES)[queue.name, "conflict"] == 3
    assert told(measures.FRESHNESS)[(queue.name,)] == 1


async def expected(queue: str) -> bool:
    """The series of ``queue`` stand at nought before anything happens."""
    return told(measures.PUT_ASIDE).get((queue, "dead")) == 0


async def test_what_is_relayed_and_what_is_not_is_counted_by_database(carrier: Carrier, pool: Pool) -> None:
    transport, queue, database = await carrier.transport(), carrier.queue(), name_of(pool)
    await transport.declare([queue])
    await commit(pool, [an_event(carrier.type()), an_event("nobody.hears.this", "Task/2")])
    async with relaying(pool, transport):

        async def counted() -> bool:
            return (
                told(measures.PUBLISHED)[(database,)] == 1
                and told(measures.UNPUBLISHED)[database, UNROUTABLE] >= 1
                and told(measures.UNPUBLISHED)[database, UNAVAILABLE] == 0
            )

        await eventually(counted)


async def test_a_pool_and_its_database_are_measured_under_the_databases_name(pool: Pool) -> None:
    name = name_of(pool)
    assert name
    assert await pool.fetchval("SELECT current_database()") == name
    before = told(measures.POOL_WAIT)[(name,)]
    await pool.fetchval("SELECT 1")
    assert told(measures.POOL_WAIT)[(name,)] == before + 1
    await measure(pool)
    assert told(measures.DATABASE_SIZE)[(name,)] > 1_000_000
    assert told(measures.DATABASE_CONNECTIONS)[(name,)] >= 1
    assert told(measures.DATABASE_ARCHIVE)[(name,)] == 0
    assert abs(told(measures.DATABASE_CLOCK)[(name,)]) < 5
    assert told(measures.DATABASE_TRANSACTIONS)[name, "committed"] > 0
