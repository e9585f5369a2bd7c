"""The seam between messaging and what carries the messages: RabbitMQ or PostgreSQL tables."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.errors import Unavailable
from shared.messaging.envelope import Event
from shared.messaging.topology import Queue

Handler = Callable[[Event], Awaitable[None]]
"""Has its effect and returns (the message is acknowledged), or raises (it comes again later, in the end it is dead)."""

UNAVAILABLE = "unavailable"
UNROUTABLE = "unroutable"
REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An encoded event on its way to the exchange."""

    id: str
    type: str
    subject: str
    body: bytes
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up: what it was and why. ``reason`` is a code of ours, never a text from the error."""

    id: str
    queue: str
    type: str
    reason: str
    attempts: int
    first_failed_at: datetime | None
    last_failed_at: datetime | None
    traceparent: str | None
    body: bytes


class Unconfirmed(Unavailable):
    """Some events were not confirmed: event id -> UNAVAILABLE, UNROUTABLE or REJECTED. The others were."""

    def __init__(self, failed: Mapping[str, str]) -> None:
        super().__init__(f"{len(failed)} events were not confirmed")
        self.failed = dict(failed)


class Transport(Protocol):
    """Durable, at-least-once delivery."""

    async def declare(self, queues: Collection[Queue]) -> None:
        """Make queues and bindings as they should be; remember them so that they are made again after a loss.

        Raises ``Unavailable``, or one of ``DATABASE_LOSSES``, while the carrier cannot be reached."""

    async def publish(self, events: Sequence[Outgoing]) -> None:
        """Hand over ``events``; returns when every one is stored durably in every queue that hears it.

        Keeps order: after an event that failed, no later one of the same subject is confirmed. Raises ``Unconfirmed``.
        """

    async def consume(self, queue: Queue, handler: Handler, *, prefetch: int, stop: asyncio.Event) -> None:
        """Handle messages until ``stop``, through every loss of the carrier; those of one subject one by one."""

    async def depth(self, queue: str) -> int:
        """How many messages wait in ``queue`` (without those waiting for a retry) or in a ``<queue>.dead``.

        Raises ``NotFound``."""

    async def dead_list(self, queue: str, limit: int = 100) -> list[DeadLetter]:
        """The dead letters of ``queue``, oldest first. Raises ``NotFound`` for a queue that is not there."""

    async def dead_show(self, queue: str, id: str) -> DeadLetter:
        """One dead letter. Raises ``NotFound``."""

    async def dead_replay(self, queue: str, ids: Collection[str] | None = None) -> int:
        """Put dead letters (all: None) back into ``queue`` with a clean record; how many."""

    async def close(self) -> None:
        """Give back connections. What was not acknowledged is delivered again."""
