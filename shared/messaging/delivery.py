"""One attempt at one message, the same for every transport: decode, hand over, and judge what went wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter

import msgspec
from pydantic import ValidationError

from shared.clock import Clock, system_clock
from shared.errors import ConsiliumError
from shared.messaging.envelope import Event, decode
from shared.messaging.transport import Handler
from shared.telemetry.measures import FAILURES, FRESHNESS, HANDLED, PUT_ASIDE
from shared.telemetry.propagation import consuming

log = logging.getLogger(__name__)

UNDECODABLE = "undecodable"
"""The body is no CloudEvent of ours."""
BAD_PAYLOAD = "payload"
"""``data`` does not fit its contract."""
TIMED_OUT = "timed-out"
UNEXPECTED = "unexpected"
TOO_OLD = "too-old"
"""Older than what the inbox remembers: nobody knows whether it was handled."""
PERMANENT = frozenset({UNDECODABLE, BAD_PAYLOAD, TOO_OLD})
"""Reasons that no repetition changes. All other errors may pass: what is missing or in conflict now may come to be."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed: an error category or a code of ours, for an unexpected error with its class name."""

    reason: str

    @property
    def permanent(self) -> bool:
        """Whether trying again is useless."""
        return self.reason in PERMANENT


class TooOld(Exception):
    """An event that came after the inbox may have forgotten it."""


def remembered(handler: Handler, age: timedelta, clock: Clock = system_clock) -> Handler:
    """``handler`` for events up to ``age``; an older one raises ``TooOld`` instead of having its effect again.

    A claim is written after its event and kept longer than ``age``: what passes here, the inbox knows."""

    async def handle(event: Event) -> None:
        if not _within(event, age, clock()):
            raise TooOld
        await handler(event)

    return handle


def _within(event: Event, age: timedelta, now: datetime) -> bool:
    try:
        written = datetime.fromisoformat(event.time)
    except ValueError:
        return False
    return written.tzinfo is not None and now - written <= age


def read(body: bytes, traceparent: str | None) -> Event | Failure:
    """The event in ``body``; the trace context of the carrier stands in where the envelope has none."""
    try:
        event = decode(body)
    except msgspec.DecodeError:
        return Failure(UNDECODABLE)
    if event.traceparent is None and traceparent is not None:
        return msgspec.structs.replace(event, traceparent=traceparent)
    return event


async def attempt(handler: Handler, event: Event, *, seconds: float, queue: str) -> Failure | None:
    """Hand ``event`` to ``handler`` for at most ``seconds``, in its own trace; None is success."""
    began = perf_counter()
    failure = await _attempt(handler, event, seconds=seconds, queue=queue)
    HANDLED.add(perf_counter() - began, queue, "failed" if failure else "handled")
    if failure is None:
        with suppress(ValueError):  # a time that is none: not ours
            FRESHNESS.add((datetime.now(UTC) - datetime.fromisoformat(event.time)).total_seconds(), queue)
    return failure


def expected(queue: str) -> None:
    """What ``queue`` will tell of begins at nought."""
    for outcome in ("handled", "failed"):
        HANDLED.expect(queue, outcome)
    for outcome in ("retry", "dead"):
        PUT_ASIDE.expect(queue, outcome)


def put_aside(queue: str, failure: Failure, *, dead: bool) -> None:
    """Count that a message goes to a retry, or to the dead letters."""
    PUT_ASIDE.add(queue, "dead" if dead else "retry")
    FAILURES.add(queue, failure.reason.partition(":")[0])


async def _attempt(handler: Handler, event: Event, *, seconds: float, queue: str) -> Failure | None:
    try:
        with consuming(event.traceparent, f"{queue} process", {"messaging.event.type": event.type}):
            async with asyncio.timeout(seconds):
                await handler(event)
    except ConsiliumError as error:
        return Failure(error.category.value)
    except TooOld:
        return Failure(TOO_OLD)
    except ValidationError:
        return Failure(BAD_PAYLOAD)
    except TimeoutError:
        return Failure(TIMED_OUT)
    except Exception as error:  # noqa: BLE001 - the edge of the consumer: whatever a handler raises, the message
        # must be kept and the loop must live. Only the class is told: texts of foreign errors may quote their data.
        log.warning("a handler failed unexpectedly with %s on %s", type(error).__name__, event.type)
        return Failure(f"{UNEXPECTED}:{type(error).__name__}")
    return None


class Lanes:
    """Work on different subjects runs side by side, work on one subject in the order of arrival."""

    def __init__(self) -> None:
        self._lanes: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def lane(self, subject: str) -> AsyncIterator[None]:
        """Wait for one's turn on ``subject``. ``asyncio.Lock`` is fair, so turns come in the order of asking."""
        lock, waiting = self._lanes.get(subject, (asyncio.Lock(), 0))
        self._lanes[subject] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._lanes[subject]
            if waiting == 1:
                del self._lanes[subject]
            else:
                self._lanes[subject] = (lock, waiting - 1)
