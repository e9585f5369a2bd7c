"""One attempt at a message, and the order in which attempts are made."""

import asyncio
import random
from collections import defaultdict
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.errors import Conflict, NotFound, Unavailable
from shared.messaging.delivery import Failure, Lanes, attempt, read
from shared.messaging.envelope import Event, encode, new_event
from shared.messaging.transport import Outgoing
from shared.messaging.transports.rabbitmq_publisher import waves

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Counted(BaseModel):
    """A payload."""

    number: int


def an_event(traceparent: str | None = None) -> Event:
    """An event."""
    return new_event(
        id="1",
        service="tested",
        type="a.b.v1",
        subject="Task/1",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        payload=Counted(number=1),
        traceparent=traceparent,
    )


def test_the_carrier_lends_its_trace_context_to_an_envelope_without_one() -> None:
    assert read(encode(an_event()), TRACE) == an_event(TRACE)
    assert read(encode(an_event(TRACE)), "another") == an_event(TRACE)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_event_or_a_permanent_failure(body: bytes) -> None:
    outcome = read(body, None)
    assert isinstance(outcome, Event) or outcome.permanent


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (NotFound("x"), Failure("not-found")),
        (Conflict("x"), Failure("conflict")),
        (Unavailable("x"), Failure("unavailable")),
        (KeyError("Peter Chalmers"), Failure("unexpected:KeyError")),
    ],
)
async def test_an_error_becomes_a_code_and_may_pass(error: Exception, failure: Failure) -> None:
    async def handle(_: Event) -> None:
        raise error

    assert await attempt(handle, an_event(), seconds=5, queue="q") == failure
    assert not failure.permanent


async def test_a_payload_that_breaks_its_contract_is_permanent() -> None:
    class Other(BaseModel):
        name: str

    async def handle(event: Event) -> None:
        event.payload(Other)

    failure = await attempt(handle, an_event(), seconds=5, queue="q")
    assert failure == Failure("payload")
    assert failure.permanent


async def test_a_handler_that_hangs_is_given_up() -> None:
    async def handle(_: Event) -> None:
        await asyncio.Event().wait()

    assert await attempt(handle, an_event(), seconds=0.01, queue="q") == Failure("timed-out")


async def test_a_cancelled_attempt_is_no_failure() -> None:
    async def handle(_: Event) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await attempt(handle, an_event(), seconds=5, queue="q")


async def test_lanes_keep_the_order_of_a_subject_and_leave_nothing_behind() -> None:
    lanes, done, dice = Lanes(), defaultdict(list), random.Random(7)

    async def work(subject: str, number: int) -> None:
        async with lanes.lane(subject):
            for _ in range(dice.randrange(5)):
                await asyncio.sleep(0)
            done[subject].append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(200):
            group.create_task(work(f"Task/{number % 7}", number))
    assert all(numbers == sorted(numbers) for numbers in done.values())
    assert lanes._lanes == {}


@given(st.lists(st.sampled_from(["Task/1", "Task/2", "Task/3", "Task/4"]), max_size=40))
def test_a_wave_holds_a_subject_once_and_waves_keep_its_order(subjects: list[str]) -> None:
    events = [Outgoing(str(n), "a.b", subject, b"") for n, subject in enumerate(subjects)]
    cut = waves(events)
    assert sorted(int(event.id) for wave in cut for event in wave) == list(range(len(events)))
    for wave in cut:
        assert len({event.subject for event in wave}) == len(wave)
    for subject in set(subjects):
        order = [int(event.id) for wave in cut for event in wave if event.subject == subject]
        assert order == sorted(order)
