"""The contract of a transport, the same over RabbitMQ and over PostgreSQL tables."""

import asyncio
import itertools
import time
from collections import defaultdict

import pytest

from shared.errors import Conflict, NotFound
from shared.messaging.dead import list_dead, replay_dead, show_dead
from shared.messaging.envelope import Event
from shared.messaging.transport import UNROUTABLE, Outgoing, Unconfirmed
from shared.store.database import Pool
from tests.eventually import eventually
from tests.integration.messaging.support import (
    DELAYS,
    Carrier,
    an_event,
    commit,
    consuming,
    effect_once,
    effects,
    outgoing,
    relaying,
)


class TestTransport:
    async def test_an_event_reaches_every_queue_that_hears_it_and_no_other(self, carrier: Carrier) -> None:
        transport = await carrier.transport()
        everything, accepted, nothing = (
            carrier.queue(name="everything"),
            carrier.queue(name="accepted", keys=(carrier.type("accepted"), f"{carrier.word}.acc*.v9")),
            carrier.queue(name="other", keys=(f"{carrier.word}.*",)),
        )
        await transport.declare([everything, accepted, nothing])
        await transport.publish(
            [outgoing(an_event(carrier.type("accepted"))), outgoing(an_event(carrier.type("held")))]
        )
        assert [await transport.depth(queue.name) for queue in (everything, accepted, nothing)] == [2, 1, 0]

    async def test_a_handler_gets_the_event_as_it_was_published(self, carrier: Carrier) -> None:
        transport, queue, event, heard = await carrier.transport(), carrier.queue(), an_event(carrier.type()), []
        await transport.declare([queue])
        await transport.publish([outgoing(event)])

        async def handle(arrived: Event) -> None:
            heard.append(arrived)

        async with consuming(transport, queue, handle):
            await eventually(lambda: _true(heard))
        assert heard == [event]
        assert await transport.depth(queue.name) == 0

    async def test_an_event_that_no_queue_hears_is_not_confirmed(self, carrier: Carrier) -> None:
        transport, queue = await carrier.transport(), carrier.queue(keys=(carrier.type("accepted"),))
        await transport.declare([queue])
        heard, unheard = an_event(carrier.type("accepted"), "Task/1"), an_event(carrier.type("held"), "Task/2")
        with pytest.raises(Unconfirmed) as caught:
            await transport.publish([outgoing(heard), outgoing(unheard)])
        assert caught.value.failed == {unheard.id: UNROUTABLE}
        assert await transport.depth(queue.name) == 1

    async def test_several_consumers_share_a_queue(self, carrier: Carrier) -> None:
        queue, by = carrier.queue(), defaultdict(list)
        transports = [await carrier.transport() for _ in range(3)]
        await transports[0].declare([queue])
        together = asyncio.Barrier(3)

        async def handle(name: int, event: Event) -> None:
            by[name].append(event.id)
            if len(by[name]) == 1:
                await together.wait()  # none goes on before each has one

        events = [an_event(carrier.type(), f"Task/{n}") for n in range(30)]
        await transports[0].publish([outgoing(event) for event in events])
        async with (
            consuming(transports[0], queue, lambda event: handle(0, event), prefetch=1),
            consuming(transports[1], queue, lambda event: handle(1, event), prefetch=1),
            consuming(transports[2], queue, lambda event: handle(2, event), prefetch=1),
        ):
            await eventually(lambda: _true(sum(map(len, by.values())) >= 30))
        assert sorted(id for ids in by.values() for id in ids) == sorted(event.id for event in events)

    async def test_stopping_finishes_what_is_in_hand_and_gives_the_rest_back(self, carrier: Carrier) -> None:
        transport, queue, begun, done = await carrier.transport(), carrier.queue(), [], []
        await transport.declare([queue])
        await transport.publish([outgoing(an_event(carrier.type(), number=n)) for n in range(5)])
        release, stop = asyncio.Event(), asyncio.Event()

        async def handle(event: Event) -> None:
            begun.append(event.data["number"])
            await release.wait()
            done.append(event.data["number"])

        task = asyncio.create_task(transport.consume(queue, handle, prefetch=5, stop=stop))
        await eventually(lambda: _true(begun))
        stop.set()
        release.set()
        await asyncio.wait_for(task, 10)
        assert begun == done == [0]
        await eventually(lambda: _is(transport.depth(queue.name), 4))


class TestFailures:
    async def test_a_failing_message_comes_again_with_growing_delays_and_is_dead_in_the_end(
        self, carrier: Carrier
    ) -> None:
        transport, queue, event, tries = await carrier.transport(), carrier.queue(), an_event(carrier.type()), []
        await transport.declare([queue])
        await transport.publish([outgoing(event)])

        async def handle(_: Event) -> None:
            tries.append(time.monotonic())
            raise Conflict("not now")

        async with consuming(transport, queue, handle):
            await eventually(lambda: list_dead(transport, queue.name))
        gaps = [later - sooner for sooner, later in itertools.pairwise(tries)]
        assert len(gaps) == len(DELAYS)
        assert all(gap >= delay * 0.95 for gap, delay in zip(gaps, DELAYS, strict=True))
        (letter,) = await list_dead(transport, queue.name)
        assert (letter.id, letter.queue, letter.type) == (event.id, queue.name, event.type)
        assert (letter.reason, letter.attempts, letter.traceparent) == ("conflict", 4, event.traceparent)
        assert letter.first_failed_at is not None
        assert letter.last_failed_at is not None
        assert letter.first_failed_at < letter.last_failed_at
        assert (await transport.depth(queue.name), await transport.depth(queue.dead)) == (0, 1)

    async def test_a_message_that_fails_does_not_hold_up_the_others(self, carrier: Carrier) -> None:
        transport, queue, heard = await carrier.transport(), carrier.queue(delays=(60.0,)), []
        await transport.declare([queue])
        events = [an_event(carrier.type(), f"Task/{n}", number=n) for n in range(10)]
        await transport.publish([outgoing(event) for event in events])

        async def handle(event: Event) -> None:
            if event.data["number"] == 0:
                raise RuntimeError("a bug")
            heard.append(event.data["number"])

        async with consuming(transport, queue, handle, prefetch=1):
            await eventually(lambda: _true(len(heard) == 9))
        assert heard == list(range(1, 10))

    @pytest.mark.parametrize(
        ("body", "reason"),
        [(b"{not json", "undecodable"), (b'{"id": "1"}', "undecodable"), (b"", "undecodable")],
    )
    async def test_what_is_no_event_is_dead_at_once(self, carrier: Carrier, body: bytes, reason: str) -> None:
        transport, queue, called = await carrier.transport(), carrier.queue(delays=(60.0,)), []
        await transport.declare([queue])
        await transport.publish([Outgoing("broken", carrier.type(), "Task/1", body)])

        async def handle(event: Event) -> None:
            called.append(event)

        async with consuming(transport, queue, handle):
            await eventually(lambda: list_dead(transport, queue.name))
        letter = await show_dead(transport, queue.name, "broken")
        assert (letter.reason, letter.attempts, letter.body, called) == (reason, 1, body, [])

    async def test_the_reason_never_quotes_the_error(self, carrier: Carrier) -> None:
        transport, queue = await carrier.transport(), carrier.queue(delays=())
        await transport.declare([queue])
        await transport.publish([outgoing(an_event(carrier.type()))])

        async def handle(_: Event) -> None:
            raise ValueError("Peter James Chalmers")

        async with consuming(transport, queue, handle):
            await eventually(lambda: list_dead(transport, queue.name))
        (letter,) = await list_dead(transport, queue.name)
        assert letter.reason == "unexpected:ValueError"

    async def test_dead_letters_can_be_listed_shown_and_replayed_one_or_all(self, carrier: Carrier) -> None:
        transport, queue, broken, heard = await carrier.transport(), carrier.queue(delays=()), [True], []
        await transport.declare([queue])
        events = [an_event(carrier.type(), number=n) for n in range(4)]
        await transport.publish([outgoing(event) for event in events])

        async def handle(event: Event) -> None:
            if broken:
                raise Conflict("not now")
            heard.append(event)

        async with consuming(transport, queue, handle):
            await eventually(lambda: _is(_length(list_dead(transport, queue.name)), 4))
            for _ in range(3):  # looking changes nothing
                assert [letter.id for letter in await list_dead(transport, queue.name)] == [e.id for e in events]
            assert [letter.id for letter in await list_dead(transport, queue.name, 2)] == [e.id for e in events[:2]]
            assert (await show_dead(transport, queue.name, events[2].id)).id == events[2].id
            broken.clear()
            assert await replay_dead(transport, queue.name, [events[2].id]) == 1
            await eventually(lambda: _true(heard))
            assert heard == [events[2]]  # its trace context with it
            assert await replay_dead(transport, queue.name) == 3
            await eventually(lambda: _true(len(heard) == 4))
        assert await list_dead(transport, queue.name) == []

    async def test_a_replayed_message_has_a_clean_record(self, carrier: Carrier) -> None:
        transport, queue, tries = await carrier.transport(), carrier.queue(delays=(0.02,)), []
        await transport.declare([queue])
        await transport.publish([outgoing(an_event(carrier.type()))])

        async def handle(_: Event) -> None:
            tries.append(None)
            raise Conflict("never")

        async with consuming(transport, queue, handle):
            await eventually(lambda: _is(_length(list_dead(transport, queue.name)), 1))
            assert len(tries) == 2
            await replay_dead(transport, queue.name)
            await eventually(lambda: _true(len(tries) == 4))
            await eventually(lambda: _is(_length(list_dead(transport, queue.name)), 1))
        assert (await list_dead(transport, queue.name))[0].attempts == 2

    async def test_asking_for_what_is_not_there_is_not_found(self, carrier: Carrier) -> None:
        transport, queue = await carrier.transport(), carrier.queue()
        await transport.declare([queue])
        with pytest.raises(NotFound):
            await show_dead(transport, queue.name, "none")
        with pytest.raises(NotFound):
            await list_dead(transport, f"{carrier.word}.missing")


class TestFromOutboxToHandler:
    async def test_what_was_committed_is_handled_once(self, carrier: Carrier, pool: Pool) -> None:
        transport, queue = await carrier.transport(), carrier.queue()
        await transport.declare([queue])
        events = [an_event(carrier.type(), f"Task/{n % 7}") for n in range(100)]
        async with relaying(pool, transport), consuming(transport, queue, effect_once(pool)):
            await commit(pool, events)
            await eventually(lambda: _true_of(effects(pool), 100))
        assert sorted(await effects(pool)) == sorted(event.id for event in events)

    async def test_three_relays_keep_the_order_of_each_subject(self, carrier: Carrier, pool: Pool) -> None:
        queue, heard = carrier.queue(), defaultdict(list)
        transports = [await carrier.transport() for _ in range(3)]
        await transports[0].declare([queue])

        async def handle(event: Event) -> None:
            heard[event.subject].append(event.data["number"])

        async def write(subject: str) -> None:
            for number in range(40):
                await commit(pool, [an_event(carrier.type(), subject, number)])

        async with relaying(pool, *transports), consuming(transports[0], queue, handle):
            await asyncio.gather(*(write(f"Task/{n}") for n in range(6)))
            await eventually(lambda: _true(sum(map(len, heard.values())) >= 240))
        assert dict(heard) == {f"Task/{n}": list(range(40)) for n in range(6)}


async def _true(fact: object) -> bool:
    return bool(fact)


async def _is(answer, expected: object) -> bool:  # type: ignore[no-untyped-def]  # any awaitable
    return bool(await answer == expected)


async def _length(answer) -> int:  # type: ignore[no-untyped-def]  # any awaitable of a sequence
    return len(await answer)


async def _true_of(answer, size: int) -> bool:  # type: ignore[no-untyped-def]  # any awaitable of a sequence
    return len(await answer) >= size
